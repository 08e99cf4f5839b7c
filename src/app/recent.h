/*
 * The last requests that went wrong, were refused, or took long: what an operator looks at first.
 * A row has what the access log has of the request, never a prompt, an answer or a key.
 *
 * Each kind has a ring of its own, so that a client that is refused a thousand times a second does
 * not wash out the one failure of a node. Memory is bounded by the rings.
 */
#ifndef APP_RECENT_H
#define APP_RECENT_H

#include "base/buf.h"
#include "core/job.h"

#include <stdint.h>

struct recent;
struct request;

struct recent *recent_create(void);
void recent_destroy(struct recent **t);
/* `r` has ended; it is kept where it is of a kind. */
void recent_saw_end(struct recent *t, const struct request *r, enum job_end end);
/* The number of the next row: rows are counted from 0 on, over all kinds. */
uint64_t recent_next(const struct recent *t);
/* Adds the rows from that number on, as far as they are kept, as JSON objects with commas between:
 * oldest first. */
void recent_add_json(const struct recent *t, uint64_t from, struct buf *json);

#endif
