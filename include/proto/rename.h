/*
 * Puts another name into an answer while it passes: in each record of it (a line; of an
 * answer that is no stream, the whole) the first `"model":"FROM"` becomes `"model":"TO"`.
 * Every other byte stays as it is.
 *
 * These bytes mean only that: inside of a text their quotes would be escaped. Ollama writes
 * JSON without blanks, and the model before whatever else could have such a member in it.
 */
#ifndef PROTO_RENAME_H
#define PROTO_RENAME_H

#include "base/buf.h"
#include "base/str.h"

struct rename;

/* `key`: "model", or "id" of what lists models. */
struct rename *rename_create(const char *key, const char *from, const char *to);
/* NULL is allowed. */
void rename_destroy(struct rename **r);
/* Adds what can go on; what may be the beginning of the name is held back. */
void rename_feed(struct rename *r, struct str piece, struct buf *out);
/* Adds what was held back: nothing follows. */
void rename_end(struct rename *r, struct buf *out);

#endif
