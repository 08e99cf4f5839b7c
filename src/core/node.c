/*
 * The inside of a node: its configuration, its slots, and what it is reckoned to hold.
 *
 * What was sent here counts as held from that moment, and as evicted what must make room
 * for it; the node's own snapshots correct this (backend.c).
 */
#include "node.h"

#include "base/mem.h"
#include "base/str.h"
#include "eta.h"
#include "unify.h"

#include <assert.h>
#include <stdlib.h>

/* The first snapshot after an order may be older. */
enum { UNSEEN_MOST = 2 };

static void
drop_globs(struct backend *b)
{
	for (size_t i = 0; i < b->glob_count; i++)
		free(b->globs[i]);
	free(b->globs);
}

void
backend_configure(struct backend *b, const struct backend_conf *conf)
{
	assert(conf->weight > 0 && conf->parallel > 0 && conf->max_loaded > 0 && conf->slots > 0);
	b->weight = conf->weight;
	b->parallel = conf->parallel;
	b->slots = conf->slots;
	/* What was learned of its room holds as long as nobody says otherwise. */
	if (b->max_loaded_conf != conf->max_loaded)
		b->max_loaded = b->max_loaded_conf = conf->max_loaded;
	drop_globs(b);
	b->globs = mem_zalloc(conf->model_count + 1, sizeof(*b->globs));
	b->glob_count = conf->model_count;
	for (size_t i = 0; i < conf->model_count; i++)
		b->globs[i] = mem_strdup(conf->models[i]);
}

void
backend_set_health_conf(struct backend *b, const struct health_conf *health)
{
	b->down_after = health->down_after;
	b->up_after = health->up_after;
	b->grace_ms = health->grace_ms;
	b->given_up |= b->health == BACKEND_DOWN && b->grace_ms == 0;
	breaker_reshape(&b->breaker, health);
}

struct backend *
backend_create(struct fleet *f, size_t index, const struct backend_conf *conf,
               const struct health_conf *health)
{
	struct backend *b = NEW(struct backend);

	b->fleet = f;
	b->index = index;
	b->name = mem_strdup(conf->name);
	backend_configure(b, conf);
	b->residents_room = conf->max_loaded;
	b->residents = mem_zalloc((size_t)b->residents_room, sizeof(*b->residents));
	b->health = BACKEND_UNKNOWN;
	b->pause_ms = BUSY_FIRST_PAUSE_MS;
	breaker_init(&b->breaker, health);
	b->down_after = health->down_after;
	b->up_after = health->up_after;
	b->grace_ms = health->grace_ms;
	return b;
}

void
backend_drop_listing(struct backend *b)
{
	for (size_t i = 0; i < b->listing_count; i++)
		free(b->listing[i].name);
	free(b->listing);
	b->listing = NULL;
	b->listing_count = 0;
}

void
backend_destroy(struct backend *b)
{
	if (b == NULL)
		return;
	backend_drop_listing(b);
	drop_globs(b);
	free(b->residents);
	free(b->name);
	breaker_finish(&b->breaker);
	free(b);
}

bool
backend_allows(const struct backend *b, const char *model)
{
	if (b->glob_count == 0)
		return true;
	for (size_t i = 0; i < b->glob_count; i++)
		if (str_glob_model(b->globs[i], model))
			return true;
	return false;
}

void
backend_add_resident(struct backend *b, struct variant *v)
{
	if (b->resident == b->residents_room) {
		b->residents_room *= 2;
		b->residents = mem_realloc(b->residents, (size_t)b->residents_room * sizeof(*b->residents));
	}
	b->residents[b->resident++] = (struct resident){.variant = v};
}

void
backend_drop_resident(struct backend *b, const struct variant *v)
{
	int i = 0;

	while (b->residents[i].variant != v)
		i++;
	b->residents[i] = b->residents[--b->resident];
}

/* The idle variant that was used longest ago; NULL: none is idle. */
static struct variant *
find_idle(const struct backend *b)
{
	struct variant *oldest = NULL;

	for (int i = 0; i < b->resident; i++) {
		struct variant *v = b->residents[i].variant;
		const struct place *p = &v->places[b->index];

		if (p->busy > 0)
			continue;
		if (oldest == NULL || p->used_at_ms < oldest->places[b->index].used_at_ms)
			oldest = v;
	}
	return oldest;
}

