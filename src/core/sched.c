/*
 * The scheduler: facts in, decisions out.
 *
 * Decisions are made when sched_pick asks, over everything that came in this turn; only
 * when a newcomer finds the queue at its bound are those that can start let go first, for
 * the bound counts what must wait. What was decided so, and not picked yet, is in `started`:
 * it runs already, its slot is taken.
 *
 * Time makes jobs startable only through a node that comes back (sched_next_ms). Aging
 * needs no alarm: it changes who goes first, not whether anybody can go.
 */
#include "core/sched.h"

#include "admit.h"
#include "base/mem.h"
#include "eta.h"
#include "moves.h"
#include "node.h"
#include "outlook.h"
#include "sched_impl.h"
#include "swap.h"
#include "swap_choice.h"
#include "unify.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct sched *
sched_create(const struct sched_conf *conf)
{
	struct sched *s = NEW(struct sched);

	assert(conf->queue_size >= 0);
	s->conf = *conf;
	queue_init(&s->queue, conf->aging_ms);
	fleet_init(&s->fleet);
	s->fleet.by_orders = conf->loads_by_orders;
	s->fleet.load_ms = conf->load_ms;
	list_init(&s->started);
	list_init(&s->displaced);
	budget_init(&s->budget, conf->retry_budget_percent);
	return s;
}

void
sched_destroy(struct sched **sp)
{
	struct sched *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	assert(s->running == 0 && list_empty(&s->displaced));
	queue_finish(&s->queue);
	fleet_finish(&s->fleet);
	survey_finish(&s->survey);
	free(s);
}

struct backend *
sched_add_backend(struct sched *s, const struct backend_conf *conf)
{
	struct backend *b = fleet_add(&s->fleet, conf, &s->conf.health);

	survey_resize(&s->survey, s->fleet.count);
	return b;
}

size_t
sched_backend_count(const struct sched *s)
{
	return s->fleet.count;
}

struct backend *
sched_backend(const struct sched *s, size_t i)
{
	assert(i < s->fleet.count);
	return s->fleet.backends[i];
}

struct backend *
sched_find_backend(const struct sched *s, const char *name)
{
	for (size_t i = 0; i < s->fleet.count; i++)
		if (!s->fleet.backends[i]->retired && strcmp(s->fleet.backends[i]->name, name) == 0)
			return s->fleet.backends[i];
	return NULL;
}

/* --- in and out of the queue --- */

/* No longer the scheduler's. */
static void
finish(struct sched *s, struct job *j, enum job_end end)
{
	job_finish(j, end);
	fair_leave(&s->queue.fair, j);
	variant_release(&s->fleet, &j->variant);
}

static void
end_queued(struct sched *s, struct job *j, enum job_end end, int64_t now_ms)
{
	if (j->lane != NULL)
		moves_leave_queue(s, j, now_ms);
	else
		list_remove(&j->queue_link); /* displaced */
	finish(s, j, end);
}

enum sched_answer
sched_submit(struct sched *s, struct job *j, const char *model, int64_t now_ms)
{
	enum sched_answer answer;

	assert(j->state == JOB_NEW);
	s->now_ms = now_ms;
	answer = sched_outlook(s, j, model);
	if (answer != SCHED_QUEUED)
		return answer;
	unify_take(&s->fleet, j, model, now_ms);
	j->sequence = s->next_sequence++;
	j->queued_at_ms = now_ms;
	if (!j->slotless)
		swap_saw_arrival(j->variant, queue_weight(j->class), now_ms);
	fair_join(&s->queue.fair, j);
	answer = admit_job(s, j, now_ms);
	if (answer == SCHED_QUEUED) {
		unify_gather(&s->fleet, &s->queue, j);
		return answer;
	}
	fair_leave(&s->queue.fair, j);
	variant_release(&s->fleet, &j->variant);
	/* It would have waited: with a queue of size 0 nothing else says that there is demand. */
	pace_saw_queue(&s->pace, true, now_ms);
	return answer;
}

const char *
sched_model(const struct sched *s, const char *name)
{
	return twins_elder(&s->fleet.twins, name);
}

enum sched_answer
sched_outlook(const struct sched *s, const struct job *j, const char *model)
{
	return outlook_of(&s->fleet, model, variant_find(&s->fleet, model), j->slotless, j->only,
	                  s->now_ms);
}

struct job *
sched_pick(struct sched *s, int64_t now_ms, bool *was_loaded)
{
	struct job *j;

	s->now_ms = now_ms;
	unify_settle(&s->fleet, &s->queue);
	if (list_empty(&s->started) && !moves_start_next(s, now_ms))
		return NULL;
	j = LIST_FIRST(&s->started, struct job, queue_link);
	list_remove(&j->queue_link);
	*was_loaded = j->was_loaded;
	return j;
}

struct job *
sched_take_expired(struct sched *s, int64_t now_ms)
{
	struct job *j = queue_oldest(&s->queue);
	int64_t bound = s->conf.max_wait_ms;

	s->now_ms = now_ms;
	if (j == NULL || bound == 0 || now_ms - j->queued_at_ms < bound)
		j = queue_find_overdue(&s->queue, now_ms);
	if (j != NULL)
		end_queued(s, j, JOB_DEADLINE, now_ms);
	return j;
}

