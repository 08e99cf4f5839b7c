/*
 * What a swap costs and when it pays. Rent or buy: it costs the variant that goes
 * C = θ(½·λ·H² + waiting·H), where H is the time of loading the one and the other again; it is
 * due once those that wait for it have waited as much, or have starved.
 */
#ifndef CORE_SWAP_COST_PRIVATE_H
#define CORE_SWAP_COST_PRIVATE_H

#include "node.h"
#include "swap_choice.h"

#include <stdbool.h>
#include <stdint.h>

/* Of a lane that waits for its variant. */
struct wish {
	struct variant *variant;
	double weight; /* of the jobs that wait */
	double by_weight;
	double waited;  /* by them, weight times milliseconds */
	int64_t age_ms; /* of the oldest; low ones age a third as fast */
	bool starving;
};

/* One way to grant a wish. */
struct option {
	struct choice choice;
	double rank; /* the least is best */
	double when_ms;
};

/* Weight of arrivals, a millisecond. */
double swap_arrival_rate(const struct variant *v, int64_t now_ms);
/* How urgent it is: the age, for the time that the load takes. */
double swap_urgency(const struct wish *w, int64_t load_ms);
/* Into a free place, at once. */
struct option swap_weigh_free(const struct wish *w, struct backend *b, int64_t now_ms);
/* In the place of another. */
struct option swap_weigh(const struct wish *w, struct backend *b, const struct resident *out,
                         int64_t now_ms);
/* One more copy, in the place of an idle variant or of none (NULL). */
struct option swap_weigh_copy(const struct wish *w, struct backend *b, const struct resident *out,
                              int64_t now_ms);
/* Whether the wish has waited so long that the node of its choice is left to it. */
bool swap_reserves(const struct wish *w, const struct option *o);

#endif
