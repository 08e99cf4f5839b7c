/*
 * The model that a request runs: what it asks for or, where no backend can serve that, the next
 * one that the rule of its model names and its caller may use.
 */
#ifndef APP_FALLBACK_H
#define APP_FALLBACK_H

#include "base/str.h"
#include "core/sched.h"

#include <stdbool.h>
#include <stddef.h>

struct request;

struct fallback {
	struct str asked;         /* what the client means; the request's, or the configuration's */
	struct str model;         /* that it runs: that, or of the configuration */
	size_t tried;             /* of the rule's list */
	char *canonical;          /* owned; of `model`; NULL: it runs the one that was asked for */
	enum sched_answer answer; /* of the model that was asked for, where others were tried */
};

/* `model`: a valid name. */
void fallback_init(struct fallback *f, struct str model);
void fallback_finish(struct fallback *f);
/* The scheduler will not have, or gave back, the job of the model: takes the next one, and makes
 * the job anew for it. False: there is none, or it is no matter of the model. */
bool fallback_take(struct fallback *f, struct request *r, enum sched_answer answer, struct job *j);
/* None helped: back to the model that was asked for. Returns the answer to it. */
enum sched_answer fallback_give_up(struct fallback *f, enum sched_answer answer);
/* NULL: it runs the model that it asks for. */
const char *fallback_name(const struct fallback *f);

#endif