bool
sched_take_order(struct sched *s, int64_t now_ms, struct order *out)
{
	assert(s->fleet.by_orders);
	s->now_ms = now_ms;
	unify_settle(&s->fleet, &s->queue);
	return swap_take_order(&s->fleet, &s->queue, &s->survey, now_ms, out);
}

void
sched_saw_order(struct sched *s, const struct order *o, enum order_end end, int64_t now_ms)
{
	s->now_ms = now_ms;
	swap_saw_order(&s->fleet, o, end, now_ms);
}

struct job *
sched_take_hopeless(struct sched *s, int64_t now_ms)
{
	struct lane *l;

	s->now_ms = now_ms;
	if (s->changes_weighed == s->fleet.changes)
		return NULL;
	LIST_FOR_EACH (l, &s->queue.lanes, struct lane, waiting_link)
		if (admit_is_hopeless(s, &l->need)) {
			struct job *j = lane_oldest(l);

			end_queued(s, j, JOB_REFUSED, now_ms);
			return j;
		}
	s->changes_weighed = s->fleet.changes;
	return NULL;
}

struct job *
sched_take_displaced(struct sched *s)
{
	struct job *j = LIST_FIRST(&s->displaced, struct job, queue_link);

	if (j != NULL)
		end_queued(s, j, JOB_REFUSED, s->now_ms);
	return j;
}

int64_t
sched_next_ms(const struct sched *s, int64_t now_ms)
{
	int64_t next = s->queue.next_deadline_ms;

	if (!list_empty(&s->started) || !list_empty(&s->displaced))
		return now_ms;
	if (s->queue.waiting == 0)
		return INT64_MAX;
	if (s->conf.max_wait_ms > 0) {
		int64_t at = queue_oldest(&s->queue)->queued_at_ms + s->conf.max_wait_ms;

		next = at < next ? at : next;
	}
	if (s->fleet.by_orders && s->fleet.next_swap_ms < next)
		next = s->fleet.next_swap_ms;
	for (size_t i = 0; i < s->fleet.count; i++) {
		int64_t at = backend_back_at_ms(s->fleet.backends[i], now_ms);

		next = at < next ? at : next;
	}
	return next;
}

/* --- after the start --- */

/* From a job that came to its end. */
static void
learn(const struct job *j, int64_t now_ms)
{
	struct variant *v = j->variant;

	if (!j->slotless)
		estimate_saw_service(&v->estimate, &v->places[j->backend->index].speed, j->charged,
		                     now_ms - j->dispatched_at_ms, j->was_loaded);
}

/* The slot comes back before anything else is made of the end. */
static void
stop(struct sched *s, struct job *j, bool done, int64_t now_ms)
{
	assert(s->running > 0);
	if (done)
		learn(j, now_ms);
	backend_put(j->backend, j, done, now_ms);
	fair_stop(j);
	list_remove(&j->queue_link);
	fleet_weigh_soon(&s->fleet);
	s->running--;
	pace_saw_end(&s->pace, now_ms);
}

const struct variant_options *
sched_options(const struct job *j)
{
	return &j->variant->options;
}

int32_t
sched_context(const struct sched *s, const struct job *j)
{
	return unify_context(&s->fleet, j);
}

void
sched_saw_tokens(struct sched *s, struct job *j, int prompt, int output)
{
	assert(j->state == JOB_RUNNING);
	if (j->slotless)
		return;
	estimate_saw_output(&j->variant->estimate, j->class, output);
	fair_correct(&s->queue.fair, j, fair_cost(prompt, output));
}

void
sched_end(struct sched *s, struct job *j, enum job_end end, int64_t now_ms)
{
	s->now_ms = now_ms;
	switch (j->state) {
	case JOB_NEW: job_finish(j, end); return;
	case JOB_QUEUED: end_queued(s, j, end, now_ms); return;
	case JOB_RUNNING:
		stop(s, j, end == JOB_DONE, now_ms);
		finish(s, j, end);
		return;
	case JOB_ENDED: break;
	}
	abort();
}

/* The contexts of its model may have grown meanwhile. */
static void
choose_again(struct sched *s, struct job *j, int64_t now_ms)
{
	struct variant *before = j->variant;

	unify_take(&s->fleet, j, before->model, now_ms);
	variant_release(&s->fleet, &before);
}

bool
sched_retry(struct sched *s, struct job *j, int64_t now_ms)
{
	struct need need = need_of(j);

	assert(j->state == JOB_RUNNING);
	s->now_ms = now_ms;
	if (j->attempts >= s->conf.retry_attempts || admit_is_hopeless(s, &need))
		return false;
	if (!budget_spend(&s->budget, now_ms))
		return false;
	j->avoid = j->backend;
	stop(s, j, false, now_ms);
	choose_again(s, j, now_ms);
	moves_enter_queue(s, j, now_ms);
	unify_gather(&s->fleet, &s->queue, j);
	return true;
}
