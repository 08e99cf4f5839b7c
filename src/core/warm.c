/*
 * Warming up. Each node gives an answer of its own; the best one counts, and where that is
 * to begin, the swap begins.
 */
#include "warm.h"

#include "node.h"
#include "sched_impl.h"
#include "swap.h"
#include "swap_choice.h"

#include <assert.h>
#include <stdlib.h>

enum { REST_MS = 5 * 60 * 1000 };

/* What one node says. */
struct offer {
	enum warm_answer answer;
	bool begin; /* WARM_LOADING, by this choice */
	struct choice choice;
};

/* When somebody last asked for it. What a node held when it was first seen, or came back, may have
 * been in use until then. */
static int64_t
last_use_ms(const struct variant *v, const struct backend *b)
{
	int64_t at = v->places[b->index].used_at_ms;

	at = v->recent_at_ms > at ? v->recent_at_ms : at;
	return b->up_since_ms > at ? b->up_since_ms : at;
}

bool
warm_may_replace(const struct variant *v, const struct backend *b, int64_t now_ms)
{
	const struct place *p = &v->places[b->index];

	return p->residency == LOADED && p->busy == 0 && v->wait_weight == 0 &&
	       now_ms >= p->quarantine_end_ms && now_ms - last_use_ms(v, b) >= REST_MS;
}

/* The one whose last use is longest ago; NULL: none may go. */
static struct variant *
find_replaceable(const struct backend *b, int64_t now_ms)
{
	struct variant *best = NULL;

	MAP_FOR_EACH (it, &b->fleet->variants) {
		struct variant *v = it.value;

		if (warm_may_replace(v, b, now_ms) &&
		    (best == NULL || last_use_ms(v, b) < last_use_ms(best, b)))
			best = v;
	}
	return best;
}

static bool
is_resident_anywhere(const struct fleet *f, const struct variant *v)
{
	for (size_t i = 0; i < f->count; i++)
		if (v->places[i].residency != ABSENT)
			return true;
	return false;
}

/* Somebody waits for a model that is loaded nowhere, and could be here. */
static bool
is_wanted_by_others(const struct backend *b, const struct variant *but)
{
	MAP_FOR_EACH (it, &b->fleet->variants) {
		const struct variant *v = it.value;

		if (v != but && v->wait_weight > 0 && v->places[b->index].listed &&
		    !is_resident_anywhere(b->fleet, v))
			return true;
	}
	return false;
}

static struct offer
begin_if_room(struct variant *v, struct backend *b, int64_t now_ms)
{
	struct offer o = {WARM_LOADING, true, {.backend = b, .in = v}};

	if (b->swap.step != SWAP_NONE || is_wanted_by_others(b, v))
		return (struct offer){.answer = WARM_LATER};
	if (b->resident < b->max_loaded)
		return o;
	o.choice.out = find_replaceable(b, now_ms);
	return o.choice.out != NULL ? o : (struct offer){.answer = WARM_NO_ROOM};
}

/* The variant of the model that the node holds; NULL: none. */
static const struct variant *
find_resident(const struct variant *v, const struct backend *b)
{
	return v->places[b->index].residency != ABSENT ? v : variant_find_rival(v, b);
}

static struct offer
ask_node(struct variant *v, struct backend *b, int64_t now_ms)
{
	const struct place *p = &v->places[b->index];
	const struct variant *held = find_resident(v, b);

	if (backend_state(b) != BACKEND_UP || !b->has_listed)
		return (struct offer){.answer = WARM_NO_BACKEND};
	if (!p->listed)
		return (struct offer){.answer = WARM_UNKNOWN_MODEL};
	if (held != NULL && held == b->swap.out)
		return (struct offer){.answer = WARM_LATER};
	if (held != NULL)
		return (struct offer){.answer = held->places[b->index].residency == LOADED ? WARM_LOADED
		                                                                           : WARM_LOADING};
	if (b->swap.in == v)
		return (struct offer){.answer = WARM_LOADING};
	if (!backend_is_usable(b, now_ms))
		return (struct offer){.answer = WARM_NO_BACKEND};
	if (now_ms < p->quarantine_end_ms)
		return (struct offer){.answer = WARM_FAILED};
	return begin_if_room(v, b, now_ms);
}

static int64_t
rate_of(const struct choice *c)
{
	return estimate_rate_x16(&c->in->estimate, &c->in->places[c->backend->index].speed);
}

/* Of two that could begin: where there is room, then the faster, then the emptier, then the one of
 * more weight. */
static bool
is_better_place(const struct choice *a, const struct choice *b)
{
	int free_a = a->backend->max_loaded - a->backend->resident;
	int free_b = b->backend->max_loaded - b->backend->resident;

	if ((a->out == NULL) != (b->out == NULL))
		return a->out == NULL;
	if (rate_of(a) != rate_of(b))
		return rate_of(a) > rate_of(b);
	return free_a != free_b ? free_a > free_b : a->backend->weight > b->backend->weight;
}

static bool
is_better(const struct offer *a, const struct offer *b)
{
	if (a->answer != b->answer)
		return a->answer < b->answer;
	if (a->begin != b->begin)
		return b->begin; /* what loads already is enough */
	return a->begin && is_better_place(&a->choice, &b->choice);
}

enum warm_answer
sched_warm(struct sched *s, const struct warm_wish *wish, int64_t now_ms, struct backend **where)
{
	struct fleet *f = &s->fleet;
	struct variant *v = variant_get_with(f, wish->model, &wish->options);
	struct offer best = {.answer = WARM_UNKNOWN_MODEL};

	assert(f->by_orders);
	s->now_ms = now_ms;
	*where = NULL;
	for (size_t i = 0; i < f->count; i++) {
		struct backend *b = f->backends[i];
		struct offer o;

		if (wish->only != NULL && wish->only != b)
			continue;
		o = ask_node(v, b, now_ms);
		if (*where == NULL || is_better(&o, &best)) {
			best = o;
			*where = b;
		}
	}
	if (best.begin)
		swap_begin(best.choice.backend, &best.choice, true, now_ms);
	variant_drop_unused(f, v);
	return best.answer;
}
