/* HAProxy with `maxconn` = slots and `balance leastconn`: one queue, which knows no models. */
#include "base/mem.h"
#include "fifo.h"
#include "policy.h"

#include <stdlib.h>

static struct node *
choose(struct world *w, const struct request *r)
{
	struct node *best = NULL;

	for (size_t i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];

		if (fifo_room(n) > 0 && (best == NULL || fifo_is_better(n, best)))
			best = n;
	}
	return best;
}

static void *
create(struct world *w)
{
	return fifo_create(w, choose);
}

const struct policy policy_haproxy = {.create = create,
                                      .destroy = free,
                                      .arrive = fifo_arrive,
                                      .overdue = fifo_overdue,
                                      .freed = fifo_freed};
