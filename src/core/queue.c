/*
 * The queue: lanes of flows of jobs, and the order among them.
 *
 * Invariants: a lane exists while it has a flow, a flow while it has a job; by_age holds every
 * waiting job in order of sequence, which is also the order of queued_at_ms.
 */
#include "queue.h"

#include "base/mem.h"
#include "fleet.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

void
queue_init(struct queue *q, int64_t aging_ms)
{
	*q = (struct queue){.aging_ms = aging_ms, .next_deadline_ms = INT64_MAX};
	list_init(&q->lanes);
	list_init(&q->by_age);
	fair_init(&q->fair);
}

void
queue_finish(struct queue *q)
{
	assert(q->waiting == 0 && list_empty(&q->lanes));
	fair_finish(&q->fair);
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
		list_init(&l->flows[c]);
	list_init(&l->by_age);
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
	if (!list_empty(&l->by_age))
		return;
	assert(l->keeps == NULL);
	list_remove(&l->waiting_link);
	list_remove(&l->variant_link);
	free(l);
}

/* --- flows --- */

static struct flow *
get_flow(struct lane *l, const struct job *j)
{
	struct flow *f;

	/* A key has few flows, while a lane may have one for every key. */
	LIST_FOR_EACH (f, &j->account->flows, struct flow, account_link)
		if (f->lane == l && f->class == j->class)
			return f;
	f = NEW(struct flow);
	f->lane = l;
	f->account = j->account;
	f->class = j->class;
	list_init(&f->jobs);
	list_add_last(&l->flows[j->class], &f->lane_link);
	list_add_last(&j->account->flows, &f->account_link);
	return f;
}

static void
flow_drop_empty(struct flow *f)
{
	if (!list_empty(&f->jobs))
		return;
	list_remove(&f->lane_link);
	list_remove(&f->account_link);
	free(f);
}

/* --- order --- */

static struct job *
first_of(const struct flow *f)
{
	return LIST_FIRST(&f->jobs, struct job, queue_link);
}

/* Of classes whose turn is equal the higher goes first. */
static bool
class_is_before(const struct queue *q, int a, int b)
{
	return fair_class_turn(&q->fair, (enum job_class)a) <
	       fair_class_turn(&q->fair, (enum job_class)b);
}

/* The class of those that wait, anywhere, whose turn it is. */
static int
class_in_turn(const struct queue *q)
{
	int best = CLASSES;

	for (int c = 0; c < CLASSES; c++)
		if (q->waiting_in[c] > 0 && (best == CLASSES || class_is_before(q, c, best)))
			best = c;
	return best;
}

struct turn
turn_of(const struct queue *q, const struct job *j, int64_t now_ms)
{
	struct turn t = {
	    .class_turn = INT64_MIN,
	    .key_time = j->account->time,
	    .sequence = j->sequence,
	};

	if (job_is_starving(q, j, now_ms)) {
		t.key_time = INT64_MIN;
	} else if (!job_is_aged(q, j, now_ms) && (int)j->class != class_in_turn(q)) {
		t.class_turn = fair_class_turn(&q->fair, j->class);
		t.class = (int)j->class;
	}
	return t;
}

/* The class of the lane whose turn it is. */
static int
class_in_turn_of(const struct queue *q, const struct lane *l)
{
	int best = CLASSES;

	for (int c = 0; c < CLASSES; c++)
		if (!list_empty(&l->flows[c]) && (best == CLASSES || class_is_before(q, c, best)))
			best = c;
	return best;
}

/* Of the flows of one class: where nobody is aged, these alone come into question. */
static struct job *
first_of_class(const struct lane *l, int class)
{
	struct job *first = NULL;
	struct flow *f;

	LIST_FOR_EACH (f, &l->flows[class], struct flow, lane_link) {
		struct job *j = first_of(f);

		if (first == NULL || f->account->time < first->account->time ||
		    (f->account->time == first->account->time && j->sequence < first->sequence))
			first = j;
	}
	return first;
}

/* Of all flows. */
static struct job *
first_by_turn(const struct queue *q, const struct lane *l, int64_t now_ms)
{
	struct job *first = NULL;
	struct turn turn = {0};
	struct flow *f;

	for (int c = 0; c < CLASSES; c++)
		LIST_FOR_EACH (f, &l->flows[c], struct flow, lane_link) {
			struct turn its = turn_of(q, first_of(f), now_ms);

			if (first != NULL && !turn_is_before(its, turn))
				continue;
			first = first_of(f);
			turn = its;
		}
	return first;
}

