/*
 * One unit of work that needs a slot, from its arrival to its end. The table of
 * allowed moves is in core/job.c; a move that it forbids aborts.
 *
 * A job is embedded in its owner (the request); the scheduler only links it. The
 * owner sets class, key, weight, conversation, options, unify, most_num_ctx, slotless, unloads,
 * only, deadline_ms and the two numbers of tokens before sched_submit; the rest is the scheduler's.
 */
#ifndef CORE_JOB_H
#define CORE_JOB_H

#include "base/list.h"
#include "core/variant.h"

#include <stdbool.h>
#include <stdint.h>

struct account;
struct backend;
struct flow;
struct lane;
struct variant;

enum job_state { JOB_NEW, JOB_QUEUED, JOB_RUNNING, JOB_ENDED };

/* Every job ends in exactly one of them. */
enum job_end {
	JOB_OPEN, /* not ended */
	JOB_DONE,
	JOB_CLIENT_GONE,
	JOB_REFUSED,
	JOB_BACKEND_ERROR,
	JOB_DEADLINE,
};

enum job_class { CLASS_HIGH, CLASS_NORMAL, CLASS_LOW, CLASSES };

struct job {
	enum job_state state;
	enum job_end end;
	enum job_class class;
	const char *key; /* who asks: keys share fairly. Read by sched_submit; NULL: one for all */
	int weight;      /* of its key among keys; 0 is 1 */
	uint64_t conversation;          /* hash of what came before its last message; 0: none */
	int prompt_tokens;              /* as far as known; 0: not */
	int most_output_tokens;         /* that it asked for at most; 0: no bound */
	struct variant_options options; /* that it asks for; sched_options is what it runs with */
	bool unify;               /* may run with a larger context, and with any if it asks for none */
	int32_t most_num_ctx;     /* no context that is made for it is larger; 0: no bound */
	bool slotless;            /* a remote model: needs a healthy node, no slot */
	bool unloads;             /* its node unloads the model after it */
	bool was_loaded;          /* its backend held the model when it was dispatched */
	struct variant *variant;  /* what it runs; while it is queued or runs; counted there */
	struct backend *backend;  /* while it runs; else NULL */
	struct backend *avoid;    /* failed it last: taken again only when nothing else is left */
	struct backend *only;     /* X-Drover-Backend: run nowhere else; NULL: anywhere */
	struct lane *lane;        /* where it waits; NULL: it does not */
	struct flow *flow;        /* of that lane, its own */
	struct account *account;  /* of its key; from its submit to its end */
	int64_t charged;          /* to its account: an estimate, then what it was */
	int attempts;             /* times it was dispatched */
	uint64_t sequence;        /* order of arrival; kept when it is tried again */
	int64_t queued_at_ms;     /* of its first submit */
	int64_t dispatched_at_ms; /* of the last attempt */
	int64_t deadline_ms;      /* absolute; 0: none */
	/* In flow.jobs while it waits, in sched.started until it is picked, or in sched.displaced. */
	struct list queue_link;
	struct list lane_link; /* in lane.by_age */
	struct list age_link;  /* in queue.by_age */
};

void job_init(struct job *j, enum job_class class);
/* Aborts when the table forbids it. */
void job_move(struct job *j, enum job_state to);
/* Moves to JOB_ENDED and says why. */
void job_finish(struct job *j, enum job_end end);
const char *job_state_name(enum job_state s);
const char *job_end_name(enum job_end e);
const char *job_class_name(enum job_class c);

#endif
