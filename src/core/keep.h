/*
 * Keeping a node for who waited too long: against starvation.
 *
 * A job past the aging bound whose nodes are all busy with other models would wait for
 * ever while younger jobs keep these models in flight. So one of the nodes is kept for its
 * lane: no lane of another variant whose oldest is younger starts there, its models run dry,
 * and the lane comes in. The choice is held on to, or several nodes would be half drained in
 * turn.
 *
 * A node is kept for one lane at most, a lane keeps one node at most. The oldest lane takes
 * a node from a younger one: so the oldest always comes to its turn, and by and by everyone.
 * Lanes are compared, not jobs: whose turn it is inside of one is the queue's (queue.h).
 */
#ifndef CORE_KEEP_PRIVATE_H
#define CORE_KEEP_PRIVATE_H

#include "place.h"
#include "queue.h"

#include <stdbool.h>
#include <stdint.h>

/* Before a decision: which lanes need a node kept, and which no longer. */
void keep_review(const struct queue *q, const struct survey *y, int64_t now_ms);
void keep_drop(struct lane *l);
/* Whether a job, which waits or is to, must leave the node to an older lane. */
static inline bool
keep_forbids(const struct backend *b, const struct job *j)
{
	const struct lane *l = b->kept_for;
	const struct job *oldest = j->lane != NULL ? lane_oldest(j->lane) : j;

	return l != NULL && l->need.variant != j->variant &&
	       oldest->sequence > lane_oldest(l)->sequence;
}

#endif
