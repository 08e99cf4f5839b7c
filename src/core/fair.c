/* Virtual time of classes and keys. */
#include "fair.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

/* Virtual time for one unit of cost: the weights are 8, 4 and 1. */
const int fair_class_steps[CLASSES] = {
    [CLASS_HIGH] = 1,
    [CLASS_NORMAL] = 2,
    [CLASS_LOW] = 8,
};

void
fair_init(struct fair *f)
{
	*f = (struct fair){0};
	list_init(&f->active);
	list_init(&f->idle);
}

/* Out of the list of idle ones, for good. */
static void
account_forget(struct fair *f, struct account *a)
{
	assert(a != NULL && a->jobs == 0 && list_empty(&a->flows));
	map_take(&f->accounts, a->key);
	list_remove(&a->link);
	f->idle_count--;
	free(a->key);
	free(a);
}

void
fair_finish(struct fair *f)
{
	struct account *a;

	assert(list_empty(&f->active));
	while ((a = LIST_FIRST(&f->idle, struct account, link)) != NULL)
		account_forget(f, a);
	map_finish(&f->accounts);
}

static struct account *
account_create(struct fair *f, const char *key)
{
	struct account *a = NEW(struct account);

	a->key = mem_strdup(key);
	list_init(&a->flows);
	list_init(&a->link);
	map_put(&f->accounts, key, a);
	list_add_last(&f->idle, &a->link);
	f->idle_count++;
	return a;
}

static int64_t
least_active(const struct fair *f)
{
	int64_t least = INT64_MAX;
	struct account *a;

	LIST_FOR_EACH (a, &f->active, struct account, link)
		least = a->time - a->in_flight < least ? a->time - a->in_flight : least;
	return list_empty(&f->active) ? f->key_floor : least;
}

void
fair_join(struct fair *f, struct job *j)
{
	const char *key = j->key != NULL ? j->key : "";
	struct account *a = map_find(&f->accounts, key);

	assert(j->account == NULL);
	if (a == NULL)
		a = account_create(f, key);
	if (a->jobs++ == 0) {
		int64_t least = least_active(f);

		a->time = a->time > least ? a->time : least;
		list_remove(&a->link);
		list_add_last(&f->active, &a->link);
		f->idle_count--;
	}
	j->account = a;
}

void
fair_leave(struct fair *f, struct job *j)
{
	struct account *a = j->account;

	j->account = NULL;
	assert(a->jobs > 0);
	if (--a->jobs > 0)
		return;
	list_remove(&a->link);
	list_add_last(&f->idle, &a->link);
	f->idle_count++;
	if (list_empty(&f->active) && a->time > f->key_floor)
		f->key_floor = a->time;
	if (f->idle_count > IDLE_ACCOUNTS)
		account_forget(f, LIST_FIRST(&f->idle, struct account, link));
}

void
fair_wake_class(struct fair *f, enum job_class class, const int *waiting_in)
{
	int64_t least = INT64_MAX;

	for (int c = 0; c < CLASSES; c++)
		if (waiting_in[c] > 0 && f->class_time[c] < least)
			least = f->class_time[c];
	if (least == INT64_MAX)
		least = f->class_floor;
	if (f->class_time[class] < least)
		f->class_time[class] = least;
}

void
fair_rest_class(struct fair *f, enum job_class class)
{
	if (f->class_time[class] > f->class_floor)
		f->class_floor = f->class_time[class];
}

int64_t
fair_cost(int64_t prompt, int64_t output)
{
	return PROMPT_TOKEN_COST * prompt + OUTPUT_TOKEN_COST * output;
}

static int
weight_of(const struct job *j)
{
	return j->weight > 0 ? j->weight : 1;
}

/* The heavier, the slower it passes. */
int64_t
fair_key_time(const struct job *j, int64_t cost)
{
	return cost * KEY_PARTS / weight_of(j);
}

int64_t
fair_key_cost(const struct job *j, int64_t time)
{
	return time / KEY_PARTS * weight_of(j);
}

static void
charge(struct fair *f, struct job *j, int64_t cost)
{
	j->account->time += fair_key_time(j, cost) - fair_key_time(j, j->charged);
	f->class_time[j->class] += (cost - j->charged) * fair_class_steps[j->class];
	j->charged = cost;
}

void
fair_start(struct fair *f, struct job *j, int64_t cost)
{
	charge(f, j, cost);
	j->account->in_flight += fair_key_time(j, cost);
}

void
fair_correct(struct fair *f, struct job *j, int64_t cost)
{
	j->account->in_flight += fair_key_time(j, cost) - fair_key_time(j, j->charged);
	charge(f, j, cost);
}

void
fair_stop(struct job *j)
{
	j->account->in_flight -= fair_key_time(j, j->charged);
}
