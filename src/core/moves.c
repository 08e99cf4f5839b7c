/* The moves of jobs between queue and nodes. */
#include "moves.h"

#include "eta.h"
#include "keep.h"
#include "node.h"

void
moves_enter_queue(struct sched *s, struct job *j, int64_t now_ms)
{
	job_move(j, JOB_QUEUED);
	queue_add(&s->queue, j);
	/* There may be a free place for it. */
	if (j->variant->held == 0 && j == lane_oldest(j->lane))
		fleet_weigh_now(&s->fleet);
	else
		fleet_weigh_soon(&s->fleet);
	pace_saw_queue(&s->pace, true, now_ms);
}

void
moves_leave_queue(struct sched *s, struct job *j, int64_t now_ms)
{
	/* A node is kept for the oldest job of a lane alone. */
	if (j == lane_oldest(j->lane))
		keep_drop(j->lane);
	queue_remove(&s->queue, j);
	fleet_weigh_soon(&s->fleet);
	if (s->queue.waiting == 0)
		pace_saw_queue(&s->pace, false, now_ms);
}

void
moves_start(struct sched *s, struct job *j, struct backend *b, int64_t now_ms)
{
	/* While it still waits: where its class rests counts it. */
	fair_start(&s->queue.fair, j, eta_cost(j));
	moves_leave_queue(s, j, now_ms);
	backend_take(b, j, now_ms);
	affinity_saw(&s->affinity, j->conversation, b);
	job_move(j, JOB_RUNNING);
	j->dispatched_at_ms = now_ms;
	if (j->attempts++ == 0)
		budget_earn(&s->budget);
	s->running++;
	list_add_last(&s->started, &j->queue_link);
}

struct backend *
moves_find_place(const struct sched *s, const struct job *j)
{
	return place_find(&s->survey, j, affinity_find(&s->affinity, j->conversation));
}

/* The first in the order of the queue that can start now. */
bool
moves_start_next(struct sched *s, int64_t now_ms)
{
	struct job *first = NULL;
	struct backend *where = NULL;
	struct turn turn = {0};
	struct lane *l;

	if (s->queue.waiting == 0)
		return false;
	survey_take(&s->survey, &s->fleet, now_ms);
	/* By orders nodes are drained on purpose. */
	if (!s->fleet.by_orders && queue_has_aged(&s->queue, now_ms))
		keep_review(&s->queue, &s->survey, now_ms);
	LIST_FOR_EACH (l, &s->queue.lanes, struct lane, waiting_link) {
		struct backend *b;
		struct turn its;
		struct job *j;

		if (!place_is_open(&s->survey, &l->need))
			continue;
		j = lane_first(&s->queue, l, now_ms);
		its = turn_of(&s->queue, j, now_ms);
		if (first != NULL && !turn_is_before(its, turn))
			continue;
		b = moves_find_place(s, j);
		if (b == NULL)
			continue;
		first = j;
		where = b;
		turn = its;
	}
	if (first == NULL)
		return false;
	moves_start(s, first, where, now_ms);
	return true;
}
