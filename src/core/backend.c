/*
 * What is known of a node from outside: its probes, its listings, the outcome of what
 * ran on it.
 *
 * How each fault counts:
 *   CONNECT  (TLS too) down at once; probes bring it back. Fails a trial, else is not the
 * breaker's. BROKEN   a failure for the breaker. HANG     opens the breaker at once: /api/tags
 * stays green while a node hangs. BUSY     a short pause that grows while nothing but 503 comes, so
 * that a node which refuses at once does not look least busy. No failure: it is full, not sick, and
 * no success either: a trial that ends so proves nothing.
 *
 * A snapshot of what the node holds (/api/ps) corrects our own reckoning, except where our
 * word is newer: a variant in flight, or one touched since the snapshot before, which this
 * one may not show yet.
 */
#include "core/backend.h"

#include "base/mem.h"
#include "node.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	BUSY_LONGEST_PAUSE_MS = 10000,
	IDLE_KEPT_MS = 240000,
	CROWDED_MS = 600000,
};

const char *
backend_name(const struct backend *b)
{
	return b->name;
}

enum backend_state
backend_state(const struct backend *b)
{
	return b->health == BACKEND_UP && (b->draining || b->retired) ? BACKEND_DRAINING : b->health;
}

enum breaker_state
backend_breaker(const struct backend *b)
{
	return b->breaker.state;
}

const char *
backend_state_name(enum backend_state s)
{
	switch (s) {
	case BACKEND_UNKNOWN: return "unknown";
	case BACKEND_UP: return "up";
	case BACKEND_DOWN: return "down";
	case BACKEND_DRAINING: return "draining";
	}
	abort();
}

const char *
breaker_state_name(enum breaker_state s)
{
	switch (s) {
	case BREAKER_CLOSED: return "closed";
	case BREAKER_OPEN: return "open";
	case BREAKER_TRYING: return "trying";
	}
	abort();
}

int
backend_busy(const struct backend *b)
{
	return b->busy;
}

int
backend_slots(const struct backend *b)
{
	return b->slots;
}

int
backend_weight(const struct backend *b)
{
	return b->weight;
}

bool
backend_is_usable(const struct backend *b, int64_t now_ms)
{
	return backend_state(b) == BACKEND_UP && now_ms >= b->paused_until_ms &&
	       breaker_admits(&b->breaker, now_ms);
}

/* One that is out of the fleet knows of no model. */
static struct variant *
find_here(const struct backend *b, const char *model)
{
	return backend_is_gone(b) ? NULL : variant_find(b->fleet, model);
}

bool
backend_has_model(const struct backend *b, const char *model)
{
	const struct variant *v = find_here(b, model);

	return v != NULL && v->places[b->index].listed;
}

uint64_t
backend_model_digest(const struct backend *b, const char *model)
{
	const struct variant *v = find_here(b, model);

	return v != NULL && v->places[b->index].listed ? v->places[b->index].digest : 0;
}

bool
backend_holds_model(const struct backend *b, const char *model)
{
	const struct variant *v = find_here(b, model);

	return v != NULL &&
	       (v->places[b->index].residency != ABSENT || variant_find_rival(v, b) != NULL);
}

static bool
set_health(struct backend *b, enum backend_state health, int64_t now_ms)
{
	enum backend_state before = backend_state(b);

	if (health == BACKEND_DOWN && b->health != BACKEND_DOWN)
		b->down_since_ms = now_ms;
	if (health == BACKEND_UP && b->health != BACKEND_UP)
		b->up_since_ms = now_ms;
	b->health = health;
	b->was_up |= health == BACKEND_UP;
	b->given_up = health == BACKEND_DOWN && (!b->was_up || b->grace_ms == 0);
	if (backend_state(b) == before)
		return false;
	b->fleet->changes++;
	fleet_weigh_now(b->fleet);
	return true;
}

/* After the grace that one which was up has: long enough for its program to be started anew. */
static void
give_up(struct backend *b, int64_t now_ms)
{
	if (b->given_up || now_ms - b->down_since_ms < b->grace_ms)
		return;
	b->given_up = true;
	b->fleet->changes++;
}

/* A node that never was up needs one good probe, and is down after one bad one: nobody
 * should wait for it longer than for one that was known. */
bool
backend_saw_probe(struct backend *b, bool ok, int64_t now_ms)
{
	b->good_probes = ok ? b->good_probes + 1 : 0;
	b->bad_probes = ok ? 0 : b->bad_probes + 1;
	if (b->good_probes >= (b->was_up ? b->up_after : 1))
		return set_health(b, BACKEND_UP, now_ms);
	if (b->health == BACKEND_DOWN)
		give_up(b, now_ms);
	else if (b->bad_probes >= (b->was_up ? b->down_after : 1))
		return set_health(b, BACKEND_DOWN, now_ms);
	return false;
}

static bool
go_down(struct backend *b, int64_t now_ms)
{
	bool trial_failed =
	    b->breaker.state == BREAKER_TRYING && breaker_saw_failure(&b->breaker, now_ms);

	b->good_probes = 0;
	return set_health(b, BACKEND_DOWN, now_ms) || trial_failed;
}

