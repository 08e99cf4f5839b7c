/*
 * Nodes come, go and change. What a variant knows of a node stands at the node's index; so a
 * node's index may change here, and nowhere else.
 */
#include "core/reshape.h"

#include "base/mem.h"
#include "keep.h"
#include "node.h"
#include "sched_impl.h"
#include "swap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void
touched(struct fleet *f)
{
	f->changes++;
	fleet_weigh_now(f);
}

/* --- bounds --- */

void
sched_reconfigure(struct sched *s, const struct sched_conf *conf)
{
	assert(conf->queue_size >= 0 && conf->loads_by_orders == s->conf.loads_by_orders);
	s->conf = *conf;
	s->queue.aging_ms = conf->aging_ms;
	s->fleet.load_ms = conf->load_ms;
	s->budget.percent = conf->retry_budget_percent;
	for (size_t i = 0; i < s->fleet.count; i++) {
		struct backend *b = s->fleet.backends[i];

		backend_set_health_conf(b, &conf->health);
		/* Without aging nobody would ever look at that again. */
		if (b->kept_for != NULL)
			keep_drop(b->kept_for);
	}
	touched(&s->fleet);
}

/* --- one node --- */

/* What it may run follows from its configuration. */
static void
review_allowed(struct backend *b)
{
	MAP_FOR_EACH (it, &b->fleet->variants) {
		struct variant *v = it.value;

		v->places[b->index].allowed = backend_allows(b, v->model);
	}
	backend_review_listing(b);
}

void
sched_reshape_backend(struct sched *s, struct backend *b, const struct backend_conf *conf)
{
	assert(strcmp(b->name, conf->name) == 0);
	backend_configure(b, conf);
	review_allowed(b);
	touched(&s->fleet);
}

/* --- it goes --- */

/* What is idle there is no use to anybody, and what is in use takes nothing more. */
static void
leave(struct backend *b)
{
	for (int i = b->resident; i-- > 0;) {
		struct variant *v = b->residents[i].variant;

		variant_set_residency(v, b, v->places[b->index].busy > 0 ? LEAVING : ABSENT);
		variant_drop_unused(b->fleet, v);
	}
}

void
sched_retire_backend(struct sched *s, struct backend *b)
{
	assert(!b->retired);
	swap_call_off(&s->fleet, b, s->now_ms);
	if (b->kept_for != NULL)
		keep_drop(b->kept_for);
	b->retired = true;
	backend_drop_listing(b);
	backend_review_listing(b);
	leave(b);
	s->fleet.retired++;
	touched(&s->fleet);
}

void
sched_restore_backend(struct sched *s, struct backend *b)
{
	assert(b->retired && !backend_is_gone(b));
	b->retired = false;
	b->has_listed = false;
	s->fleet.retired--;
	touched(&s->fleet);
}

static bool
is_idle(const struct backend *b)
{
	return b->busy == 0 && b->remote == 0;
}

/* The places behind its own move up. */
static void
take_out(struct fleet *f, struct backend *b)
{
	size_t behind = f->count - b->index - 1;

	assert(b->resident == 0 && b->swap.step == SWAP_NONE && b->trial == NULL);
	MAP_FOR_EACH (it, &f->variants) {
		struct variant *v = it.value;

		memmove(&v->places[b->index], &v->places[b->index + 1], behind * sizeof(*v->places));
		memmove(&v->own[b->index], &v->own[b->index + 1], behind * sizeof(*v->own));
	}
	memmove(&f->backends[b->index], &f->backends[b->index + 1], behind * sizeof(f->backends[0]));
	f->count--;
	for (size_t i = b->index; i < f->count; i++)
		f->backends[i]->index = i;
	b->index = GONE;
	f->retired--;
}

struct backend *
sched_take_retired(struct sched *s)
{
	struct fleet *f = &s->fleet;

	for (size_t i = 0; f->retired > 0 && i < f->count; i++) {
		struct backend *b = f->backends[i];

		if (!b->retired || !is_idle(b))
			continue;
		take_out(f, b);
		affinity_forget(&s->affinity, b);
		return b;
	}
	return NULL;
}

void
backend_free(struct backend **bp)
{
	struct backend *b = *bp;

	*bp = NULL;
	assert(b == NULL || backend_is_gone(b));
	backend_destroy(b);
}
