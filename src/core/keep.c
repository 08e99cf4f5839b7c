/* Keeping nodes for lanes that waited too long. */
#include "keep.h"

#include "node.h"

static uint64_t
age_of(const struct lane *l)
{
	return lane_oldest(l)->sequence;
}

void
keep_drop(struct lane *l)
{
	if (l->keeps == NULL)
		return;
	l->keeps->kept_for = NULL;
	l->keeps = NULL;
}

static void
keep(struct lane *l, struct backend *b)
{
	if (b->kept_for != NULL)
		keep_drop(b->kept_for);
	b->kept_for = l;
	l->keeps = b;
}

/* Whether nothing but other variants in flight stands in the way. Where the node has this one in
 * flight, or room for it, a slot that is given back is enough. */
static bool
must_run_dry(const struct backend *b, const struct variant *v)
{
	return v->places[b->index].busy == 0 &&
	       (b->busy_variants >= b->max_loaded || place_has_busy_rival(b, v));
}

/* The node to keep: its own as long as it will do, else the least busy one that is not kept
 * for somebody older. NULL: none, or none is needed, since a slot somewhere is enough. */
static struct backend *
choose(const struct lane *l, const struct survey *y)
{
	struct backend *best = NULL;

	for (size_t i = 0; i < y->usable_count; i++) {
		struct backend *b = y->usable[i];

		if (!place_serves(b, &l->need) || place_is_avoided(y, b, &l->need))
			continue;
		if (!must_run_dry(b, l->need.variant))
			return NULL;
		if (b->kept_for != NULL && age_of(b->kept_for) < age_of(l))
			continue;
		if (best == NULL || b == l->keeps || (best != l->keeps && b->busy < best->busy))
			best = b;
	}
	return best;
}

void
keep_review(const struct queue *q, const struct survey *y, int64_t now_ms)
{
	struct lane *l;

	LIST_FOR_EACH (l, &q->lanes, struct lane, waiting_link) {
		struct backend *b = NULL;

		if (!l->need.slotless && job_is_aged(q, lane_oldest(l), now_ms))
			b = choose(l, y);
		if (b == l->keeps)
			continue;
		keep_drop(l);
		if (b != NULL)
			keep(l, b);
	}
}
