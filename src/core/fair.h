/*
 * Whose turn it is. Classes share by weight, and within a class keys share by theirs, by what
 * their jobs cost: each has a virtual time, which grows by the cost of what it was served, and
 * the least goes first. The cost is estimated at the start and corrected by the real counts.
 *
 * Who was away comes back at the least virtual time of those that are there, what they have in
 * flight not counted, so that it need not wait until that turns out cheaper than was thought:
 * nothing is saved up. What a key owes is kept while it is away, for a bounded number of keys.
 *
 * Integers: class weights are powers of two, and the virtual time of keys counts in parts of a
 * token's cost that weights up to 10 divide, so nothing is rounded.
 */
#ifndef CORE_FAIR_PRIVATE_H
#define CORE_FAIR_PRIVATE_H

#include "base/list.h"
#include "base/map.h"
#include "core/job.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	PROMPT_TOKEN_COST = 1,
	OUTPUT_TOKEN_COST = 4,
	COMMON_COST = 1500,   /* of a job like many */
	IDLE_ACCOUNTS = 1024, /* remembered at most */
	KEY_PARTS = 2520,     /* of virtual time for a cost of 1, at weight 1 */
};

struct account {
	char *key; /* owned */
	int64_t time;
	int jobs;          /* that wait or run */
	int waiting;       /* of them */
	int64_t in_flight; /* charged for those that run, as virtual time */
	struct list flows; /* of struct flow, by account_link */
	struct list link;  /* in fair.active while it has jobs, else in fair.idle */
};

struct fair {
	struct map accounts; /* of struct account, by key */
	struct list active;  /* of struct account, owned, by link */
	struct list idle;    /* of struct account, owned, by link; the last is the latest */
	int idle_count;
	int64_t key_floor; /* where who comes first begins, when nobody is there */
	int64_t class_floor;
	int64_t class_time[CLASSES];
};

void fair_init(struct fair *f);
/* No account may have a job. */
void fair_finish(struct fair *f);
/* Gives the job its key's account. */
void fair_join(struct fair *f, struct job *j);
void fair_leave(struct fair *f, struct job *j);
/* The first of a class begins to wait, the last one stops. `waiting_in` is without it. */
void fair_wake_class(struct fair *f, enum job_class class, const int *waiting_in);
void fair_rest_class(struct fair *f, enum job_class class);
/* What tokens cost. */
int64_t fair_cost(int64_t prompt, int64_t output);
/* A cost in the virtual time of the job's key, and the other way round. */
int64_t fair_key_time(const struct job *j, int64_t cost);
int64_t fair_key_cost(const struct job *j, int64_t time);
/* It starts to run and is charged so much, at most once however often it is tried. */
void fair_start(struct fair *f, struct job *j, int64_t cost);
/* While it runs: so much it is in all. */
void fair_correct(struct fair *f, struct job *j, int64_t cost);
void fair_stop(struct job *j);

extern const int fair_class_steps[CLASSES];

/* A class is ranked by where one more common job would bring it: of classes that come together
 * the higher gets in as many as its weight before the lower gets one. */
static inline int64_t
fair_class_turn(const struct fair *f, enum job_class class)
{
	return f->class_time[class] + (int64_t)COMMON_COST * fair_class_steps[class];
}

#endif
