/*
 * The one life of a request, as a table. Whoever moves a job does so by job_move, so
 * that a path that nobody thought of aborts instead of losing a slot.
 */
#include "core/job.h"

#include <stdlib.h>

#define TO(state) (1u << (JOB_##state))

static const unsigned moves[] = {
    [JOB_NEW] = TO(QUEUED) | TO(ENDED), /* ended: it was refused, or its client went first */
    [JOB_QUEUED] = TO(RUNNING) | TO(ENDED),
    [JOB_RUNNING] = TO(QUEUED) | TO(ENDED), /* queued: it is tried again */
    [JOB_ENDED] = 0,
};

void
job_init(struct job *j, enum job_class class)
{
	*j = (struct job){.state = JOB_NEW, .end = JOB_OPEN, .class = class};
	list_init(&j->queue_link);
	list_init(&j->lane_link);
	list_init(&j->age_link);
}

void
job_move(struct job *j, enum job_state to)
{
	if ((moves[j->state] & 1u << to) == 0)
		abort();
	j->state = to;
}

void
job_finish(struct job *j, enum job_end end)
{
	if (end == JOB_OPEN)
		abort();
	job_move(j, JOB_ENDED);
	j->end = end;
}

const char *
job_state_name(enum job_state s)
{
	switch (s) {
	case JOB_NEW: return "new";
	case JOB_QUEUED: return "queued";
	case JOB_RUNNING: return "running";
	case JOB_ENDED: return "ended";
	}
	abort();
}

const char *
job_end_name(enum job_end e)
{
	switch (e) {
	case JOB_OPEN: return "open";
	case JOB_DONE: return "done";
	case JOB_CLIENT_GONE: return "client gone";
	case JOB_REFUSED: return "refused";
	case JOB_BACKEND_ERROR: return "backend error";
	case JOB_DEADLINE: return "deadline";
	}
	abort();
}

const char *
job_class_name(enum job_class c)
{
	switch (c) {
	case CLASS_HIGH: return "high";
	case CLASS_NORMAL: return "normal";
	case CLASS_LOW: return "low";
	case CLASSES: break;
	}
	abort();
}
