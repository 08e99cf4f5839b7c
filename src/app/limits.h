/*
 * The limits of who calls, as requests and clients see them.
 */
#ifndef APP_LIMITS_H
#define APP_LIMITS_H

#include "base/buf.h"
#include "core/job.h"

#include <stdbool.h>

struct limit;
struct request;

/* For what runs a model; a second time it does nothing. False: beyond a limit; refused with 429 and
 * when to come back. */
bool limits_enter(struct request *r, const struct job *j);
/* Its end, whether it had entered or not: it is charged the tokens that its answer took. Where that
 * is not known, what was held for it stays charged if a node worked on it until somebody gave up.
 */
void limits_leave(struct request *r, enum job_end end);
/* Adds the x-ratelimit-* lines of OpenAI, where the caller has such limits and the route is
 * counted. */
void limits_add_headers(const struct request *r, struct buf *out);

/* Adds the member "limits", and a comma before it: what it may, and what it has used of that. */
void limits_add_json(struct limit *l, struct buf *json);

#endif
