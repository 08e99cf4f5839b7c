/*
 * Counters and histograms by their labels, and the text of all metrics for Prometheus.
 *
 * What there is stands in one table of rows. A series is one row with values for its labels:
 * whoever counts finds it once, keeps the pointer, and adds to it without looking anything up.
 * Rows of what is known anyway (gauges) have no series: they are asked when somebody looks.
 *
 * Owner: the metrics own their series, until they are destroyed; the table is the caller's.
 */
#ifndef CORE_METRICS_H
#define CORE_METRICS_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

struct metrics;
struct metrics_sink;
struct series;

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

enum { METRIC_LABELS_MAX = 3 };

struct metric {
	const char *name;
	enum metric_kind kind;
	const char *labels[METRIC_LABELS_MAX + 1]; /* up to a NULL */
	const char *help;
	/* Adds the samples as they are now. NULL: they are counted in series. Not of a histogram. */
	void (*collect)(struct metrics_sink *out, void *arg);
};

struct metrics *metrics_create(const struct metric *table, size_t count);
void metrics_destroy(struct metrics **m);

/* Finds or makes it. `row` is of the table, without collect; as many values as it has labels. What
 * they may be must be bounded by the caller: a series stays. */
struct series *metrics_series(struct metrics *m, size_t row, const char *const *values);
void series_add(struct series *s, int64_t more);
/* Of a histogram. Below 0 counts as 0. */
void series_observe_us(struct series *s, int64_t us);

/* Forgets the series of the row whose first label has that value: nobody may hold one. */
void metrics_forget(struct metrics *m, size_t row, const char *value);

/* The text exposition format, version 0.0.4. `arg` goes to the rows that collect. */
void metrics_add_text(const struct metrics *m, void *arg, struct buf *out);
/* For `collect`: one sample. `values` NULL: the row has no labels. */
void metrics_sink_add(struct metrics_sink *sink, const char *const *values, int64_t value);
void metrics_sink_add_us(struct metrics_sink *sink, const char *const *values, int64_t us);

#endif
