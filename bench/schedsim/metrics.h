/* What is measured of a run, as numbers with names, so that tables, CSV and goals share them. */
#ifndef SCHEDSIM_METRICS_H
#define SCHEDSIM_METRICS_H

#include "world.h"

enum metric {
	METRIC_REQUESTS,
	METRIC_DONE,
	METRIC_REFUSED,
	METRIC_LATE,
	METRIC_MAKESPAN,   /* s, until the last end */
	METRIC_THROUGHPUT, /* answers a second of the makespan */
	METRIC_MEAN,       /* s from arrival to end; this and all below: of the answered */
	METRIC_P50,
	METRIC_P95,
	METRIC_P99,
	METRIC_HIGH_P50,
	METRIC_HIGH_P95,
	METRIC_LOW_P95,
	METRIC_WATCHED_P95, /* of watched streams */
	METRIC_FIRST_P50,   /* to the first token */
	METRIC_FIRST_P95,
	METRIC_HIGH_P95_OF_ALL, /* an unanswered request counts as waiting for ever */
	METRIC_LOADS,
	METRIC_IN_TIME, /* share of all requests: high ones in 60 s, others in 600 s */
	METRIC_JAIN,    /* fairness between keys, over tokens */
	METRIC_CACHE_HITS,
	METRIC_EVENTS,
	METRICS,
};

struct metrics {
	double of[METRICS]; /* NAN: there was nothing to measure */
};

const char *metric_name(enum metric m);
void metrics_measure(struct metrics *out, const struct world *w);
/* The mean of each over some runs. */
void metrics_average(struct metrics *out, const struct metrics *runs, size_t count);

#endif
