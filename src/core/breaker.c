/*
 * The breaker's three states and who may pass in each.
 *
 * Successes do not wipe out failures in the window: a node that fails every other
 * request is sick. The trial is one job, not one moment: until its outcome is known
 * nothing else goes, and when it leaves without one the next job is the trial.
 */
#include "breaker.h"

#include "base/mem.h"

#include <stdlib.h>

static size_t
limit_of(const struct health_conf *conf)
{
	return conf->breaker_failures > 0 ? (size_t)conf->breaker_failures : 1;
}

void
breaker_init(struct breaker *k, const struct health_conf *conf)
{
	*k = (struct breaker){
	    .state = BREAKER_CLOSED,
	    .window_ms = conf->breaker_window_ms,
	    .first_pause_ms = conf->breaker_open_ms,
	    .longest_pause_ms = conf->breaker_max_open_ms,
	    .pause_ms = conf->breaker_open_ms,
	    .limit = limit_of(conf),
	};
	k->failed_at = mem_zalloc(k->limit, sizeof(*k->failed_at));
}

/* The latest failures are kept, as many as the new limit looks at but one, so that a lower limit
 * alone opens nothing. */
static void
resize(struct breaker *k, size_t limit)
{
	int64_t *failed_at = mem_zalloc(limit, sizeof(*failed_at));
	size_t kept = k->failed < k->limit ? k->failed : k->limit;

	if (kept > limit - 1)
		kept = limit - 1;
	for (size_t i = 0; i < kept; i++)
		failed_at[i] = k->failed_at[(k->failed - kept + i) % k->limit];
	free(k->failed_at);
	k->failed_at = failed_at;
	k->failed = kept;
	k->limit = limit;
}

void
breaker_reshape(struct breaker *k, const struct health_conf *conf)
{
	k->window_ms = conf->breaker_window_ms;
	k->first_pause_ms = conf->breaker_open_ms;
	k->longest_pause_ms = conf->breaker_max_open_ms;
	if (k->limit != limit_of(conf))
		resize(k, limit_of(conf));
}

void
breaker_finish(struct breaker *k)
{
	free(k->failed_at);
	k->failed_at = NULL;
}

bool
breaker_admits(const struct breaker *k, int64_t now_ms)
{
	switch (k->state) {
	case BREAKER_CLOSED: return true;
	case BREAKER_OPEN: return now_ms >= k->retry_at_ms;
	case BREAKER_TRYING: return !k->trial_out;
	}
	abort();
}

bool
breaker_let_through(struct breaker *k)
{
	if (k->state == BREAKER_CLOSED)
		return false;
	k->state = BREAKER_TRYING;
	k->trial_out = true;
	return true;
}

void
breaker_lost_trial(struct breaker *k)
{
	k->trial_out = false;
}

static bool
open_for(struct breaker *k, int64_t pause_ms, int64_t now_ms)
{
	k->state = BREAKER_OPEN;
	k->trial_out = false;
	k->failed = 0;
	k->pause_ms = pause_ms < k->longest_pause_ms ? pause_ms : k->longest_pause_ms;
	k->retry_at_ms = now_ms + k->pause_ms;
	return true;
}

/* Notes a failure; whether the last `limit` of them lie within the window. */
static bool
is_over_limit(struct breaker *k, int64_t now_ms)
{
	k->failed_at[k->failed % k->limit] = now_ms;
	k->failed++;
	return k->failed >= k->limit && now_ms - k->failed_at[k->failed % k->limit] <= k->window_ms;
}

bool
breaker_saw_failure(struct breaker *k, int64_t now_ms)
{
	switch (k->state) {
	case BREAKER_CLOSED: return is_over_limit(k, now_ms) && open_for(k, k->first_pause_ms, now_ms);
	case BREAKER_OPEN: return false; /* of work begun before it opened */
	case BREAKER_TRYING: return open_for(k, 2 * k->pause_ms, now_ms);
	}
	abort();
}

bool
breaker_trip(struct breaker *k, int64_t now_ms)
{
	switch (k->state) {
	case BREAKER_CLOSED: return open_for(k, k->first_pause_ms, now_ms);
	case BREAKER_OPEN:
		/* Begun before, but as sick now as then: no trial yet. */
		if (now_ms >= k->retry_at_ms)
			open_for(k, k->pause_ms, now_ms);
		return false;
	case BREAKER_TRYING: return open_for(k, 2 * k->pause_ms, now_ms);
	}
	abort();
}

bool
breaker_saw_success(struct breaker *k)
{
	if (k->state != BREAKER_TRYING)
		return false;
	k->state = BREAKER_CLOSED;
	k->trial_out = false;
	return true;
}
