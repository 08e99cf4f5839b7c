/*
 * A circuit breaker: after `limit` failures within the window, or one that counts for
 * all, nothing is let through for a pause; then one trial, whose outcome closes it or
 * starts a pause twice as long. Embedded in its backend.
 */
#ifndef CORE_BREAKER_PRIVATE_H
#define CORE_BREAKER_PRIVATE_H

#include "core/backend.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct breaker {
	enum breaker_state state;
	bool trial_out; /* the one trial of TRYING is under way */
	int64_t window_ms;
	int64_t first_pause_ms;
	int64_t longest_pause_ms;
	int64_t pause_ms;    /* the current one, or what the next would be */
	int64_t retry_at_ms; /* OPEN: when a trial may go */
	int64_t *failed_at;  /* owned: a ring of the last failures, as long as the limit */
	size_t limit;
	size_t failed; /* ever since it closed */
};

void breaker_init(struct breaker *k, const struct health_conf *conf);
/* Other bounds from now on; a pause that runs stays. */
void breaker_reshape(struct breaker *k, const struct health_conf *conf);
void breaker_finish(struct breaker *k);
/* Whether a job may go now. */
bool breaker_admits(const struct breaker *k, int64_t now_ms);
/* A job goes: true when it is the trial. Only when it was admitted. */
bool breaker_let_through(struct breaker *k);
/* The trial ended and proved nothing (its client left): another may go. */
void breaker_lost_trial(struct breaker *k);
/* The next three return whether the state changed. */
bool breaker_saw_failure(struct breaker *k, int64_t now_ms);
/* A failure that counts for all. */
bool breaker_trip(struct breaker *k, int64_t now_ms);
/* Work was done: closes it when a trial was due. While it is open, answers of work begun
 * earlier do not cut the pause short. */
bool breaker_saw_success(struct breaker *k);

#endif
