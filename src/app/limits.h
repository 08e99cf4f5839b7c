/*
 * The limits of who calls, as requests and clients see them.
 */
#ifndef APP_LIMITS_H
#define APP_LIMITS_H

#include "base/buf.h"

#include <stdbool.h>

struct job;
struct request;

/* For what runs a model. False: beyond a limit; refused with 429 and when to come back. */
bool limits_enter(struct request *r, const struct job *j);
/* Its end, whether it had entered or not. */
void limits_leave(struct request *r);
/* Adds the x-ratelimit-* lines of OpenAI, where the caller has such limits and the route is
 * counted. */
void limits_add_headers(const struct request *r, struct buf *out);

#endif
