/*
 * The queue: lanes of jobs, and the order among them.
 *
 * Invariants: a lane exists while it has a job; by_age holds every waiting job in order of
 * sequence, which is also the order of queued_at_ms.
 */
#include "queue.h"

#include "base/mem.h"
#include "fleet.h"

#include <assert.h>
#include <stdlib.h>

void
queue_init(struct queue *q, int64_t aging_ms)
{
	*q = (struct queue){.aging_ms = aging_ms, .next_deadline_ms = INT64_MAX};
	list_init(&q->lanes);
	list_init(&q->by_age);
}

struct need
need_of(const struct job *j)
{
	return (struct need){
	    .variant = j->variant,
	    .only = j->only,
	    .avoid = j->avoid,
	    .slotless = j->slotless,
	};
}

static bool
need_eq(const struct need *a, const struct need *b)
{
	return a->variant == b->variant && a->only == b->only && a->avoid == b->avoid &&
	       a->slotless == b->slotless;
}

/* --- lanes --- */

static struct lane *
lane_create(struct queue *q, const struct need *need)
{
	struct lane *l = NEW(struct lane);

	l->need = *need;
	for (int c = 0; c < CLASSES; c++)
		list_init(&l->jobs[c]);
	list_init(&l->waiting_link);
	list_init(&l->variant_link);
	list_add_last(&q->lanes, &l->waiting_link);
	list_add_last(&need->variant->lanes, &l->variant_link);
	return l;
}

static struct lane *
get_lane(struct queue *q, const struct need *need)
{
	struct lane *l;

	LIST_FOR_EACH (l, &need->variant->lanes, struct lane, variant_link)
		if (need_eq(&l->need, need))
			return l;
	return lane_create(q, need);
}

static void
lane_drop_empty(struct lane *l)
{
	for (int c = 0; c < CLASSES; c++)
		if (!list_empty(&l->jobs[c]))
			return;
	assert(l->keeps == NULL);
	list_remove(&l->waiting_link);
	list_remove(&l->variant_link);
	free(l);
}

/* --- order --- */

static struct job *
first_of(const struct lane *l, int class)
{
	return LIST_FIRST(&l->jobs[class], struct job, queue_link);
}

struct job *
lane_oldest(const struct lane *l)
{
	struct job *oldest = NULL;

	for (int c = 0; c < CLASSES; c++) {
		struct job *j = first_of(l, c);

		if (j != NULL && (oldest == NULL || j->sequence < oldest->sequence))
			oldest = j;
	}
	return oldest;
}

static struct job *
first_by_class(const struct lane *l)
{
	for (int c = 0; c < CLASSES; c++)
		if (!list_empty(&l->jobs[c]))
			return first_of(l, c);
	abort();
}

struct job *
lane_first(const struct queue *q, const struct lane *l, int64_t now_ms)
{
	if (queue_has_aged(q, now_ms)) {
		struct job *oldest = lane_oldest(l);

		if (job_is_aged(q, oldest, now_ms))
			return oldest;
	}
	return first_by_class(l);
}

/* --- the whole queue --- */

/* By sequence. Newcomers are the last at once; one that is tried again is among the first. */
static void
insert_in_class(struct list *head, struct job *j)
{
	struct job *at;

	if (list_empty(head) ||
	    LIST_ENTRY(head->prev, struct job, queue_link)->sequence < j->sequence) {
		list_add_last(head, &j->queue_link);
		return;
	}
	LIST_FOR_EACH (at, head, struct job, queue_link)
		if (at->sequence > j->sequence)
			break;
	list_insert_after(at->queue_link.prev, &j->queue_link);
}

static void
insert_by_age(struct list *head, struct job *j)
{
	struct job *at;

	if (list_empty(head) || LIST_ENTRY(head->prev, struct job, age_link)->sequence < j->sequence) {
		list_add_last(head, &j->age_link);
		return;
	}
	LIST_FOR_EACH (at, head, struct job, age_link)
		if (at->sequence > j->sequence)
			break;
	list_insert_after(at->age_link.prev, &j->age_link);
}

void
queue_add(struct queue *q, struct job *j)
{
	struct need need = need_of(j);

	j->lane = get_lane(q, &need);
	insert_in_class(&j->lane->jobs[j->class], j);
	insert_by_age(&q->by_age, j);
	q->waiting++;
	q->waiting_in[j->class]++;
	if (j->deadline_ms > 0 && j->deadline_ms < q->next_deadline_ms)
		q->next_deadline_ms = j->deadline_ms;
}

void
queue_remove(struct queue *q, struct job *j)
{
	struct lane *l = j->lane;

	assert(l != NULL && q->waiting > 0);
	list_remove(&j->queue_link);
	list_remove(&j->age_link);
	j->lane = NULL;
	q->waiting--;
	q->waiting_in[j->class]--;
	lane_drop_empty(l);
}

struct job *
queue_oldest(const struct queue *q)
{
	return LIST_FIRST(&q->by_age, struct job, age_link);
}

bool
queue_has_aged(const struct queue *q, int64_t now_ms)
{
	const struct job *oldest = queue_oldest(q);

	return oldest != NULL && job_is_aged(q, oldest, now_ms);
}

struct job *
queue_find_overdue(struct queue *q, int64_t now_ms)
{
	int64_t next = INT64_MAX;
	struct job *j;

	/* Jobs that left do not raise the bound: one look too many, once. */
	if (now_ms < q->next_deadline_ms)
		return NULL;
	LIST_FOR_EACH (j, &q->by_age, struct job, age_link) {
		if (j->deadline_ms == 0)
			continue;
		if (j->deadline_ms <= now_ms)
			return j;
		if (j->deadline_ms < next)
			next = j->deadline_ms;
	}
	q->next_deadline_ms = next;
	return NULL;
}
