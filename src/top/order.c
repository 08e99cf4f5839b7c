/* Sorting of requests: what runs, then who is next; or the largest first. */
#include "order.h"

#include <stdlib.h>
#include <string.h>

static int
compare_numbers(double a, double b)
{
	return (a > b) - (a < b);
}

static int
rank_of(const struct request_shown *r)
{
	if (strcmp(r->state, "running") == 0)
		return 0;
	if (strcmp(r->state, "joined") == 0)
		return 1;
	return strcmp(r->state, "queued") == 0 ? 2 : 3;
}

static int
by_turn(const struct request_shown *a, const struct request_shown *b)
{
	int by_rank = rank_of(a) - rank_of(b);

	return by_rank != 0 ? by_rank : compare_numbers((double)a->position, (double)b->position);
}

static int
by_age(const struct request_shown *a, const struct request_shown *b)
{
	return compare_numbers((double)b->age_ms, (double)a->age_ms);
}

static int
by_tokens(const struct request_shown *a, const struct request_shown *b)
{
	return compare_numbers((double)b->tokens, (double)a->tokens);
}

static int
by_rate(const struct request_shown *a, const struct request_shown *b)
{
	return compare_numbers(b->rate, a->rate);
}

static int
by_key(const struct request_shown *a, const struct request_shown *b)
{
	return strcmp(a->key, b->key);
}

static int
by_model(const struct request_shown *a, const struct request_shown *b)
{
	return strcmp(a->model, b->model);
}

static const struct {
	const char *name;
	int (*compare)(const struct request_shown *a, const struct request_shown *b);
} orders[ORDERS] = {
    [BY_TURN] = {"turn", by_turn},       [BY_AGE] = {"age", by_age},
    [BY_TOKENS] = {"tokens", by_tokens}, [BY_RATE] = {"tokens/s", by_rate},
    [BY_KEY] = {"key", by_key},          [BY_MODEL] = {"model", by_model},
};

const char *
order_name(enum order_by by)
{
	return orders[by].name;
}

static int
compare(const void *a, const void *b, void *arg)
{
	const struct request_shown *first = a, *second = b;
	int found = orders[*(const enum order_by *)arg].compare(first, second);

	/* qsort keeps no order among equals: where a row stood says which came first. */
	return found != 0 ? found : compare_numbers((double)first->index, (double)second->index);
}

void
order_rows(struct picture *p, enum order_by by)
{
	qsort_r(p->rows, p->row_count, sizeof(p->rows[0]), compare, &by);
}
