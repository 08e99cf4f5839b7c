/* Placement: the node for a job, by what is known now. */
#include "place.h"

#include "base/mem.h"
#include "eta.h"
#include "keep.h"

#include <stdlib.h>

void
survey_finish(struct survey *y)
{
	free(y->usable);
	free(y->open);
	*y = (struct survey){0};
}

void
survey_resize(struct survey *y, size_t backends)
{
	y->usable = mem_realloc(y->usable, backends * sizeof(*y->usable));
	y->open = mem_realloc(y->open, backends * sizeof(*y->open));
}

/* By orders a node takes what it holds: few variants, where there may be many that wait. */
static void
mark_open(const struct survey *y, const struct backend *b)
{
	for (int n = 0; n < b->resident; n++) {
		struct variant *v = b->residents[n].variant;

		if (v->places[b->index].busy < b->parallel)
			v->open_in = y->number;
	}
}

void
survey_take(struct survey *y, const struct fleet *f, int64_t now_ms)
{
	y->usable_count = 0;
	y->open_count = 0;
	y->now_ms = now_ms;
	y->by_orders = f->by_orders;
	for (size_t i = 0; i < f->count; i++) {
		struct backend *b = f->backends[i];

		if (!backend_is_usable(b, now_ms))
			continue;
		y->usable[y->usable_count++] = b;
		if (b->busy < b->slots)
			y->open[y->open_count++] = b;
	}
	y->number++;
	for (size_t i = 0; f->by_orders && i < y->open_count; i++)
		mark_open(y, y->open[i]);
}

bool
place_is_avoided(const struct survey *y, const struct backend *b, const struct need *need)
{
	if (b != need->avoid)
		return false;
	for (size_t i = 0; i < y->usable_count; i++) {
		const struct backend *other = y->usable[i];

		/* By orders nothing brings the variant to where it is not on its way. */
		if (other != b && place_serves(other, need) &&
		    (!other->fleet->by_orders || need->variant->places[other->index].residency != ABSENT))
			return true;
	}
	return false;
}

/* A candidate's rank: the highest worth, then the least loaded for its weight. */
struct rank {
	enum worth { EVICTS, HAS_PLACE, HOLDS, SERVED_LAST } worth;
	int64_t load; /* in flight, this one counted */
	int64_t weight;
};

static bool
is_better(struct rank a, struct rank b)
{
	if (a.worth != b.worth)
		return a.worth > b.worth;
	return a.load * b.weight < b.load * a.weight;
}

static enum worth
worth_of(const struct backend *b, const struct variant *v, const struct backend *last)
{
	const struct place *p = &v->places[b->index];

	if (p->residency != ABSENT)
		return b == last ? SERVED_LAST : HOLDS;
	return b->resident < b->max_loaded && variant_find_rival(v, b) == NULL ? HAS_PLACE : EVICTS;
}

static struct rank
rank_of(const struct backend *b, const struct need *need, const struct backend *last)
{
	if (need->slotless)
		return (struct rank){
		    .worth = need->variant->places[b->index].listed ? HOLDS : HAS_PLACE,
		    .load = b->remote + 1,
		    .weight = b->weight,
		};
	return (struct rank){
	    .worth = worth_of(b, need->variant, last),
	    .load = b->busy + 1,
	    .weight = b->weight,
	};
}

/* Whether a node that has a slot left at all can take the variant. One with nothing in flight
 * needs the node to have less than max_loaded variants in flight: Ollama then has an idle model
 * to evict; else it would wait for one, and everything behind it too. */
static bool
has_room(const struct backend *b, const struct variant *v)
{
	const struct place *p = &v->places[b->index];

	if (b->fleet->by_orders)
		return p->residency == LOADED && p->busy < b->parallel &&
		       (b->swap.out != v || (b->swap.step == SWAP_DRAINING && p->busy > 0));
	return p->busy < b->parallel && (p->busy > 0 || b->busy_variants < b->max_loaded) &&
	       !place_has_busy_rival(b, v);
}

/* The tests that fail most come first. */
static bool
is_open(const struct survey *y, const struct backend *b, const struct need *need)
{
	if (!need->slotless && (!has_room(b, need->variant) || backend_holds_breath(b)))
		return false;
	return place_serves(b, need) && !place_is_avoided(y, b, need);
}

/* A node that drains takes only what will be over before the longest of what runs there. */
static bool
fits_before_swap(const struct survey *y, const struct backend *b, const struct job *j)
{
	const struct place *p = &j->variant->places[b->index];

	return b->swap.out != j->variant ||
	       y->now_ms + estimate_service_ms(&j->variant->estimate, &p->speed, eta_cost(j)) <=
	           p->ends_at_ms;
}

static bool
can_start(const struct survey *y, const struct backend *b, const struct need *need,
          const struct job *j)
{
	if (!is_open(y, b, need))
		return false;
	return need->slotless || (!keep_forbids(b, j) && fits_before_swap(y, b, j));
}

bool
place_is_open(const struct survey *y, const struct need *need)
{
	struct backend *const *nodes = need->slotless ? y->usable : y->open;
	size_t count = need->slotless ? y->usable_count : y->open_count;

	if (y->by_orders && !need->slotless && need->variant->open_in != y->number)
		return false;
	for (size_t i = 0; i < count; i++)
		if (is_open(y, nodes[i], need))
			return true;
	return false;
}

struct backend *
place_find(const struct survey *y, const struct job *j, const struct backend *last)
{
	struct need need = need_of(j);
	struct backend *const *nodes = need.slotless ? y->usable : y->open;
	size_t count = need.slotless ? y->usable_count : y->open_count;
	struct rank best_rank = {0};
	struct backend *best = NULL;

	for (size_t i = 0; i < count; i++) {
		struct rank rank;

		if (!can_start(y, nodes[i], &need, j))
			continue;
		rank = rank_of(nodes[i], &need, last);
		if (best == NULL || is_better(rank, best_rank)) {
			best = nodes[i];
			best_rank = rank;
		}
	}
	return best;
}
