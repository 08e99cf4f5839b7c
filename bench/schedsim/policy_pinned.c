/*
 * Each model belongs to some nodes for ever, each node has a queue of its own and is given
 * as much as it has slots. Which pinning is best is for the caller to search.
 */
#include "base/mem.h"
#include "fifo.h"
#include "policy.h"

#include <assert.h>
#include <stdlib.h>

struct pinned {
	struct world *world;
	struct list queues[MOST_NODES]; /* of struct request, by link */
	int waiting[MOST_NODES];
};

static void *
create(struct world *w)
{
	struct pinned *p = NEW(struct pinned);

	p->world = w;
	for (int i = 0; i < MOST_NODES; i++)
		list_init(&p->queues[i]);
	return p;
}

static void
go(struct pinned *p, struct node *n)
{
	struct list *queue = &p->queues[n->index];

	while (fifo_room(n) > 0 && !list_empty(queue)) {
		struct request *r = LIST_FIRST(queue, struct request, link);

		list_remove(&r->link);
		p->waiting[n->index]--;
		node_submit(n, r);
	}
}

static bool
is_shorter(const struct pinned *p, const struct node *a, const struct node *b)
{
	return (a->inflight + p->waiting[a->index]) * b->spec->weight <
	       (b->inflight + p->waiting[b->index]) * a->spec->weight;
}

static void
arrive(void *state, struct request *r)
{
	struct pinned *p = state;
	struct node *best = NULL;

	for (size_t i = 0; i < p->world->node_count; i++) {
		struct node *n = &p->world->nodes[i];

		if ((p->world->conf.pins[r->model] >> i & 1) == 0)
			continue;
		if (best == NULL || is_shorter(p, n, best))
			best = n;
	}
	assert(best != NULL);
	r->node = best;
	list_add_last(&p->queues[best->index], &r->link);
	p->waiting[best->index]++;
	go(p, best);
}

static void
overdue(void *state, struct request *r)
{
	struct pinned *p = state;

	list_remove(&r->link);
	p->waiting[r->node->index]--;
	world_give_up(p->world, r);
}

static void
freed(void *state, struct request *r)
{
	go(state, r->node);
}

const struct policy policy_pinned = {
    .create = create, .destroy = free, .arrive = arrive, .overdue = overdue, .freed = freed};
