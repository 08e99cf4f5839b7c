/*
 * What a request's body says that the gateway routes by, read while it arrives,
 * without a tree. Ollama is Go: keys match in any case and the last duplicate
 * wins; so a duplicate or differently cased routing key is refused, that nobody
 * can be read in two ways.
 *
 * The reader keeps no copy of the body; offsets let a rule change single values.
 */
#ifndef PROTO_BODY_H
#define PROTO_BODY_H

#include "base/str.h"
#include "proto/json.h"
#include "proto/route.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a value stands in the body, quotes included: bytes [begin, end). begin == end: it is not
 * there. */
struct body_span {
	uint64_t begin;
	uint64_t end;
};

enum { BODY_MODEL_MAX = 512, BODY_NODES_MAX = 2000000 };

/* What is known of a value. */
enum body_value {
	BODY_ABSENT,
	BODY_NULL,  /* as good as absent */
	BODY_GIVEN, /* of the right type */
	BODY_ODD,   /* of another: the node refuses it */
};

/* What a rule may change. Of a native body the first seven stand under "options". */
enum body_member {
	BODY_NUM_CTX,
	BODY_NUM_BATCH,
	BODY_NUM_GPU,
	BODY_MAIN_GPU,
	BODY_USE_MMAP, /* 0 or 1 */
	BODY_NUM_THREAD,
	BODY_NUM_PREDICT,
	BODY_MAX_TOKENS, /* these three of /v1, as the route has them */
	BODY_MAX_COMPLETION_TOKENS,
	BODY_MAX_OUTPUT_TOKENS,
	BODY_KEEP_ALIVE, /* native */
	BODY_MODEL,
	BODY_MEMBERS,
	BODY_LAST_OPTION = BODY_NUM_PREDICT,
};

enum { BODY_NUMBERS = BODY_MAX_OUTPUT_TOKENS + 1 };

struct body_number {
	struct body_span at;
	int64_t value; /* as Ollama cuts it; no further from 0 than 2^53 */
	enum body_value is;
};

struct body_facts {
	char model[BODY_MODEL_MAX]; /* as the client wrote it; "" when absent, empty or null */
	struct body_span model_at;
	bool stream; /* the route's default when left out or null */
	bool stream_given;
	bool keep_alive_given; /* and not null */
	bool keep_alive_zero;  /* under a second, which Ollama takes for 0: 0, "0", "0s", "500ms" */
	struct body_span keep_alive_at;
	bool load_only; /* native generate without a prompt, chat without messages */
	bool unload;    /* load_only and keep_alive_zero */
	struct body_span options_at;
	enum body_value options;
	struct body_number numbers[BODY_NUMBERS];
	uint64_t object_at;          /* where the body's object begins */
	struct body_span first_turn; /* of a chat: from its first message to the end of the user's first
	                                one. It is the same in all requests of one conversation */
	uint64_t text_bytes;         /* of the body, without images and sounds */
};

struct body_reader;

/* For a route with a model_key. `content_type` is read for forms only. */
struct body_reader *body_reader_create(const struct route *route, struct str content_type);
void body_reader_destroy(struct body_reader **r);
/* False: refuse the request with 400 and body_reader_why(). */
bool body_reader_feed(struct body_reader *r, struct str bytes);
bool body_reader_end(struct body_reader *r, struct body_facts *out);
/* A sentence for the client. */
const char *body_reader_why(const struct body_reader *r);

/* As the API calls it. */
const char *body_member_name(enum body_member m);
/* Whether a body of the route may have it, where the gateway reads it. */
bool body_member_fits(const struct route *route, enum body_member m);

#endif