static void
take_pause(struct backend *b, int64_t now_ms)
{
	if (now_ms < b->paused_until_ms)
		return; /* of work that was sent before the pause */
	b->paused_until_ms = now_ms + b->pause_ms;
	b->pause_ms = 2 * b->pause_ms < BUSY_LONGEST_PAUSE_MS ? 2 * b->pause_ms : BUSY_LONGEST_PAUSE_MS;
}

bool
backend_saw_fault(struct backend *b, enum backend_fault fault, int64_t now_ms)
{
	fleet_weigh_soon(b->fleet);
	switch (fault) {
	case FAULT_CONNECT:
	case FAULT_TLS: return go_down(b, now_ms);
	case FAULT_BROKEN: return breaker_saw_failure(&b->breaker, now_ms);
	case FAULT_HANG: return breaker_trip(&b->breaker, now_ms);
	case FAULT_BUSY: take_pause(b, now_ms); return false;
	}
	abort();
}

bool
backend_saw_answer(struct backend *b, int64_t now_ms)
{
	b->pause_ms = BUSY_FIRST_PAUSE_MS;
	if (!breaker_saw_success(&b->breaker))
		return false;
	fleet_weigh_soon(b->fleet);
	return true;
}

void
backend_set_draining(struct backend *b, bool draining)
{
	b->draining = draining;
	b->fleet->changes++;
	fleet_weigh_now(b->fleet);
}

bool
backend_is_draining(const struct backend *b)
{
	return b->draining;
}

/* --- what it lists --- */

/* A name that found its elder meanwhile is listed until nothing is left of it. */
static bool
is_in_use(const struct variant *v, const struct backend *b)
{
	const struct variant *sibling;

	if (v->jobs > 0 || v->places[b->index].residency != ABSENT)
		return true;
	LIST_FOR_EACH (sibling, &v->siblings, const struct variant, sibling_link)
		if (sibling->jobs > 0)
			return true;
	return false;
}

static void
apply_listing(struct backend *b)
{
	struct fleet *f = b->fleet;

	MAP_FOR_EACH (it, &f->variants) {
		struct variant *v = it.value;

		if (v->base == v)
			variant_set_listed(v, b, false);
	}
	for (size_t i = 0; i < b->listing_count; i++) {
		const char *name = b->listing[i].name;
		struct variant *v = map_find(&f->variants, name), *elder = variant_get(f, name);

		variant_set_listed(elder, b, true);
		elder->places[b->index].digest = b->listing[i].digest;
		elder->own[b->index].trained = b->listing[i].trained_context;
		if (v != NULL && v != elder && is_in_use(v, b))
			variant_set_listed(v, b, true);
	}
	MAP_FOR_EACH (it, &f->variants)
		variant_drop_unused(f, it.value);
}

static void
keep_listing(struct backend *b, const struct listed_model *models, size_t count)
{
	struct listing_row *copy = mem_zalloc(count + 1, sizeof(copy[0]));

	for (size_t i = 0; i < count; i++)
		copy[i] = (struct listing_row){mem_strdup(models[i].name), models[i].digest,
		                               models[i].trained_context};
	backend_drop_listing(b);
	b->listing = copy;
	b->listing_count = count;
}

void
backend_review_listing(struct backend *b)
{
	struct fleet *f = b->fleet;

	if (twins_review(&f->twins, f)) {
		for (size_t i = 0; i < f->count; i++)
			apply_listing(f->backends[i]);
	} else {
		apply_listing(b);
	}
	f->changes++;
	fleet_weigh_now(f);
}

void
backend_set_listing(struct backend *b, const struct listed_model *models, size_t count)
{
	assert(!b->retired);
	keep_listing(b, models, count);
	b->has_listed = true;
	backend_review_listing(b);
}

void
backend_set_models(struct backend *b, const char *const *names, size_t count)
{
	struct listed_model *models = mem_zalloc(count + 1, sizeof(models[0]));

	for (size_t i = 0; i < count; i++)
		models[i].name = names[i];
	backend_set_listing(b, models, count);
	free(models);
}

/* --- what it holds --- */

int
backend_max_loaded(const struct backend *b)
{
	return b->max_loaded;
}

/* Ollama keeps what is idle for 5 minutes, if nothing else is said: what goes sooner did not go by
 * itself. */
static bool
was_crowded_out(const struct backend *b, const struct variant *v)
{
	const struct load *l = &b->last_load;
	const struct place *p = &v->places[b->index];

	return l->snapshots_left > 0 && v != l->variant && p->residency == LOADED &&
	       p->used_at_ms > 0 && l->began_ms - p->used_at_ms < IDLE_KEPT_MS;
}

/* What the node no longer shows is gone, where its word is newer than ours. Returns whether it had
 * to go for another one. */
static bool
forget_loaded(struct variant *v, struct backend *b)
{
	struct place *p = &v->places[b->index];
	bool crowded_out = was_crowded_out(b, v);

	if (p->busy > 0 || p->fresh || v == b->swap.in || v == b->swap.out)
		return false;
	variant_set_residency(v, b, ABSENT);
	return crowded_out;
}

