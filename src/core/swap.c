/* The steps of swaps. */
#include "swap.h"

#include "node.h"
#include "swap_choice.h"
#include "warm.h"

#include <assert.h>
#include <stdlib.h>

enum {
	LIMIT_MARGIN_SHARE = 15, /* of the longest load: a minute of a quarter of an hour */
	UNLOAD_LIMIT_MS = 30000,
	STAYS_MS = 60000,
	QUARANTINE_MS = 10000, /* the first; doubles */
	QUARANTINE_DOUBLINGS = 5,
	SNAPSHOTS_AFTER_LOAD = 2, /* of which the first may be older */
};

static void
move(struct backend *b, enum swap_step step, int64_t now_ms)
{
	b->swap.step = step;
	b->swap.since_ms = now_ms;
	b->swap.unseen = 0;
}

void
swap_begin(struct backend *b, const struct choice *c, bool warm, int64_t now_ms)
{
	assert(b->swap.step == SWAP_NONE);
	b->swap.warm = warm;
	b->swap.in = c->in;
	b->swap.in->jobs++;
	b->swap.out = c->out;
	if (b->swap.out != NULL)
		b->swap.out->jobs++;
	move(b, b->swap.out != NULL ? SWAP_DRAINING : SWAP_READY, now_ms);
}

static void
finish(struct fleet *f, struct backend *b, int64_t now_ms)
{
	if (b->swap.out != NULL)
		variant_release(f, &b->swap.out);
	variant_release(f, &b->swap.in);
	move(b, SWAP_NONE, now_ms);
}

static void
order(struct backend *b, enum order_kind kind, const struct variant *v, int64_t limit_ms,
      struct order *out)
{
	*out = (struct order){
	    .kind = kind,
	    .backend = b,
	    .model = v->model,
	    .options = v->options,
	    .limit_ms = limit_ms,
	};
}

/* Twice what is expected and a margin; the first load of all takes what it takes. */
int64_t
swap_load_limit_ms(const struct fleet *f, const struct speed *s)
{
	return s->load_x16 > 0 ? 2 * estimate_load_ms(s) + f->load_ms / LIMIT_MARGIN_SHARE : 0;
}

/* What is warmed takes the place of nothing that came to be used meanwhile. */
static bool
is_still_wanted(const struct backend *b, int64_t now_ms)
{
	const struct swap *w = &b->swap;

	if (w->in->wait_weight > 0)
		return true;
	return w->warm && (w->out == NULL || warm_may_replace(w->out, b, now_ms));
}

static bool
is_ordered(const struct swap *w)
{
	return w->step == SWAP_UNLOADING || w->step == SWAP_LOADING;
}

void
swap_call_off(struct fleet *f, struct backend *b, int64_t now_ms)
{
	assert(!is_ordered(&b->swap));
	if (b->swap.step != SWAP_NONE)
		finish(f, b, now_ms);
}

/* Moves a swap on as far as it goes by itself; true: there is an order for it. */
static bool
step(struct fleet *f, struct backend *b, int64_t now_ms, struct order *out)
{
	struct swap *w = &b->swap;
	bool begun = is_ordered(w);

	/* Nothing is lost yet. */
	if (w->step != SWAP_NONE && !begun &&
	    (!is_still_wanted(b, now_ms) || !backend_is_usable(b, now_ms)))
		finish(f, b, now_ms);
	/* Others took the place that was made, or loaded the model as they want it. */
	if (w->step == SWAP_READY &&
	    (b->resident >= b->max_loaded || variant_find_rival(w->in, b) != NULL))
		finish(f, b, now_ms);
	switch (w->step) {
	case SWAP_DRAINING:
		if (w->out->places[b->index].busy > 0)
			return false;
		move(b, SWAP_UNLOADING, now_ms);
		order(b, ORDER_UNLOAD, w->out, UNLOAD_LIMIT_MS, out);
		return true;
	case SWAP_READY:
		move(b, SWAP_LOADING, now_ms);
		variant_set_residency(w->in, b, LOADING);
		order(b, ORDER_LOAD, w->in, swap_load_limit_ms(f, &w->in->places[b->index].speed), out);
		return true;
	case SWAP_NONE:
	case SWAP_UNLOADING:
	case SWAP_LOADING: return false;
	}
	abort();
}

