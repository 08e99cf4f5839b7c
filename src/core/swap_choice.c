/*
 * Choosing swaps. A look surveys where every lane stands and what every node holds, then weighs
 * each wish against what would have to go. Nothing here is kept but the scratch in lanes, residents
 * and nodes, which the next look overwrites.
 */
#include "swap_choice.h"

#include "eta.h"
#include "node.h"
#include "swap_cost.h"

#include <assert.h>
#include <math.h>

struct candidate {
	struct option option;
	double urgency;
	bool reserves;
};

/* The wishes are gone through once, twice where a node is reserved. */
struct look {
	struct fleet *fleet;
	const struct queue *queue;
	const struct survey *survey;
	int64_t now_ms;
	int64_t next_ms;                /* when something may be due that is not */
	const struct backend *reserved; /* left to the most urgent wish; NULL: none is */
	bool has_idle_place;            /* without one there are no copies */
	struct candidate first;         /* the most urgent wish, */
	struct candidate due;           /* and of those that are due, copies too */
};

static void
not_before(struct look *k, double at_ms)
{
	if (at_ms > (double)k->now_ms && at_ms < (double)k->next_ms)
		k->next_ms = (int64_t)ceil(at_ms);
}

/* --- lanes and nodes --- */

static bool
may_use(const struct look *k, const struct lane *l, const struct backend *b)
{
	return place_serves(b, &l->need) && !place_is_avoided(k->survey, b, &l->need);
}

/* What one node that holds a variant, or loads it, is to a lane that waits for it. */
static void
see_node(const struct look *k, struct lane *l, const struct backend *b)
{
	const struct variant *v = l->need.variant;

	if (l->need.slotless || !may_use(k, l, b))
		return;
	if (b->swap.in == v)
		l->coming += b->parallel;
	else if (!place_is_held(b, v))
		return;
	else if (v->places[b->index].busy < b->parallel && b->busy < b->slots)
		l->standing = HAS_SLOTS;
	else if (l->standing == NOWHERE)
		l->standing = FULL;
}

static void
see_lanes_of(const struct look *k, const struct variant *v, const struct backend *b)
{
	struct lane *l;

	LIST_FOR_EACH (l, &v->lanes, struct lane, variant_link)
		see_node(k, l, b);
}

/* Where everybody stands: from the nodes, each of which holds but a few. False: nobody wishes
 * anything. */
static bool
survey_lanes(const struct look *k)
{
	bool wished = false;
	struct lane *l;

	LIST_FOR_EACH (l, &k->queue->lanes, struct lane, waiting_link) {
		l->standing = NOWHERE;
		l->coming = 0;
	}
	for (size_t i = 0; i < k->survey->usable_count; i++) {
		const struct backend *b = k->survey->usable[i];

		for (int n = 0; n < b->resident; n++)
			if (b->residents[n].variant != b->swap.in)
				see_lanes_of(k, b->residents[n].variant, b);
		if (b->swap.in != NULL)
			see_lanes_of(k, b->swap.in, b);
	}
	LIST_FOR_EACH (l, &k->queue->lanes, struct lane, waiting_link) {
		if (l->coming > 0)
			l->standing = l->waiting <= l->coming ? COMES : COMES_SHORT;
		wished |= l->standing != COMES && l->standing != HAS_SLOTS && !l->need.slotless;
	}
	return wished;
}

/* Whether the lane's variant may be loaded on the node now, or when. */
static bool
may_load(struct look *k, const struct lane *l, const struct backend *b)
{
	const struct place *p = &l->need.variant->places[b->index];

	if (p->residency != ABSENT || b->swap.step != SWAP_NONE || b == k->reserved ||
	    !may_use(k, l, b))
		return false;
	if (k->now_ms < p->quarantine_end_ms) {
		not_before(k, (double)p->quarantine_end_ms);
		return false;
	}
	if (backend_is_usable(b, k->now_ms))
		return true;
	not_before(k, (double)backend_back_at_ms(b, k->now_ms));
	return false;
}

/* --- what would go --- */

static bool
is_held_elsewhere(const struct look *k, const struct variant *v, const struct backend *but)
{
	if (v->held < 2)
		return false;
	for (size_t i = 0; i < k->fleet->count; i++)
		if (k->fleet->backends[i] != but && place_is_held(k->fleet->backends[i], v))
			return true;
	return false;
}

/* Whether the lane could run elsewhere too. */
static bool
depends_on(const struct look *k, const struct lane *l, const struct backend *b)
{
	for (size_t i = 0; i < k->fleet->count; i++) {
		const struct backend *other = k->fleet->backends[i];

		if (other != b && place_is_held(other, l->need.variant) && may_use(k, l, other))
			return false;
	}
	return may_use(k, l, b);
}

