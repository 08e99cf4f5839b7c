/*
 * The body of an answer that is kept, in one of its two forms: whole, or as the
 * stream of its pieces. Either is made from the other, so that one answer serves
 * whoever asks, whatever the form.
 *
 * Texts and numbers are copied as they are, byte for byte; nothing is decoded. What
 * was written by a node in a way that is not known here is not guessed at: the
 * functions say false, and the request is sent to a node.
 */
#ifndef PROTO_TRANSCRIPT_H
#define PROTO_TRANSCRIPT_H

#include "base/buf.h"
#include "base/str.h"
#include "proto/cache_key.h"

#include <stdbool.h>

enum transcript_form { TRANSCRIPT_WHOLE, TRANSCRIPT_STREAM };

struct transcript {
	enum answer_family family;
	enum transcript_form form;
	struct str body;
};

/* How it is wanted. */
struct transcript_want {
	enum transcript_form form;
	struct str model;   /* as the client wrote it */
	bool include_usage; /* in a stream of OpenAI's chats and completions */
};

/* Whether an answer with status 200 is there to its end: `done`, [DONE] or what the family has for
 * it. Loading and unloading is no answer. */
bool transcript_is_complete(const struct transcript *t);
/* Writes a complete one as it is wanted. False: it cannot be made of this one; `out` has then a
 * part of it. /v1/responses and /v1/messages keep their form. */
bool transcript_write(const struct transcript *t, const struct transcript_want *want,
                      struct buf *out);
/* The Content-Type that nodes give it. */
const char *transcript_content_type(enum answer_family family, enum transcript_form form);

#endif
