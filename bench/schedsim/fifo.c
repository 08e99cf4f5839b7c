/* The queue that FIFO policies share. */
#include "fifo.h"

#include "base/mem.h"

struct fifo *
fifo_create(struct world *w, struct node *(*choose)(struct world *, const struct request *))
{
	struct fifo *q = NEW(struct fifo);

	q->world = w;
	q->choose = choose;
	list_init(&q->queue);
	return q;
}

static void
go(struct fifo *q)
{
	struct request *r;

	while ((r = LIST_FIRST(&q->queue, struct request, link)) != NULL) {
		struct node *n = q->choose(q->world, r);

		if (n == NULL)
			return;
		list_remove(&r->link);
		node_submit(n, r);
	}
}

void
fifo_arrive(void *state, struct request *r)
{
	struct fifo *q = state;

	list_add_last(&q->queue, &r->link);
	go(q);
}

void
fifo_overdue(void *state, struct request *r)
{
	struct fifo *q = state;

	list_remove(&r->link);
	world_give_up(q->world, r);
	go(q);
}

void
fifo_freed(void *state, struct request *r)
{
	go(state);
}

int
fifo_room(const struct node *n)
{
	return n->parallel * n->max_loaded - n->inflight;
}

bool
fifo_is_better(const struct node *a, const struct node *b)
{
	return (a->inflight + 1) * b->spec->weight < (b->inflight + 1) * a->spec->weight;
}
