/* Weighted round robin, smooth as nginx does it: the node that is furthest behind its share. */
#include "wrr.h"

#include "base/mem.h"
#include "policy.h"

#include <stdlib.h>

void
wrr_init(struct wrr *t, struct world *w)
{
	*t = (struct wrr){.world = w};
}

struct node *
wrr_next(struct wrr *t)
{
	int total = 0;
	size_t best = 0;

	for (size_t i = 0; i < t->world->node_count; i++) {
		t->credit[i] += t->world->nodes[i].spec->weight;
		total += t->world->nodes[i].spec->weight;
		if (t->credit[i] > t->credit[best])
			best = i;
	}
	t->credit[best] -= total;
	return &t->world->nodes[best];
}

static void *
create(struct world *w)
{
	struct wrr *t = NEW(struct wrr);

	wrr_init(t, w);
	return t;
}

static void
arrive(void *state, struct request *r)
{
	node_submit(wrr_next(state), r);
}

/* Nothing waits here. */
static void
overdue(void *state, struct request *r)
{
	abort();
}

static void
freed(void *state, struct request *r)
{
}

const struct policy policy_wrr = {
    .create = create, .destroy = free, .arrive = arrive, .overdue = overdue, .freed = freed};
