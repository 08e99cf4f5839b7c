/*
 * A high-dynamic-range histogram of microseconds: values up to 2047 have a count
 * each, above that every doubling is cut into 1024 steps, so that any quantile,
 * p99.9 and the largest too, is within 0.1 % of the value that was recorded. It
 * holds up to 12 days; its memory grows with the largest value, to 256 KiB.
 *
 * A zeroed one is empty.
 */
#ifndef LOAD_HIST_H
#define LOAD_HIST_H

#include <stddef.h>
#include <stdint.h>

struct hist {
	uint64_t *counts; /* owned */
	size_t room;
	uint64_t count;
	int64_t min_us; /* exact, as the largest; with a count only */
	int64_t max_us;
	double sum_us;
	double squares; /* sum of the squared distances from the mean (Welford) */
	double mean_us;
};

void hist_finish(struct hist *h);
/* Less than 0 counts as 0. */
void hist_add(struct hist *h, int64_t us);
/* The smallest value that at least the share `q` (0 to 1) of all is not above; 0 when empty. */
int64_t hist_quantile_us(const struct hist *h, double q);
/* Sample deviation; 0 with fewer than two values. */
double hist_deviation_us(const struct hist *h);
/* How many are below `us`; exact where a step begins there, as at every value up to 2048. */
uint64_t hist_count_below(const struct hist *h, int64_t us);

#endif