struct job *
lane_first(const struct queue *q, const struct lane *l, int64_t now_ms)
{
	if (job_is_starving(q, lane_oldest(l), now_ms))
		return lane_oldest(l);
	if (job_is_aged(q, lane_oldest(l), now_ms))
		return first_by_turn(q, l, now_ms);
	return first_of_class(l, class_in_turn_of(q, l));
}

/* --- the whole queue --- */

static uint64_t
sequence_at(const struct list *link, size_t offset)
{
	return ((const struct job *)(const void *)((const char *)link - offset))->sequence;
}

/* By sequence. Newcomers are the last at once; one that is tried again is among the first. */
static void
insert(struct list *head, struct list *link, size_t offset)
{
	uint64_t sequence = sequence_at(link, offset);
	struct list *after = head;

	if (!list_empty(head) && sequence_at(head->prev, offset) < sequence)
		after = head->prev;
	else
		while (after->next != head && sequence_at(after->next, offset) < sequence)
			after = after->next;
	list_insert_after(after, link);
}

int queue_weight(enum job_class class)
{
	return class == CLASS_LOW ? 1 : 3;
}

/* Remote models are loaded nowhere. */
static void
count_wait(const struct job *j, int sign)
{
	int weight = j->slotless ? 0 : sign * queue_weight(j->class);

	j->lane->waiting += sign;
	j->lane->wait_weight += weight;
	j->lane->wait_since += weight * j->queued_at_ms;
	j->variant->wait_weight += weight;
}

void
queue_add(struct queue *q, struct job *j)
{
	struct need need = need_of(j);

	j->lane = get_lane(q, &need);
	j->flow = get_flow(j->lane, j);
	insert(&j->flow->jobs, &j->queue_link, offsetof(struct job, queue_link));
	insert(&j->lane->by_age, &j->lane_link, offsetof(struct job, lane_link));
	insert(&q->by_age, &j->age_link, offsetof(struct job, age_link));
	if (q->waiting_in[j->class] == 0)
		fair_wake_class(&q->fair, j->class, q->waiting_in);
	q->waiting++;
	q->waiting_in[j->class]++;
	j->account->waiting++;
	count_wait(j, 1);
	if (j->deadline_ms > 0 && j->deadline_ms < q->next_deadline_ms)
		q->next_deadline_ms = j->deadline_ms;
}

void
queue_remove(struct queue *q, struct job *j)
{
	assert(j->lane != NULL && q->waiting > 0);
	list_remove(&j->queue_link);
	list_remove(&j->lane_link);
	list_remove(&j->age_link);
	q->waiting--;
	q->waiting_in[j->class]--;
	j->account->waiting--;
	count_wait(j, -1);
	if (q->waiting_in[j->class] == 0)
		fair_rest_class(&q->fair, j->class);
	flow_drop_empty(j->flow);
	lane_drop_empty(j->lane);
	j->flow = NULL;
	j->lane = NULL;
}

/* The newest of those of a class whose key holds most. */
static struct job *
newest_of_largest(const struct queue *q, int class)
{
	struct job *found = NULL;
	struct lane *l;
	struct flow *f;

	LIST_FOR_EACH (l, &q->lanes, struct lane, waiting_link)
		LIST_FOR_EACH (f, &l->flows[class], struct flow, lane_link) {
			struct job *j = LIST_ENTRY(f->jobs.prev, struct job, queue_link);
			int more = found == NULL ? 1 : f->account->waiting - found->account->waiting;

			if (more > 0 || (more == 0 && j->sequence > found->sequence))
				found = j;
		}
	return found;
}

struct job *
queue_find_displaced(const struct queue *q, const struct job *newcomer)
{
	for (int c = CLASSES - 1; c >= (int)newcomer->class; c--) {
		struct job *j;

		if (q->waiting_in[c] == 0)
			continue;
		j = newest_of_largest(q, c);
		/* Of equals it would be a mere exchange. */
		if (c == (int)newcomer->class && j->account->waiting <= newcomer->account->waiting + 1)
			return NULL;
		return j;
	}
	return NULL;
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
