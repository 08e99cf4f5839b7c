/* Who is let in. */
#include "admit.h"

#include "eta.h"
#include "outlook.h"

static bool
is_full(const struct sched *s)
{
	return s->queue.waiting >= s->conf.queue_size;
}

/* While the queue is half empty nobody is kept from using it alone. */
static bool
has_its_share(const struct sched *s, const struct job *j)
{
	return s->conf.per_key > 0 && 2 * s->queue.waiting >= s->conf.queue_size &&
	       j->account->waiting >= s->conf.per_key;
}

static bool
must_stay_out(const struct sched *s, const struct job *j)
{
	return is_full(s) || has_its_share(s, j);
}

/* The queue is full of jobs that must wait: a newcomer is taken only if it need not. */
static bool
start_newcomer(struct sched *s, struct job *j, int64_t now_ms)
{
	struct backend *b;

	survey_take(&s->survey, &s->fleet, now_ms);
	b = moves_find_place(s, j);
	if (b == NULL)
		return false;
	moves_enter_queue(s, j, now_ms);
	moves_start(s, j, b, now_ms);
	return true;
}

/* Somebody gives way to a newcomer. */
static bool
displace_for(struct sched *s, const struct job *newcomer, int64_t now_ms)
{
	struct job *j;

	if (has_its_share(s, newcomer))
		return false;
	j = queue_find_displaced(&s->queue, newcomer);
	if (j == NULL)
		return false;
	moves_leave_queue(s, j, now_ms);
	list_add_last(&s->displaced, &j->queue_link);
	return true;
}

/* A refusal now is better than one when it is too late to go elsewhere. */
static bool
will_be_late(const struct sched *s, const struct job *j, int64_t now_ms)
{
	return eta_is_late(&s->queue, &s->fleet, j, now_ms);
}

bool
admit_is_hopeless(const struct sched *s, const struct need *need)
{
	return outlook_of(&s->fleet, need->variant->model, need->variant, need->slotless, need->only,
	                  s->now_ms) != SCHED_QUEUED;
}

enum sched_answer
admit_job(struct sched *s, struct job *j, int64_t now_ms)
{
	struct need need = need_of(j);

	/* The model was not, but it may be with these options. */
	if (admit_is_hopeless(s, &need))
		return SCHED_LOAD_FAILED;
	if (must_stay_out(s, j) || will_be_late(s, j, now_ms)) {
		while (moves_start_next(s, now_ms))
			;
		if (start_newcomer(s, j, now_ms))
			return SCHED_QUEUED;
		if (will_be_late(s, j, now_ms))
			return SCHED_TOO_LATE;
		if (must_stay_out(s, j) && !displace_for(s, j, now_ms))
			return SCHED_FULL;
	}
	moves_enter_queue(s, j, now_ms);
	return SCHED_QUEUED;
}
