/*
 * What waits. Jobs that may run on the same nodes wait in one lane: a lane that cannot start
 * is passed over as a whole. Within a lane the jobs of one class and key are a flow, by
 * arrival: only the first of a flow is ever looked at.
 *
 * Order over all lanes: the class in turn, then the key that was served least (fair.h), then
 * arrival. Who waits longer than the aging bound is lifted into the class in turn, where keys
 * share still: in a queue that is too long for everybody, first come first served would be the
 * noisiest key's turn. Who waits STARVING_TIMES as long goes before all, oldest first: however
 * keys come and go, nobody waits for ever.
 *
 * Removing a job is O(1); adding is O(flows of its key), but for one that is tried again.
 */
#ifndef CORE_QUEUE_PRIVATE_H
#define CORE_QUEUE_PRIVATE_H

#include "core/job.h"
#include "fair.h"

#include <stdbool.h>
#include <stdint.h>

enum { STARVING_TIMES = 4 }; /* the aging bound */

/* Where a job may run; equal within a lane. */
struct need {
	struct variant *variant;
	struct backend *only;
	struct backend *avoid;
	bool slotless;
};

/* Where a lane stands: its variant is nowhere, on its way, on its way to fewer slots than jobs wait
 * for, loaded with slots left, or full. */
enum standing { NOWHERE, COMES, COMES_SHORT, HAS_SLOTS, FULL };

struct lane {
	struct need need;
	struct list flows[CLASSES]; /* of struct flow, owned, by lane_link; none is empty */
	struct list by_age;         /* of struct job, by lane_link; by arrival */
	struct list waiting_link;   /* in queue.lanes */
	struct list variant_link;   /* in variant.lanes */
	struct backend *keeps;      /* the node kept for it; NULL: none (keep.h) */
	int waiting;
	int64_t wait_weight; /* its part of the variant's */
	int64_t wait_since;
	enum standing standing; /* when swaps were weighed last (swap_choice.h), */
	int coming;             /* and the slots that were on their way */
};

struct flow {
	struct lane *lane;
	struct account *account;
	enum job_class class;
	struct list jobs;         /* of struct job, by queue_link; by arrival */
	struct list lane_link;    /* in lane.flows */
	struct list account_link; /* in account.flows */
};

struct queue {
	int64_t aging_ms;   /* 0: nobody goes before a higher class */
	struct list lanes;  /* of struct lane, owned, by waiting_link; none is empty */
	struct list by_age; /* of struct job, by age_link; by arrival */
	struct fair fair;
	int waiting;
	int waiting_in[CLASSES];
	int64_t next_deadline_ms; /* no deadline in the queue is earlier */
};

/* Whose turn it is: the lower goes first, member by member. */
struct turn {
	int64_t class_turn; /* INT64_MIN: of the class in turn, or aged */
	int class;
	int64_t key_time; /* INT64_MIN: starving */
	uint64_t sequence;
};

void queue_init(struct queue *q, int64_t aging_ms);
void queue_finish(struct queue *q);
struct need need_of(const struct job *j);
/* A class's share in what its variant has waited. */
int queue_weight(enum job_class class);
/* It must have its account. */
void queue_add(struct queue *q, struct job *j);
/* A lane that empties goes: it must keep no node then. */
void queue_remove(struct queue *q, struct job *j);

static inline bool
job_is_aged(const struct queue *q, const struct job *j, int64_t now_ms)
{
	return q->aging_ms > 0 && now_ms - j->queued_at_ms >= q->aging_ms;
}

static inline bool
job_is_starving(const struct queue *q, const struct job *j, int64_t now_ms)
{
	return q->aging_ms > 0 && now_ms - j->queued_at_ms >= STARVING_TIMES * q->aging_ms;
}

/* Of a waiting job. */
struct turn turn_of(const struct queue *q, const struct job *j, int64_t now_ms);

static inline bool
turn_is_before(struct turn a, struct turn b)
{
	if (a.class_turn != b.class_turn)
		return a.class_turn < b.class_turn;
	if (a.class != b.class)
		return a.class < b.class;
	return a.key_time != b.key_time ? a.key_time < b.key_time : a.sequence < b.sequence;
}

/* The lane's job whose turn is first. */
struct job *lane_first(const struct queue *q, const struct lane *l, int64_t now_ms);
/* The lane's longest waiting job, whatever its class. */
static inline struct job *
lane_oldest(const struct lane *l)
{
	return LIST_FIRST(&l->by_age, struct job, lane_link);
}

/* Whether anybody at all waits longer than the aging bound. */
bool queue_has_aged(const struct queue *q, int64_t now_ms);
/* NULL: none waits. */
struct job *queue_oldest(const struct queue *q);
/* Who gives way to a newcomer, whose account is known: the newest of the lowest class that is
 * none higher than its own, of the key that holds most. NULL: nobody does. O(flows). */
struct job *queue_find_displaced(const struct queue *q, const struct job *newcomer);
/* A job whose deadline has come, or NULL. */
struct job *queue_find_overdue(struct queue *q, int64_t now_ms);

#endif