static void
see_loaded(struct variant *v, struct backend *b)
{
	struct place *p = &v->places[b->index];

	if (v == b->swap.in || v == b->swap.out || p->residency == LEAVING)
		return;
	/* Reckoned as evicted since the snapshot before: this one may be older. */
	if (p->residency != ABSENT || !p->fresh)
		variant_set_residency(v, b, LOADED);
}

/* Nodes say no more than the model: it is the variant that we know of, or the base. */
static struct variant *
find_held(struct backend *b, const char *model)
{
	struct variant *base = variant_get(b->fleet, model);
	struct variant *rival = variant_find_rival(base, b);

	return rival != NULL && base->places[b->index].residency == ABSENT ? rival : base;
}

void
backend_saw_unload(struct backend *b, const char *model)
{
	struct variant *v = find_here(b, model) == NULL ? NULL : find_held(b, model);
	struct place *p;

	if (v == NULL || !b->fleet->by_orders)
		return;
	p = &v->places[b->index];
	if (p->residency != LOADED)
		return;
	p->fresh = true;
	variant_set_residency(v, b, p->busy > 0 ? LEAVING : ABSENT);
	variant_drop_unused(b->fleet, v);
}

static void
end_quarantine(struct place *p)
{
	p->quarantine_end_ms = 0;
	p->loads_failed = 0;
}

void
backend_saw_change(struct backend *b, const char *model)
{
	struct variant *v = find_here(b, model), *sibling;

	if (v == NULL)
		return;
	end_quarantine(&v->places[b->index]);
	fleet_weigh_soon(b->fleet);
	LIST_FOR_EACH (sibling, &v->siblings, struct variant, sibling_link)
		end_quarantine(&sibling->places[b->index]);
	backend_saw_unload(b, model);
}

/* What was learned holds for a while: others may have used the node's memory. */
static void
learn_room(struct backend *b, bool crowded)
{
	if (crowded && b->resident < b->max_loaded) {
		b->max_loaded = b->resident > 0 ? b->resident : 1;
		b->crowded_until_ms = b->last_load.ended_ms + CROWDED_MS;
	} else if (b->resident > b->max_loaded || b->last_load.ended_ms >= b->crowded_until_ms) {
		b->max_loaded = b->max_loaded_conf;
	}
	if (b->last_load.snapshots_left > 0)
		b->last_load.snapshots_left--;
	fleet_weigh_soon(b->fleet);
}

void
backend_set_loaded(struct backend *b, const char *const *names, size_t count)
{
	bool crowded = false;

	assert(!b->retired);
	for (size_t i = 0; i < count; i++)
		find_held(b, names[i])->places[b->index].shown = true;
	MAP_FOR_EACH (it, &b->fleet->variants) {
		struct variant *v = it.value;
		struct place *p = &v->places[b->index];

		if (p->shown)
			see_loaded(v, b);
		else
			crowded |= forget_loaded(v, b);
		p->missing = !p->shown && !p->fresh && p->busy > 0;
		if (v == b->swap.in)
			b->swap.unseen = p->shown ? 0 : b->swap.unseen + 1;
		p->shown = false;
		p->fresh = false;
		variant_drop_unused(b->fleet, v);
	}
	learn_room(b, crowded);
}

/* Whether it can only be what we did. */
static bool
is_certain(const struct backend *b, const struct variant *v)
{
	const struct place *p = &v->places[b->index];

	return p->ours || p->busy > 0 || v == b->swap.in || v == b->swap.out;
}

/* What others loaded behind our back. */
static void
replace_held(struct backend *b, struct variant *v, int32_t num_ctx)
{
	struct variant_options options = {0};
	struct variant *other;

	if (num_ctx != v->base->own[b->index].num_ctx)
		variant_options_set(&options, OPTION_NUM_CTX, num_ctx);
	other = variant_get_with(b->fleet, v->model, &options);
	if (other == v)
		return;
	variant_set_residency(other, b, LOADED);
	variant_set_residency(v, b, ABSENT);
	variant_drop_unused(b->fleet, v);
}

/* A context that was asked for may have been cut to what the model was trained with; so ours stays
 * what it is. What is found loaded with none of ours before is taken for the node's own. */
void
backend_saw_context(struct backend *b, const char *model, int32_t num_ctx)
{
	struct variant *v = variant_find(b->fleet, model);
	struct own_context *own;
	bool ours;

	if (v == NULL || num_ctx <= 0 || !backend_holds_model(b, model))
		return;
	own = &v->own[b->index];
	v = find_held(b, model);
	ours = v->places[b->index].ours;
	if (v->base == v && (ours || !own->measured)) {
		/* Seen once: if it is another one later, others loaded that. */
		v->places[b->index].ours = false;
		b->fleet->regroup |= own->num_ctx != num_ctx;
		own->num_ctx = num_ctx;
		own->measured = ours;
	} else if (!is_certain(b, v)) {
		replace_held(b, v, num_ctx);
	}
}
