/*
 * An answer in the words of a dialect. A form is a row of functions that write
 * it, streamed or whole; they know neither sockets nor timers. Whoever drives
 * them sets the times and calls add_piece for each piece in order, then add_end;
 * or add_whole alone.
 */
#ifndef NODE_REPLY_H
#define NODE_REPLY_H

#include "answer.h"
#include "ask.h"

#include <stdbool.h>
#include <stdint.h>

/* In nanoseconds; what a client is told, not what times are kept by. */
struct metrics {
	int64_t total_ns;
	int64_t load_ns;
	int64_t prompt_ns;
	int64_t eval_ns;
	int prompt_tokens;
};

struct reply {
	const struct form *form;
	struct ask *ask;
	struct answer *answer;
	int64_t now_ns;     /* since 1970: the stamp of what is written next */
	int64_t created_ns; /* the stamp of the first piece */
	uint64_t id;        /* what ids are made from */
	struct metrics metrics;
	const char *done_reason; /* of a request that only loads or unloads; NULL: the answer's */
	/* How far a stream is: */
	bool begun;          /* something was written */
	bool thinking_open;  /* a block or item of thoughts is open */
	bool text_open;      /* the same of words */
	int index;           /* of the block or item that is open, or comes next */
	int sequence;        /* of the next event */
	struct buf thoughts; /* owned; what was sent of each */
	struct buf text;
	struct buf items; /* owned; finished items, as JSON with commas between */
};

struct form {
	const char *stream_type; /* Content-Type; NULL: it never streams */
	const char *whole_type;
	const char *stream_headers; /* further ones, each line with CRLF; NULL: none */
	void (*add_piece)(struct buf *out, struct reply *r, enum piece_kind kind, struct str text);
	void (*add_end)(struct buf *out, struct reply *r);
	void (*add_whole)(struct buf *out, struct reply *r);
	/* What Ollama writes when the model fails in mid-stream; its dialects hide most of it. */
	void (*add_failure)(struct buf *out, struct reply *r, const char *message);
};

extern const struct form form_generate, form_chat;               /* native.c */
extern const struct form form_embed, form_embeddings;            /* embed.c */
extern const struct form form_openai_chat, form_openai_complete; /* openai.c */
extern const struct form form_openai_embeddings;                 /* embed.c */
extern const struct form form_transcription;                     /* openai.c */
extern const struct form form_responses;                         /* responses.c */
extern const struct form form_messages;                          /* messages.c */

/* A body that asks something of a model, read by the dialect. False: `no` says why. */
typedef bool (*ask_reader)(struct ask *a, struct str body, struct refusal_text *no);

bool native_read_generate(struct ask *a, struct str body, struct refusal_text *no);
bool native_read_chat(struct ask *a, struct str body, struct refusal_text *no);
bool embed_read(struct ask *a, struct str body, struct refusal_text *no);
bool embed_read_old(struct ask *a, struct str body, struct refusal_text *no);
bool embed_read_openai(struct ask *a, struct str body, struct refusal_text *no);
bool openai_read_chat(struct ask *a, struct str body, struct refusal_text *no);
bool openai_read_completion(struct ask *a, struct str body, struct refusal_text *no);
bool responses_read(struct ask *a, struct str body, struct refusal_text *no);
/* What OpenAI's dialects take for an image: a data: URL. */
bool openai_add_image_url(struct ask *a, const char *url, struct refusal_text *no);
bool messages_read(struct ask *a, struct str body, struct refusal_text *no);

void reply_finish(struct reply *r);
/* "stop", "length", "load" or "unload". */
const char *reply_done_reason(const struct reply *r);
/* A number of at most `digits` digits made from the reply's id and `salt`. */
unsigned reply_number(const struct reply *r, unsigned salt, int digits);

enum family { FAMILY_NATIVE, FAMILY_OPENAI, FAMILY_ANTHROPIC };
/* An error body, without the newline that Go's encoder puts after it under /v1. */
void reply_add_error(struct buf *out, enum family family, int status, const char *message,
                     uint64_t id);

#endif