static void
reckon_evicted(struct backend *b, struct variant *v)
{
	v->places[b->index].fresh = true;
	variant_set_residency(v, b, ABSENT);
	variant_drop_unused(b->fleet, v);
}

/* What the node will do when it is asked for a variant that it does not hold. */
static void
reckon_load(struct backend *b, struct variant *v)
{
	struct variant *rival = variant_find_rival(v, b), *idle;

	if (rival != NULL)
		reckon_evicted(b, rival);
	while (b->resident >= b->max_loaded && (idle = find_idle(b)) != NULL)
		reckon_evicted(b, idle);
	variant_set_residency(v, b, LOADING);
	/* Whether the node gives its own context is seen when the job has run. */
	v->places[b->index].ours = v->base != v;
}

static void
take_slot(struct backend *b, struct variant *v, int64_t now_ms)
{
	struct place *p = &v->places[b->index];

	assert(b->busy < b->slots && p->busy < b->parallel);
	if (p->residency == ABSENT)
		reckon_load(b, v);
	if (p->busy++ == 0)
		b->busy_variants++;
	b->busy++;
	p->fresh = true;
	p->used_at_ms = now_ms;
}

/* Who drains lets in what will be over before. */
static void
reckon_end(struct place *p, const struct job *j, int64_t now_ms)
{
	int64_t end_ms = now_ms + estimate_service_ms(&j->variant->estimate, &p->speed, eta_cost(j));

	if (p->busy == 1 || end_ms > p->ends_at_ms)
		p->ends_at_ms = end_ms;
}

void
backend_take(struct backend *b, struct job *j, int64_t now_ms)
{
	j->was_loaded = j->slotless || j->variant->places[b->index].residency == LOADED;
	if (j->slotless) {
		b->remote++;
	} else {
		take_slot(b, j->variant, now_ms);
		reckon_end(&j->variant->places[b->index], j, now_ms);
		if (j->unloads && b->fleet->by_orders)
			variant_set_residency(j->variant, b, LEAVING);
	}
	if (breaker_let_through(&b->breaker))
		b->trial = j;
	j->backend = b;
	/* What it names may not be what the node has of its own. */
	if (!j->slotless && j->variant->base == j->variant && unify_context(b->fleet, j) != 0)
		j->variant->places[b->index].ours = false;
}

static void
put_slot(struct backend *b, const struct job *j, bool done, int64_t now_ms)
{
	struct variant *v = j->variant;
	struct place *p = &v->places[b->index];

	assert(p->busy > 0 && b->busy > 0);
	b->busy--;
	if (--p->busy == 0)
		b->busy_variants--;
	p->used_at_ms = now_ms;
	if (done && p->residency == LOADING)
		variant_set_residency(v, b, LOADED);
	/* It ran, so that this is what the node holds; who may have named a context in the place of its
	 * own (unify.h) shows nothing of that. */
	if (done && p->residency == LOADED)
		p->ours = p->ours || v->base != v || !j->unify;
	if (p->residency == LEAVING && p->busy == 0) {
		p->fresh = true;
		variant_set_residency(v, b, ABSENT);
		b->fleet->changes++;
	}
}

void
backend_put(struct backend *b, struct job *j, bool done, int64_t now_ms)
{
	if (j->slotless)
		b->remote--;
	else
		put_slot(b, j, done, now_ms);
	if (b->trial == j) {
		b->trial = NULL;
		breaker_lost_trial(&b->breaker);
	}
	j->backend = NULL;
}

bool
backend_holds_breath(const struct backend *b)
{
	return b->swap.step == SWAP_LOADING && b->swap.unseen >= UNSEEN_MOST;
}

int64_t
backend_back_at_ms(const struct backend *b, int64_t now_ms)
{
	int64_t at = b->paused_until_ms;

	if (b->breaker.state == BREAKER_OPEN && b->breaker.retry_at_ms > at)
		at = b->breaker.retry_at_ms;
	return at > now_ms ? at : INT64_MAX;
}
