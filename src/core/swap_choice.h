/*
 * Which swap is worth making. Lanes, not variants, have wishes: a lane whose variant is loaded
 * only where the lane may not run waits like one whose variant is loaded nowhere. A lane all of
 * whose nodes are full, or will be, may get one more copy, where no wish would be granted instead.
 *
 * The most urgent goes first; of those that starve (queue.h) the oldest. While its swap is not
 * due, since what is loaded has its quantum, the node of its choice is left to it: so nobody waits
 * longer than for one quantum and one swap after all that starved before.
 */
#ifndef CORE_SWAP_CHOICE_PRIVATE_H
#define CORE_SWAP_CHOICE_PRIVATE_H

#include "fleet.h"
#include "place.h"
#include "queue.h"

#include <stdbool.h>
#include <stdint.h>

struct choice {
	struct backend *backend; /* NULL: none */
	struct variant *in;
	struct variant *out; /* NULL: there is a free place */
};

/* The next swap that is due. False: none is, before `*next_ms`. O(lanes × nodes + wishes × what is
 * loaded). */
bool swap_choose(struct fleet *f, const struct queue *q, const struct survey *y, struct choice *out,
                 int64_t *next_ms);
/* A job for the variant came: how often they do. */
void swap_saw_arrival(struct variant *v, int weight, int64_t now_ms);
/* The one takes the other's arrivals, those that were too. */
void swap_move_arrivals(struct variant *from, struct variant *to, int64_t now_ms);

#endif
