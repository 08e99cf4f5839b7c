/*
 * Private to the reader of bodies: its state, and what readers of JSON and of forms share.
 */
#ifndef PROTO_BODY_IMPL_H
#define PROTO_BODY_IMPL_H

#include "body_keys.h"
#include "body_member.h"
#include "body_strings.h"
#include "body_turns.h"
#include "json_scanner.h"

#include "proto/body.h"
#include "proto/form.h"

#include <string.h>

/* A text that is put together from pieces. */
struct body_text {
	size_t len;
	bool overflow;
	char bytes[BODY_MODEL_MAX];
};

struct body_reader {
	const struct route *route;
	struct json_scanner *json; /* owned; NULL for a form */
	struct form_reader *form;  /* owned; NULL for JSON */
	struct body_facts facts;
	bool seen[KEYS];
	bool has_content;
	bool begun; /* the body is not empty */
	enum body_key key;
	const struct body_keys *keys;
	bool keeps_turns; /* the content is the messages of a conversation, its first not over */
	struct body_turns turns;
	enum body_member option; /* whose value is scanned, of those under "options" */
	uint32_t options_seen;   /* 1 << member */
	struct body_strings strings;
	struct body_span name_at;
	/* What is before it starts zeroed, and of what follows the first byte. */
	struct body_text text;     /* of the key, or of the key's value */
	char name[BODY_MODEL_MAX]; /* of the old key "name" */
	char why[256];
};

static inline void
body_text_add(struct body_text *t, struct str piece, size_t max)
{
	t->overflow = t->overflow || t->len + piece.len > max;
	if (t->overflow)
		return;
	memcpy(t->bytes + t->len, piece.ptr, piece.len);
	t->len += piece.len;
}

static inline void
body_text_clear(struct body_text *t)
{
	t->len = 0;
	t->overflow = false;
}

/* False, so that it can be returned. */
bool body_refuse(struct body_reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The text that was put together, as a C string. False: it was refused. */
bool body_end_model(struct body_reader *r, const char *key, char out[BODY_MODEL_MAX]);

/* The reader's form_fn. */
bool body_on_form(enum form_event event, struct str text, uint64_t offset, void *arg);

#endif
