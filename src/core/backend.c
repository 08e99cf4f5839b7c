/*
 * What is known of a node from outside: its probes, its listings, the outcome of what
 * ran on it.
 *
 * How each fault counts:
 *   CONNECT  down at once; probes bring it back. Fails a trial, else is not the breaker's.
 *   BROKEN   a failure for the breaker.
 *   HANG     opens the breaker at once: /api/tags stays green while a node hangs.
 *   BUSY     a short pause that grows while nothing but 503 comes, so that a node which
 *            refuses at once does not look least busy. No failure: it is full, not sick,
 *            and no success either: a trial that ends so proves nothing.
 *
 * A snapshot of what the node holds (/api/ps) corrects our own reckoning, except where our
 * word is newer: a variant in flight, or one touched since the snapshot before, which this
 * one may not show yet.
 */
#include "core/backend.h"

#include "node.h"

#include <stdlib.h>

enum { BUSY_LONGEST_PAUSE_MS = 10000 };

const char *
backend_name(const struct backend *b)
{
	return b->name;
}

enum backend_state
backend_state(const struct backend *b)
{
	return b->health == BACKEND_UP && b->draining ? BACKEND_DRAINING : b->health;
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

bool
backend_has_model(const struct backend *b, const char *model)
{
	const struct variant *v = variant_find(b->fleet, model);

	return v != NULL && v->places[b->index].listed;
}

bool
backend_holds_model(const struct backend *b, const char *model)
{
	const struct variant *v = variant_find(b->fleet, model);

	return v != NULL && v->places[b->index].residency != ABSENT;
}

static bool
set_health(struct backend *b, enum backend_state health)
{
	enum backend_state before = backend_state(b);

	b->health = health;
	b->was_up |= health == BACKEND_UP;
	if (backend_state(b) == before)
		return false;
	b->fleet->changes++;
	return true;
}

/* A node that never was up needs one good probe, and is down after one bad one: nobody
 * should wait for it longer than for one that was known. */
bool
backend_saw_probe(struct backend *b, bool ok, int64_t now_ms)
{
	b->good_probes = ok ? b->good_probes + 1 : 0;
	b->bad_probes = ok ? 0 : b->bad_probes + 1;
	if (b->good_probes >= (b->was_up ? b->up_after : 1))
		return set_health(b, BACKEND_UP);
	if (b->bad_probes >= (b->was_up ? b->down_after : 1))
		return set_health(b, BACKEND_DOWN);
	return false;
}

static bool
go_down(struct backend *b, int64_t now_ms)
{
	bool trial_failed =
	    b->breaker.state == BREAKER_TRYING && breaker_saw_failure(&b->breaker, now_ms);

	b->good_probes = 0;
	return set_health(b, BACKEND_DOWN) || trial_failed;
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
	switch (fault) {
	case FAULT_CONNECT: return go_down(b, now_ms);
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
	return breaker_saw_success(&b->breaker);
}

void
backend_set_draining(struct backend *b, bool draining)
{
	b->draining = draining;
	b->fleet->changes++;
}

void
backend_set_models(struct backend *b, const char *const *names, size_t count)
{
	MAP_FOR_EACH (it, &b->fleet->variants)
		variant_set_listed(it.value, b, false);
	for (size_t i = 0; i < count; i++)
		variant_set_listed(variant_get(b->fleet, names[i]), b, true);
	MAP_FOR_EACH (it, &b->fleet->variants)
		variant_drop_unused(b->fleet, it.value);
	b->has_listed = true;
	b->fleet->changes++;
}

/* What the node no longer shows is gone, where its word is newer than ours. */
static void
forget_loaded(struct variant *v, struct backend *b)
{
	struct place *p = &v->places[b->index];

	if (p->busy == 0 && !p->fresh && v != b->swap.in && v != b->swap.out)
		variant_set_residency(v, b, ABSENT);
}

static void
see_loaded(struct variant *v, struct backend *b)
{
	struct place *p = &v->places[b->index];

	/* Reckoned as evicted since the snapshot before: this one may be older. */
	if (v != b->swap.in && v != b->swap.out && (p->residency != ABSENT || !p->fresh))
		variant_set_residency(v, b, LOADED);
}

void
backend_set_loaded(struct backend *b, const char *const *names, size_t count)
{
	MAP_FOR_EACH (it, &b->fleet->variants)
		forget_loaded(it.value, b);
	for (size_t i = 0; i < count; i++)
		see_loaded(variant_get(b->fleet, names[i]), b);
	MAP_FOR_EACH (it, &b->fleet->variants) {
		((struct variant *)it.value)->places[b->index].fresh = false;
		variant_drop_unused(b->fleet, it.value);
	}
}