static void
survey_resident(const struct look *k, const struct backend *b, struct resident *r)
{
	const struct lane *l;

	r->load_ms = (double)estimate_load_ms(&r->variant->places[b->index].speed);
	r->arrivals = swap_arrival_rate(r->variant, k->now_ms);
	r->copied = is_held_elsewhere(k, r->variant, b);
	r->waiting = 0;
	LIST_FOR_EACH (l, &r->variant->lanes, struct lane, variant_link)
		if (!r->copied || depends_on(k, l, b))
			r->waiting += (double)l->wait_weight;
}

static bool
is_idle(const struct resident *r, const struct backend *b)
{
	return r->variant->places[b->index].busy == 0 && r->waiting == 0;
}

/* What is loaded, and what that is worth: once a look, if anybody wishes anything. */
static void
survey_residents(struct look *k)
{
	for (size_t i = 0; i < k->fleet->count; i++) {
		struct backend *b = k->fleet->backends[i];

		b->wished = false;
		k->has_idle_place |= b->resident < b->max_loaded;
		for (int n = 0; n < b->resident; n++) {
			survey_resident(k, b, &b->residents[n]);
			k->has_idle_place |= is_idle(&b->residents[n], b);
		}
	}
}

/* --- wishes --- */

static int64_t
age_of(const struct lane *l, int64_t now_ms)
{
	int64_t age = 0;
	const struct flow *f;

	for (int c = 0; c < CLASSES; c++)
		LIST_FOR_EACH (f, &l->flows[c], struct flow, lane_link) {
			const struct job *first = LIST_FIRST(&f->jobs, struct job, queue_link);
			int64_t its;

			assert(first != NULL); /* without jobs it would be in no lane */
			its = (now_ms - first->queued_at_ms) * queue_weight((enum job_class)c) / 3;

			age = its > age ? its : age;
		}
	return age;
}

static void
add_to_wish(const struct look *k, struct wish *w, const struct lane *l)
{
	w->weight += (double)l->wait_weight;
	w->waited += (double)(l->wait_weight * k->now_ms - l->wait_since);
}

/* A lane's, and that of others who would be served by the same load. */
static struct wish
wish_of(const struct look *k, const struct lane *l, enum standing s)
{
	struct wish w = {
	    .variant = l->need.variant,
	    .age_ms = age_of(l, k->now_ms),
	    .starving = job_is_starving(k->queue, lane_oldest(l), k->now_ms),
	};
	const struct lane *other;

	add_to_wish(k, &w, l);
	LIST_FOR_EACH (other, &w.variant->lanes, struct lane, variant_link)
		if (other != l && (other->need.only == NULL || other->need.only == l->need.only) &&
		    other->standing == s)
			add_to_wish(k, &w, other);
	w.by_weight = 1 / w.weight;
	return w;
}

static void
keep_better(struct option *best, struct option o)
{
	if (best->choice.backend == NULL || o.rank < best->rank)
		*best = o;
}

/* Two variants of one model are never on one node: the other one goes. */
static bool
may_go(struct look *k, const struct resident *r, const struct backend *b,
       const struct variant *rival)
{
	const struct place *p = &r->variant->places[b->index];

	if (p->residency != LOADED || (rival != NULL && rival != r->variant))
		return false;
	/* It stayed when it was told to go. */
	not_before(k, (double)p->quarantine_end_ms);
	return k->now_ms >= p->quarantine_end_ms;
}

/* The best node for a lane whose variant it finds nowhere: one with a free place, the fastest; else
 * where the swap costs least. */
static struct option
best_swap(struct look *k, const struct lane *l, const struct wish *w)
{
	struct option best = {0};

	for (size_t i = 0; i < k->fleet->count; i++) {
		struct backend *b = k->fleet->backends[i];
		const struct variant *rival;

		if (!may_load(k, l, b))
			continue;
		rival = variant_find_rival(w->variant, b);
		if (rival == NULL && b->resident < b->max_loaded) {
			keep_better(&best, swap_weigh_free(w, b, k->now_ms));
			continue;
		}
		for (int n = 0; n < b->resident; n++)
			if (may_go(k, &b->residents[n], b, rival))
				keep_better(&best, swap_weigh(w, b, &b->residents[n], k->now_ms));
	}
	return best;
}

