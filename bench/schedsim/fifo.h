/*
 * One queue in order of arrival, whose head waits until a node will do. Policies differ in
 * which node that is.
 */
#ifndef SCHEDSIM_FIFO_H
#define SCHEDSIM_FIFO_H

#include "world.h"

struct fifo {
	struct world *world;
	struct list queue; /* of struct request, by link */
	/* NULL: the head waits. */
	struct node *(*choose)(struct world *w, const struct request *r);
};

struct fifo *fifo_create(struct world *w,
                         struct node *(*choose)(struct world *, const struct request *));
void fifo_arrive(void *state, struct request *r);
void fifo_overdue(void *state, struct request *r);
void fifo_freed(void *state, struct request *r);

/* Requests that such a gateway gives a node at once: as many as it has slots. */
int fifo_room(const struct node *n);
/* Of two with room, by (requests + 1) / weight. */
bool fifo_is_better(const struct node *a, const struct node *b);

#endif
