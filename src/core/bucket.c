/* A token bucket in whole numbers. */
#include "bucket.h"

#include <assert.h>

enum { PARTS = 60000 }; /* of one: a millisecond refills `rate` of them */

/* What is owed is bounded, so that no count that a node makes up can overflow. */
#define MOST_OWED (INT64_C(1000) * BUCKET_MOST * PARTS)

/* A millisecond's refill beyond the capacity, for who comes at the very time that was told: the
 * whole milliseconds that it waited brought more than it takes, and what is over would be lost each
 * time. */
static int64_t
most_parts(const struct bucket *b)
{
	return b->capacity * PARTS + b->rate - 1;
}

void
bucket_init(struct bucket *b, int64_t rate, int64_t capacity, int64_t now_ms)
{
	assert(rate >= 0 && rate <= BUCKET_MOST && capacity > 0 && capacity <= BUCKET_MOST);
	*b = (struct bucket){rate, capacity, capacity * PARTS, now_ms};
}

/* Until so many parts more are in it. */
static int64_t
time_for(const struct bucket *b, int64_t parts)
{
	return parts <= 0 ? 0 : (parts + b->rate - 1) / b->rate;
}

static void
refill(struct bucket *b, int64_t now_ms)
{
	int64_t passed_ms = now_ms - b->at_ms, full = most_parts(b);

	if (passed_ms <= 0)
		return;
	b->at_ms = now_ms;
	/* Compared as time first: a product of a long time would overflow. */
	if (passed_ms >= time_for(b, full - b->parts))
		b->parts = full;
	else
		b->parts += passed_ms * b->rate;
}

void
bucket_reshape(struct bucket *b, int64_t rate, int64_t capacity, int64_t now_ms)
{
	struct bucket before = *b;
	int64_t least, parts;

	bucket_init(b, rate, capacity, now_ms);
	if (before.rate == 0)
		return;
	refill(&before, now_ms);
	least = before.parts < 0 ? before.parts : 0;
	parts = b->parts - (before.capacity * PARTS - before.parts);
	b->parts = parts > least ? parts : least;
}

int64_t
bucket_wait_ms(struct bucket *b, int64_t n, int64_t now_ms)
{
	if (b->rate == 0)
		return 0;
	refill(b, now_ms);
	return time_for(b, (n < b->capacity ? n : b->capacity) * PARTS - b->parts);
}

void
bucket_take(struct bucket *b, int64_t n, int64_t now_ms)
{
	int64_t most = n < BUCKET_MOST ? n : BUCKET_MOST;

	if (b->rate == 0)
		return;
	refill(b, now_ms);
	b->parts -= most * PARTS;
	if (b->parts < -MOST_OWED)
		b->parts = -MOST_OWED;
}

void
bucket_give(struct bucket *b, int64_t n, int64_t now_ms)
{
	int64_t full = most_parts(b), most = n < BUCKET_MOST ? n : BUCKET_MOST;

	if (b->rate == 0)
		return;
	refill(b, now_ms);
	b->parts = full - b->parts < most * PARTS ? full : b->parts + most * PARTS;
}

int64_t
bucket_left(struct bucket *b, int64_t now_ms)
{
	if (b->rate == 0)
		return b->capacity;
	refill(b, now_ms);
	if (b->parts >= b->capacity * PARTS)
		return b->capacity;
	return b->parts > 0 ? b->parts / PARTS : 0;
}

int64_t
bucket_reset_ms(struct bucket *b, int64_t now_ms)
{
	if (b->rate == 0)
		return 0;
	refill(b, now_ms);
	return time_for(b, b->capacity * PARTS - b->parts);
}
