/*
 * The results of a run as one list of named numbers: the table, the JSON, the
 * comparison and the report all read it. Names are those of `vllm bench serve`
 * where it has them.
 */
#ifndef LOAD_METRICS_H
#define LOAD_METRICS_H

#include "tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { METRIC_NAME_MAX = 40, METRICS_MAX = 96 };

enum better { BETTER_NEITHER, BETTER_LESS, BETTER_MORE };

struct metric {
	char name[METRIC_NAME_MAX];
	enum better better;
	bool whole; /* a count */
	bool known; /* false: null in JSON, as the time to first token of what is not streamed */
	double value;
};

struct metrics {
	struct metric all[METRICS_MAX];
	size_t count;
};

/* One kind of time, in the order of the table. */
struct timing {
	const char *name;  /* "ttft_ms" */
	const char *label; /* "Time to first token" */
	const struct hist *hist;
	bool ours; /* no name of vllm's: its mean goes without "mean_" */
};

enum { TIMINGS = 8 };

/* Fills TIMINGS rows. */
void metrics_timings(const struct figures *f, struct timing *out);
void metrics_make(const struct tally *t, const struct figures *f, struct metrics *out);
/* NULL: there is none of that name. */
const struct metric *metrics_find(const struct metrics *m, const char *name);

/* The steps of the distribution that people read: less than this many microseconds. The last one
 * is INT64_MAX. */
extern const int64_t metrics_steps_us[];
extern const size_t metrics_step_count;

#endif
