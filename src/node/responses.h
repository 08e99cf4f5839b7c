/* The events of /v1/responses. Go writes them from maps: their keys are sorted. */
#ifndef NODE_RESPONSES_H
#define NODE_RESPONSES_H

#include "reply.h"

/* response.created and response.in_progress, once. */
void responses_begin(struct buf *out, struct reply *r);
void responses_add_piece(struct buf *out, struct reply *r, enum piece_kind kind, struct str text);
void responses_add_end(struct buf *out, struct reply *r);
/* A field of the request as it came, or `fallback` where it has none. */
void responses_add_field(struct buf *out, const cJSON *object, const char *key,
                         const char *fallback);

#endif
