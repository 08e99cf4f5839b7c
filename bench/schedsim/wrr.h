/* Turns by weight; also what settles ties between equally loaded nodes. */
#ifndef SCHEDSIM_WRR_H
#define SCHEDSIM_WRR_H

#include "world.h"

struct wrr {
	struct world *world;
	int credit[MOST_NODES];
};

void wrr_init(struct wrr *t, struct world *w);
struct node *wrr_next(struct wrr *t);

#endif
