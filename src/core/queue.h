/*
 * What waits. Jobs that may run on the same nodes wait in one lane, by class and within a
 * class by arrival: so a lane that cannot start is passed over as a whole, and only the
 * first of a lane is ever looked at.
 *
 * Order over all lanes: who waits longer than the aging bound, oldest first; then class;
 * then arrival. Removing a job is O(1); adding is too, but for one that is tried again.
 */
#ifndef CORE_QUEUE_PRIVATE_H
#define CORE_QUEUE_PRIVATE_H

#include "core/job.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a job may run; equal within a lane. */
struct need {
	struct variant *variant;
	struct backend *only;
	struct backend *avoid;
	bool slotless;
};

struct lane {
	struct need need;
	struct list jobs[CLASSES]; /* of struct job, by queue_link */
	struct list waiting_link;  /* in queue.lanes */
	struct list variant_link;  /* in variant.lanes */
	struct backend *keeps;     /* the node kept for it; NULL: none (keep.h) */
};

struct queue {
	int64_t aging_ms;   /* 0: nobody goes before a higher class */
	struct list lanes;  /* of struct lane, owned, by waiting_link; none is empty */
	struct list by_age; /* of struct job, by age_link; by arrival */
	int waiting;
	int waiting_in[CLASSES];
	int64_t next_deadline_ms; /* no deadline in the queue is earlier */
};

/* Whose turn it is: the lower goes first, by band, then by sequence. */
struct turn {
	int band; /* 0: waits longer than the aging bound; else class + 1 */
	uint64_t sequence;
};

void queue_init(struct queue *q, int64_t aging_ms);
struct need need_of(const struct job *j);
void queue_add(struct queue *q, struct job *j);
/* A lane that empties goes: it must keep no node then. */
void queue_remove(struct queue *q, struct job *j);

static inline bool
job_is_aged(const struct queue *q, const struct job *j, int64_t now_ms)
{
	return q->aging_ms > 0 && now_ms - j->queued_at_ms >= q->aging_ms;
}

static inline struct turn
turn_of(const struct queue *q, const struct job *j, int64_t now_ms)
{
	return (struct turn){
	    .band = job_is_aged(q, j, now_ms) ? 0 : (int)j->class + 1,
	    .sequence = j->sequence,
	};
}

static inline bool
turn_is_before(struct turn a, struct turn b)
{
	return a.band != b.band ? a.band < b.band : a.sequence < b.sequence;
}

/* The lane's job whose turn is first. */
struct job *lane_first(const struct queue *q, const struct lane *l, int64_t now_ms);
/* The lane's longest waiting job, whatever its class. */
struct job *lane_oldest(const struct lane *l);
/* Whether anybody at all waits longer than the aging bound. */
bool queue_has_aged(const struct queue *q, int64_t now_ms);
/* NULL: none waits. */
struct job *queue_oldest(const struct queue *q);
/* A job whose deadline has come, or NULL. */
struct job *queue_find_overdue(struct queue *q, int64_t now_ms);

#endif
