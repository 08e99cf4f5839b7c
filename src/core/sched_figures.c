/* The scheduler's figures: who waits where, and for how long still. */
#include "eta.h"
#include "sched_impl.h"

enum { RETRY_AFTER_LEAST_MS = 1000, RETRY_AFTER_MOST_MS = 3600 * 1000 };

int
sched_waiting(const struct sched *s)
{
	return s->queue.waiting;
}

int
sched_waiting_in(const struct sched *s, enum job_class class)
{
	return s->queue.waiting_in[class];
}

int
sched_running(const struct sched *s)
{
	return s->running;
}

int64_t
sched_oldest_ms(const struct sched *s, int64_t now_ms)
{
	const struct job *j = queue_oldest(&s->queue);

	return j == NULL ? 0 : now_ms - j->queued_at_ms;
}

int
sched_position(const struct sched *s, const struct job *j)
{
	struct turn own;
	struct job *other;
	int ahead = 0;

	if (j->lane == NULL)
		return 0;
	own = turn_of(&s->queue, j, s->now_ms);
	LIST_FOR_EACH (other, &s->queue.by_age, struct job, age_link)
		ahead += turn_is_before(turn_of(&s->queue, other, s->now_ms), own);
	return ahead;
}

int64_t
sched_eta_ms(const struct sched *s, const struct job *j, int64_t now_ms)
{
	return j->lane == NULL ? 0 : eta_start_ms(&s->queue, &s->fleet, j, now_ms);
}

const struct backend *
sched_loading_for(const struct sched *s, const struct job *j)
{
	for (size_t i = 0; i < s->fleet.count && j->lane != NULL; i++)
		if (j->variant->places[i].residency == LOADING)
			return s->fleet.backends[i];
	return NULL;
}

int64_t
sched_retry_after_ms(const struct sched *s, int64_t now_ms)
{
	int64_t ms = pace_estimate_ms(&s->pace, s->queue.waiting + 1, now_ms);

	if (ms < RETRY_AFTER_LEAST_MS)
		return RETRY_AFTER_LEAST_MS;
	return ms < RETRY_AFTER_MOST_MS ? ms : RETRY_AFTER_MOST_MS;
}
