/*
 * A way to send requests to nodes: a row of functions. A policy sees what a gateway of its
 * kind would see, no more.
 */
#ifndef SCHEDSIM_POLICY_H
#define SCHEDSIM_POLICY_H

#include "request.h"
#include "world.h"

struct policy {
	void *(*create)(struct world *w);
	void (*destroy)(void *state);
	void (*arrive)(void *state, struct request *r);
	/* Its deadline has passed while it was REQUEST_AT_GATEWAY: the policy forgets it, and calls
	 * world_give_up. */
	void (*overdue)(void *state, struct request *r);
	/* A request that was sent to a node has ended there; its state tells how. */
	void (*freed)(void *state, struct request *r);
	/* The order that the node was given is carried out. NULL: it gives none. */
	void (*ordered)(void *state, struct node *n);
};

extern const struct policy policy_wrr;
extern const struct policy policy_leastconn;
extern const struct policy policy_fifo;
extern const struct policy policy_haproxy;
extern const struct policy policy_pinned;
extern const struct policy policy_drover;

#endif
