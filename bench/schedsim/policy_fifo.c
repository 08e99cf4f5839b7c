/*
 * Strict order of arrival by a gateway that sees what is loaded: the head goes where its
 * model is, else to a node with nothing to do, and all others wait behind it.
 */
#include "fifo.h"
#include "policy.h"

#include <stdlib.h>

static struct node *
choose(struct world *w, const struct request *r)
{
	struct node *best = NULL;
	bool held = false;

	for (size_t i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];
		bool holds = node_expects(n, r->model);

		if (holds ? fifo_room(n) <= 0 : n->inflight > 0)
			continue;
		if (best == NULL || holds > held || (holds == held && fifo_is_better(n, best))) {
			best = n;
			held = holds;
		}
	}
	return best;
}

static void *
create(struct world *w)
{
	return fifo_create(w, choose);
}

const struct policy policy_fifo = {.create = create,
                                   .destroy = free,
                                   .arrive = fifo_arrive,
                                   .overdue = fifo_overdue,
                                   .freed = fifo_freed};
