/*
 * The inside of the JSON scanner, shared by json.c (values) and json_string.c
 * (strings and keys).
 */
#ifndef PROTO_JSON_SCANNER_H
#define PROTO_JSON_SCANNER_H

#include "proto/json.h"

enum json_state {
	ST_VALUE,
	ST_FIRST_ITEM, /* after '[' */
	ST_FIRST_KEY,  /* after '{' */
	ST_KEY,
	ST_COLON,
	ST_COMMA, /* or the end of what is open */
	ST_DONE,
	ST_STRING, /* or a key, as `in_key` says */
	ST_ESCAPE,
	ST_HEX,
	ST_UTF8, /* a sequence that the end of a piece has cut */
	ST_NUMBER,
	ST_LITERAL,
	ST_REFUSED,
};

struct json_literal {
	const char *text;
	enum json_event event;
};

struct json_scanner {
	json_callback cb;
	void *arg;
	uint64_t nodes_left;

	enum json_state state;
	bool in_key;
	int depth;
	uint64_t objects[JSON_DEPTH_MAX / 64]; /* a bit a level: 1 an object, 0 an array */

	/* The piece being scanned; `base` is the offset of its first byte. */
	const char *begin, *next, *end;
	uint64_t base;

	uint64_t token_at; /* of a number, a literal, an escape or a cut sequence */
	const struct json_literal *literal;
	size_t text_len; /* used of `text`, or of the literal */
	size_t text_need;
	unsigned code; /* of \uXXXX so far */
	unsigned high; /* a high surrogate that waits for its low one; 0: none */

	char text[JSON_NUMBER_MAX + 1]; /* what is before it starts zeroed */
	char why[128];
};

static inline uint64_t
json_offset(const struct json_scanner *s)
{
	return s->base + (uint64_t)(s->next - s->begin);
}

/* Refuses the input, here or at an earlier byte. */
void json_refuse(struct json_scanner *s, const char *why);
void json_refuse_at(struct json_scanner *s, uint64_t offset, const char *why);
static inline void
json_emit(struct json_scanner *s, enum json_event event, struct str text, uint64_t offset)
{
	if (!s->cb(event, text, offset, s->arg))
		s->state = ST_REFUSED;
}

/* An event without a text. */
static inline void
json_emit_plain(struct json_scanner *s, enum json_event event, uint64_t offset)
{
	json_emit(s, event, (struct str){"", 0}, offset);
}

/* What may follow a value that has just ended. */
static inline enum json_state
json_after_value(const struct json_scanner *s)
{
	return s->depth == 0 ? ST_DONE : ST_COMMA;
}

/* `next` is at the opening quote. */
void json_string_begin(struct json_scanner *s, bool key);
/* In ST_STRING, ST_ESCAPE, ST_HEX and ST_UTF8. */
void json_string_scan(struct json_scanner *s);

#endif
