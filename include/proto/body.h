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

#endif
