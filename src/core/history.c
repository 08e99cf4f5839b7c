/*
 * The last hour in points, in a ring.
 *
 * Invariant: ring[now % room] is the point under way, and the `room` - 1 before it are over.
 *
 * Percentiles come from counts of times in buckets, eight to a doubling: exact below 16 ms, and
 * within half a bucket above.
 */
#include "core/history.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	EXACT = 16, /* times below have a bucket each */
	EXACT_BITS = 4,
	STEPS_BITS = 3, /* of a doubling */
	STEPS = 1 << STEPS_BITS,
	DOUBLINGS = 20, /* from 16 ms to 4.6 hours; longer ones count as that */
	BUCKETS = EXACT + DOUBLINGS * STEPS,
};

struct history {
	struct history_point *ring; /* owned */
	size_t room;
	uint64_t now;
	int64_t step_ms;
	int64_t ends_ms; /* the point under way */
	uint32_t first_tokens[BUCKETS];
	uint32_t first_token_count;
};

/* --- times in buckets --- */

static size_t
bucket_of(int64_t ms)
{
	int doubling;

	if (ms < EXACT)
		return ms < 0 ? 0 : (size_t)ms;
	doubling = 63 - __builtin_clzll((uint64_t)ms) - EXACT_BITS;
	if (doubling >= DOUBLINGS)
		return BUCKETS - 1;
	return (size_t)(EXACT + doubling * STEPS +
	                ((ms >> (doubling + EXACT_BITS - STEPS_BITS)) & (STEPS - 1)));
}

/* The middle of it. */
static int64_t
time_of(size_t bucket)
{
	int64_t doubling, step, width;

	if (bucket < EXACT)
		return (int64_t)bucket;
	doubling = (int64_t)(bucket - EXACT) / STEPS;
	step = (int64_t)(bucket - EXACT) % STEPS;
	width = INT64_C(1) << (doubling + EXACT_BITS - STEPS_BITS);
	return (STEPS + step) * width + width / 2;
}

/* The least time that so many percent do not exceed; -1: there is none. */
static int64_t
percentile_ms(const struct history *h, uint64_t percent)
{
	uint64_t wanted = (h->first_token_count * percent + 99) / 100, seen = 0;

	if (h->first_token_count == 0)
		return -1;
	for (size_t i = 0; i < BUCKETS; i++) {
		seen += h->first_tokens[i];
		if (seen >= wanted)
			return time_of(i);
	}
	abort();
}

/* --- points --- */

static struct history_point *
current(struct history *h)
{
	return &h->ring[h->now % h->room];
}

static void
end_point(struct history *h)
{
	struct history_point *p = current(h);

	/* A count by records was put right by the node's own: the difference is not of one moment. */
	int64_t owed = p->tokens < 0 ? p->tokens : 0;

	p->tokens -= owed;
	p->first_p50_ms = percentile_ms(h, 50);
	p->first_p95_ms = percentile_ms(h, 95);
	memset(h->first_tokens, 0, sizeof(h->first_tokens));
	h->first_token_count = 0;
	h->now++;
	*current(h) = (struct history_point){.tokens = owed};
	h->ends_ms += h->step_ms;
}

void
history_advance(struct history *h, int64_t now_ms)
{
	while (now_ms >= h->ends_ms)
		end_point(h);
}

void
history_saw_tokens(struct history *h, int64_t tokens)
{
	current(h)->tokens += tokens;
}

void
history_saw_first_token(struct history *h, int64_t ms)
{
	h->first_tokens[bucket_of(ms)]++;
	h->first_token_count++;
}

void
history_saw_load(struct history *h, int waiting, int running)
{
	struct history_point *p = current(h);

	if (waiting > p->waiting)
		p->waiting = waiting;
	if (running > p->running)
		p->running = running;
}

void
history_saw_cache(struct history *h, int asked, int hits)
{
	current(h)->asked += asked;
	current(h)->hits += hits;
}

void
history_saw_end(struct history *h, int failed)
{
	current(h)->ended++;
	current(h)->failed += failed;
}

/* --- its life --- */

struct history *
history_create(int64_t now_ms, int64_t step_ms, size_t count)
{
	struct history *h = NEW(struct history);

	h->room = count + 1;
	h->ring = mem_zalloc(h->room, sizeof(h->ring[0]));
	h->step_ms = step_ms;
	h->ends_ms = now_ms + step_ms;
	return h;
}

void
history_destroy(struct history **hp)
{
	struct history *h = *hp;

	*hp = NULL;
	if (h == NULL)
		return;
	free(h->ring);
	free(h);
}

int64_t
history_step_ms(const struct history *h)
{
	return h->step_ms;
}

uint64_t
history_now(const struct history *h)
{
	return h->now;
}

uint64_t
history_first(const struct history *h)
{
	return h->now < h->room ? 0 : h->now - (h->room - 1);
}

const struct history_point *
history_point(const struct history *h, uint64_t number)
{
	assert(number >= history_first(h) && number < h->now);
	return &h->ring[number % h->room];
}
