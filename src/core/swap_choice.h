/*
 * Which swap is worth making. Rent or buy: a swap costs the variant that goes
 * C = θ(½·λ·H² + waiting·H), where H is the time of loading the one and the other again; it is
 * due once the one that waits has waited as much, or has starved. A waiting variant that is
 * loaded somewhere, where all is taken, may get one more copy.
 */
#ifndef CORE_SWAP_CHOICE_PRIVATE_H
#define CORE_SWAP_CHOICE_PRIVATE_H

#include "fleet.h"

#include <stdbool.h>
#include <stdint.h>

struct choice {
	struct backend *backend; /* NULL: none */
	struct variant *in;
	struct variant *out; /* NULL: there is a free place */
};

/* The next swap that is due. False: none is, before `*next_ms`. */
bool swap_choose(struct fleet *f, int64_t now_ms, struct choice *out, int64_t *next_ms);
/* A job for the variant came: how often they do. */
void swap_saw_arrival(struct variant *v, int weight, int64_t now_ms);
/* From now on they come for another variant. */
void swap_move_arrivals(struct variant *from, struct variant *to, int64_t now_ms);

#endif
