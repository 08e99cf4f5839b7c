/*
 * Puts another name of the model into an answer while it passes: the value of "model" at the top of
 * each of its records, and of the one in the object that events of some dialects wrap it in
 * ("message" of /v1/messages, "response" of /v1/responses). Every other byte stays as it is: a text
 * that reads like such a member is a text. What is no JSON passes as it came.
 */
#ifndef PROTO_RENAME_H
#define PROTO_RENAME_H

#include "base/buf.h"
#include "base/str.h"
#include "proto/refusal.h"

struct rename;

/* `key`: "model", or "id" of what lists models; it must outlive this. `form`: how the answer is cut
 * into records; of STREAM_NONE it is one. */
struct rename *rename_create(enum dialect d, enum stream_form form, const char *key,
                             const char *name);
/* NULL is allowed. */
void rename_destroy(struct rename **r);
/* Adds what can go on; of the name that is replaced nothing is. */
void rename_feed(struct rename *r, struct str piece, struct buf *out);
/* Nothing follows: adds a name that was not whole. */
void rename_end(struct rename *r, struct buf *out);

#endif