/* How long the copies that there are take for what waits. */
static int64_t
backlog_ms(const struct fleet *f, const struct variant *v)
{
	int64_t cost = 0, rate_x16 = 0;
	struct lane *l;
	struct job *j;

	LIST_FOR_EACH (l, &v->lanes, struct lane, variant_link)
		LIST_FOR_EACH (j, &l->by_age, struct job, lane_link)
			cost += eta_cost(j);
	for (size_t i = 0; i < f->count; i++)
		if (v->places[i].residency == LOADED)
			rate_x16 +=
			    estimate_rate_x16(&v->estimate, &v->places[i].speed) * f->backends[i]->parallel;
	return rate_x16 > 0 ? cost * 1000 * ESTIMATE_UNITS / rate_x16 : 0;
}

/* A free place, or that of an idle variant, which is taken only by who has long enough to do
 * there. */
static struct option
best_copy(struct look *k, const struct lane *l, const struct wish *w)
{
	int64_t backlog = backlog_ms(k->fleet, w->variant);
	struct option best = {0};

	for (size_t i = 0; i < k->fleet->count; i++) {
		struct backend *b = k->fleet->backends[i];
		const struct variant *rival;

		if (b->wished || !may_load(k, l, b))
			continue;
		rival = variant_find_rival(w->variant, b);
		if (rival == NULL && b->resident < b->max_loaded) {
			keep_better(&best, swap_weigh_copy(w, b, NULL, k->now_ms));
			continue;
		}
		if (l->standing != FULL || 2 * backlog < estimate_load_ms(&w->variant->places[i].speed))
			continue;
		for (int n = 0; n < b->resident; n++) {
			const struct resident *r = &b->residents[n];

			if (may_go(k, r, b, rival) && is_idle(r, b))
				keep_better(&best, swap_weigh_copy(w, b, r, k->now_ms));
		}
	}
	return best;
}

/* --- the choice --- */

static int64_t
longest_load_ms(const struct look *k, const struct variant *v)
{
	int64_t load = 0;

	for (size_t i = 0; i < k->fleet->count; i++) {
		int64_t its = estimate_load_ms(&v->places[i].speed);

		if (v->places[i].listed && its > load)
			load = its;
	}
	return load;
}

/* The higher goes first; who starves, by age alone. */
static double
urgency_of(const struct look *k, const struct wish *w, const struct lane *l)
{
	if (w->starving)
		return 1e12 + (double)(k->now_ms - lane_oldest(l)->queued_at_ms);
	return swap_urgency(w, longest_load_ms(k, w->variant));
}

static void
take_more_urgent(struct candidate *best, struct candidate c)
{
	if (best->option.choice.backend == NULL || c.urgency > best->urgency)
		*best = c;
}

/* Weighs what the lanes of one standing wish for. */
static void
go_through(struct look *k, enum standing s)
{
	struct lane *l;

	LIST_FOR_EACH (l, &k->queue->lanes, struct lane, waiting_link) {
		struct candidate c;
		struct wish w;

		if (l->need.slotless || l->standing != s)
			continue;
		w = wish_of(k, l, s);
		c.option = s == NOWHERE ? best_swap(k, l, &w) : best_copy(k, l, &w);
		if (c.option.choice.backend == NULL)
			continue;
		c.urgency = urgency_of(k, &w, l);
		c.reserves = s == NOWHERE && swap_reserves(&w, &c.option);
		not_before(k, c.option.when_ms);
		if (s == NOWHERE) {
			c.option.choice.backend->wished = true;
			take_more_urgent(&k->first, c);
		}
		if (c.option.when_ms <= (double)k->now_ms)
			take_more_urgent(&k->due, c);
	}
}

/* Whether what is due would take the node that is left to the most urgent wish. */
static bool
is_in_the_way(const struct look *k)
{
	const struct option *first = &k->first.option;

	return k->first.reserves && first->when_ms > (double)k->now_ms &&
	       k->due.option.choice.backend == first->choice.backend;
}

bool
swap_choose(struct fleet *f, const struct queue *q, const struct survey *y, struct choice *out,
            int64_t *next_ms)
{
	struct look k = {
	    .fleet = f, .queue = q, .survey = y, .now_ms = y->now_ms, .next_ms = INT64_MAX};

	if (survey_lanes(&k)) {
		survey_residents(&k);
		go_through(&k, NOWHERE);
		if (is_in_the_way(&k)) {
			k.reserved = k.first.option.choice.backend;
			k.due = (struct candidate){0};
			go_through(&k, NOWHERE);
		}
		if (k.due.option.choice.backend == NULL && k.has_idle_place) {
			go_through(&k, FULL);
			go_through(&k, COMES_SHORT);
		}
	}
	*next_ms = k.next_ms;
	*out = k.due.option.choice;
	return out->backend != NULL;
}