bool
swap_take_order(struct fleet *f, const struct queue *q, struct survey *survey, int64_t now_ms,
                struct order *out)
{
	struct choice c;

	for (size_t i = 0; i < f->count; i++)
		if (step(f, f->backends[i], now_ms, out))
			return true;
	if (now_ms < f->next_swap_ms)
		return false;
	f->weighed_at_ms = now_ms;
	survey_take(survey, f, now_ms);
	while (swap_choose(f, q, survey, &c, &f->next_swap_ms)) {
		swap_begin(c.backend, &c, false, now_ms);
		if (step(f, c.backend, now_ms, out)) {
			fleet_weigh_now(f);
			return true;
		}
	}
	return false;
}

static void
saw_unload(struct fleet *f, struct backend *b, enum order_end end, int64_t now_ms)
{
	struct place *p = &b->swap.out->places[b->index];

	if (end != ORDER_DONE) {
		/* Others may have unloaded it meanwhile. */
		if (end == ORDER_FAILED && p->residency == LOADED)
			p->quarantine_end_ms = now_ms + STAYS_MS;
		finish(f, b, now_ms);
		return;
	}
	p->fresh = true;
	variant_set_residency(b->swap.out, b, ABSENT);
	variant_release(f, &b->swap.out);
	/* What others loaded meanwhile must go first: another choice. */
	if (b->resident < b->max_loaded)
		move(b, SWAP_READY, now_ms);
	else
		finish(f, b, now_ms);
}

static void
saw_loaded(struct backend *b, struct variant *v, int64_t now_ms)
{
	struct place *p = &v->places[b->index];

	variant_set_residency(v, b, LOADED);
	p->ours = true;
	estimate_saw_load(&p->speed, now_ms - b->swap.since_ms);
	p->loaded_at_ms = now_ms;
	p->used_at_ms = now_ms;
	p->loads_failed = 0;
	b->last_load = (struct load){.variant = v,
	                             .began_ms = b->swap.since_ms,
	                             .ended_ms = now_ms,
	                             .snapshots_left = SNAPSHOTS_AFTER_LOAD};
}

void
swap_quarantine(struct fleet *f, struct place *p, int64_t now_ms)
{
	p->quarantine_end_ms = now_ms + ((int64_t)QUARANTINE_MS << p->loads_failed);
	if (p->loads_failed < QUARANTINE_DOUBLINGS)
		p->loads_failed++;
	f->changes++;
}

static void
saw_load(struct fleet *f, struct backend *b, enum order_end end, int64_t now_ms)
{
	struct variant *v = b->swap.in;
	struct place *p = &v->places[b->index];

	p->fresh = true;
	variant_set_residency(v, b, ABSENT);
	switch (end) {
	case ORDER_DONE: saw_loaded(b, v, now_ms); break;
	case ORDER_FAILED: swap_quarantine(f, p, now_ms); break;
	case ORDER_LOST: break;
	}
	finish(f, b, now_ms);
}

void
swap_saw_order(struct fleet *f, const struct order *o, enum order_end end, int64_t now_ms)
{
	fleet_weigh_now(f);
	switch (o->kind) {
	case ORDER_UNLOAD:
		assert(o->backend->swap.step == SWAP_UNLOADING);
		saw_unload(f, o->backend, end, now_ms);
		return;
	case ORDER_LOAD:
		assert(o->backend->swap.step == SWAP_LOADING);
		saw_load(f, o->backend, end, now_ms);
		return;
	}
	abort();
}
