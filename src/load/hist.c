/* The histogram: steps are found by shifting, as in Tene's HdrHistogram. */
#include "hist.h"

#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	HALF_BITS = 10, /* a doubling has 2^10 steps */
	HALF = 1 << HALF_BITS,
	MOST_BITS = 40,
	STEPS = HALF * (MOST_BITS - HALF_BITS + 1),
};

static const int64_t largest_us = (INT64_C(1) << MOST_BITS) - 1;

/* How far a value is shifted so that it has 11 bits. */
static int
shift_of(int64_t us)
{
	int bits = us == 0 ? 0 : 64 - __builtin_clzll((unsigned long long)us);

	return bits > HALF_BITS + 1 ? bits - (HALF_BITS + 1) : 0;
}

static size_t
step_of(int64_t us)
{
	int shift = shift_of(us);

	return (size_t)shift * HALF + (size_t)(us >> shift);
}

/* The largest value that is counted in a step. */
static int64_t
end_of(size_t step)
{
	size_t shift = step < (size_t)2 * HALF ? 0 : step / HALF - 1;
	int64_t top = (int64_t)(step - shift * HALF);

	return ((top + 1) << shift) - 1;
}

void
hist_finish(struct hist *h)
{
	free(h->counts);
	*h = (struct hist){0};
}

static void
grow(struct hist *h, size_t step)
{
	size_t room = (step / HALF + 1) * HALF;

	assert(step < STEPS);
	h->counts = mem_realloc(h->counts, room * sizeof(h->counts[0]));
	memset(h->counts + h->room, 0, (room - h->room) * sizeof(h->counts[0]));
	h->room = room;
}

void
hist_add(struct hist *h, int64_t us)
{
	size_t step;
	double off;

	us = us < 0 ? 0 : us > largest_us ? largest_us : us;
	step = step_of(us);
	if (step >= h->room)
		grow(h, step);
	h->counts[step]++;
	h->min_us = h->count == 0 || us < h->min_us ? us : h->min_us;
	h->max_us = us > h->max_us ? us : h->max_us;
	h->count++;
	h->sum_us += (double)us;
	off = (double)us - h->mean_us;
	h->mean_us += off / (double)h->count;
	h->squares += off * ((double)us - h->mean_us);
}

int64_t
hist_quantile_us(const struct hist *h, double q)
{
	uint64_t wanted = (uint64_t)ceil(q * (double)h->count), seen = 0;

	wanted = wanted == 0 ? 1 : wanted;
	if (h->count == 0)
		return 0;
	for (size_t i = 0; i < h->room; i++) {
		seen += h->counts[i];
		if (seen >= wanted) {
			int64_t us = end_of(i);

			return us > h->max_us ? h->max_us : us < h->min_us ? h->min_us : us;
		}
	}
	return h->max_us;
}

double
hist_deviation_us(const struct hist *h)
{
	return h->count < 2 ? 0 : sqrt(h->squares / (double)(h->count - 1));
}

uint64_t
hist_count_below(const struct hist *h, int64_t us)
{
	uint64_t seen = 0;
	size_t end = us <= 0 ? 0 : us > largest_us ? h->room : step_of(us);

	for (size_t i = 0; i < end && i < h->room; i++)
		seen += h->counts[i];
	return seen;
}
