/*
 * What a client asks of the scheduler beside its work: by headers (class, deadline,
 * session, backend), by who it is, and by what kind of work it is.
 */
#ifndef APP_TERMS_H
#define APP_TERMS_H

#include "core/job.h"

#include <stdbool.h>

struct request;

/* Sets what the owner of a new job sets. `model` is the canonical name. False: a header says what
 * it cannot mean, or may not; the request was refused. */
bool terms_take(struct request *r, const char *model, struct job *j);

#endif
