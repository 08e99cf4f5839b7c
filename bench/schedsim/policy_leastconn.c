/*
 * Least connections by weight, no queue: the node answers for everything, as nginx's
 * least_conn. With one node this is going straight to Ollama.
 */
#include "policy.h"
#include "wrr.h"

#include "base/mem.h"

#include <stdlib.h>

static void *
create(struct world *w)
{
	struct wrr *t = NEW(struct wrr);

	wrr_init(t, w);
	return t;
}

static bool
is_less_loaded(const struct node *a, const struct node *b)
{
	return a->inflight * b->spec->weight < b->inflight * a->spec->weight;
}

static void
arrive(void *state, struct request *r)
{
	struct wrr *t = state;
	struct node *nodes = t->world->nodes, *best = &nodes[0];
	int equal = 0;

	for (size_t i = 1; i < t->world->node_count; i++)
		if (is_less_loaded(&nodes[i], best))
			best = &nodes[i];
	for (size_t i = 0; i < t->world->node_count; i++)
		equal += !is_less_loaded(best, &nodes[i]);
	node_submit(equal > 1 ? wrr_next(t) : best, r);
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

const struct policy policy_leastconn = {
    .create = create, .destroy = free, .arrive = arrive, .overdue = overdue, .freed = freed};
