/* Percentiles, fairness, counts. */
#include "metrics.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

#define IN_TIME_HIGH_S 60.0
#define IN_TIME_LOW_S  600.0

static const char *const names[METRICS] = {
    [METRIC_REQUESTS] = "requests",
    [METRIC_DONE] = "done",
    [METRIC_REFUSED] = "refused",
    [METRIC_LATE] = "late",
    [METRIC_MAKESPAN] = "makespan_s",
    [METRIC_THROUGHPUT] = "done_per_s",
    [METRIC_MEAN] = "mean_s",
    [METRIC_P50] = "p50_s",
    [METRIC_P95] = "p95_s",
    [METRIC_P99] = "p99_s",
    [METRIC_HIGH_P50] = "high_p50_s",
    [METRIC_HIGH_P95] = "high_p95_s",
    [METRIC_LOW_P95] = "low_p95_s",
    [METRIC_WATCHED_P95] = "watched_p95_s",
    [METRIC_FIRST_P50] = "first_token_p50_s",
    [METRIC_FIRST_P95] = "first_token_p95_s",
    [METRIC_HIGH_P95_OF_ALL] = "high_p95_of_all_s",
    [METRIC_LOADS] = "loads",
    [METRIC_IN_TIME] = "in_time",
    [METRIC_JAIN] = "jain",
    [METRIC_CACHE_HITS] = "cache_hits",
    [METRIC_EVENTS] = "events",
};

const char *
metric_name(enum metric m)
{
	return names[m];
}

static double
latency_s(const struct request *r)
{
	return (double)(r->end_us - r->at_us) * 1e-6;
}

static double
first_token_s(const struct request *r)
{
	return (double)(r->first_us - r->at_us) * 1e-6;
}

/* --- percentiles --- */

struct sample {
	double *values; /* owned by the caller: as large as there are requests */
	size_t count;
};

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Between the two nearest ranks. */
static double
percentile(const struct sample *s, double p)
{
	double rank, low;
	size_t i;

	if (s->count == 0)
		return NAN;
	rank = (double)(s->count - 1) * p;
	i = (size_t)rank;
	low = s->values[i];
	if (i + 1 == s->count || s->values[i + 1] <= low)
		return low;
	return isinf(s->values[i + 1]) ? INFINITY : low + (s->values[i + 1] - low) * (rank - (double)i);
}

static void
sample_latencies(struct sample *s, const struct world *w,
                 bool (*wanted)(const struct world *, const struct request *),
                 double (*value)(const struct request *))
{
	s->count = 0;
	for (size_t i = 0; i < w->requests->count; i++) {
		const struct request *r = &w->requests->all[i];

		if (wanted(w, r))
			s->values[s->count++] = value(r);
	}
	qsort(s->values, s->count, sizeof(*s->values), compare);
}

static bool
is_done(const struct world *w, const struct request *r)
{
	return r->state == REQUEST_DONE;
}

static bool
is_high(const struct world *w, const struct request *r)
{
	return r->class == CLASS_HIGH;
}

static bool
is_done_high(const struct world *w, const struct request *r)
{
	return r->state == REQUEST_DONE && r->class == CLASS_HIGH;
}

static bool
is_done_low(const struct world *w, const struct request *r)
{
	return r->state == REQUEST_DONE && r->class == CLASS_LOW;
}

static bool
is_done_watched(const struct world *w, const struct request *r)
{
	return r->state == REQUEST_DONE && w->conf.workload->streams[r->stream].watched;
}

static double
latency_of_all_s(const struct request *r)
{
	return r->state == REQUEST_DONE ? latency_s(r) : INFINITY;
}

static double
mean(const struct sample *s)
{
	double sum = 0;

	for (size_t i = 0; i < s->count; i++)
		sum += s->values[i];
	return s->count > 0 ? sum / (double)s->count : NAN;
}

static void
measure_latencies(struct metrics *m, const struct world *w)
{
	struct sample s = {.values = mem_zalloc(w->requests->count + 1, sizeof(double))};

	sample_latencies(&s, w, is_done, latency_s);
	m->of[METRIC_MEAN] = mean(&s);
	m->of[METRIC_P50] = percentile(&s, 0.5);
	m->of[METRIC_P95] = percentile(&s, 0.95);
	m->of[METRIC_P99] = percentile(&s, 0.99);
	sample_latencies(&s, w, is_done_high, latency_s);
	m->of[METRIC_HIGH_P50] = percentile(&s, 0.5);
	m->of[METRIC_HIGH_P95] = percentile(&s, 0.95);
	sample_latencies(&s, w, is_high, latency_of_all_s);
	m->of[METRIC_HIGH_P95_OF_ALL] = percentile(&s, 0.95);
	sample_latencies(&s, w, is_done_low, latency_s);
	m->of[METRIC_LOW_P95] = percentile(&s, 0.95);
	sample_latencies(&s, w, is_done_watched, latency_s);
	m->of[METRIC_WATCHED_P95] = percentile(&s, 0.95);
	sample_latencies(&s, w, is_done, first_token_s);
	m->of[METRIC_FIRST_P50] = percentile(&s, 0.5);
	m->of[METRIC_FIRST_P95] = percentile(&s, 0.95);
	free(s.values);
}

/* --- fairness --- */

static double
tokens_of(const struct request *r)
{
	return r->prompt_tokens + 2.0 * r->output_tokens;
}

/* What each key is entitled to of what was served: equal shares, and what one does not ask
 * for is shared by the others (max-min fairness). */
static void
entitle(const double *asked, double *entitled, int keys, double served)
{
	bool settled[MOST_KEYS] = {false};
	bool found = true;
	int left = 0;

	for (int k = 0; k < keys; k++)
		left += !(settled[k] = asked[k] <= 0);
	while (found && left > 0) {
		double share = served / left;

		found = false;
		for (int k = 0; k < keys; k++) {
			if (settled[k] || asked[k] > share)
				continue;
			settled[k] = found = true;
			entitled[k] = asked[k];
			served -= asked[k];
			left--;
		}
	}
	for (int k = 0; k < keys; k++)
		if (!settled[k])
			entitled[k] = served / left;
}

/* Jain's index of served / entitled, while requests still came. */
static double
jain(const struct world *w)
{
	double asked[MOST_KEYS] = {0}, served[MOST_KEYS] = {0}, entitled[MOST_KEYS] = {0};
	double total = 0, sum = 0, squares = 0;
	int keys = w->conf.workload->key_count, n = 0;

	for (size_t i = 0; i < w->requests->count; i++) {
		const struct request *r = &w->requests->all[i];

		asked[r->key] += tokens_of(r);
		if (r->state != REQUEST_DONE || r->end_us > (int64_t)(w->conf.workload->horizon_s * 1e6))
			continue;
		served[r->key] += tokens_of(r);
		total += tokens_of(r);
	}
	entitle(asked, entitled, keys, total);
	for (int k = 0; k < keys; k++) {
		double x = entitled[k] > 0 ? served[k] / entitled[k] : 0;

		sum += x;
		squares += x * x;
		n += entitled[k] > 0;
	}
	return squares > 0 ? sum * sum / (n * squares) : NAN;
}

/* --- counts --- */

static bool
is_in_time(const struct request *r)
{
	return r->state == REQUEST_DONE &&
	       latency_s(r) <= (r->class == CLASS_HIGH ? IN_TIME_HIGH_S : IN_TIME_LOW_S);
}

static void
count(struct metrics *m, const struct world *w)
{
	double states[REQUEST_LATE + 1] = {0}, in_time = 0;
	int64_t last_us = 0;

	for (size_t i = 0; i < w->requests->count; i++) {
		const struct request *r = &w->requests->all[i];

		states[r->state]++;
		in_time += is_in_time(r);
		if (r->state == REQUEST_DONE && r->end_us > last_us)
			last_us = r->end_us;
	}
	m->of[METRIC_REQUESTS] = (double)w->requests->count;
	m->of[METRIC_DONE] = states[REQUEST_DONE];
	m->of[METRIC_REFUSED] = states[REQUEST_REFUSED];
	m->of[METRIC_LATE] = states[REQUEST_LATE];
	m->of[METRIC_MAKESPAN] = (double)last_us * 1e-6;
	m->of[METRIC_THROUGHPUT] = states[REQUEST_DONE] / m->of[METRIC_MAKESPAN];
	m->of[METRIC_IN_TIME] = in_time / (double)w->requests->count;
	m->of[METRIC_LOADS] = 0;
	for (size_t i = 0; i < w->node_count; i++)
		m->of[METRIC_LOADS] += w->nodes[i].loads;
	m->of[METRIC_CACHE_HITS] = (double)w->cache_hits;
	m->of[METRIC_EVENTS] = (double)w->events.handled;
}

void
metrics_measure(struct metrics *out, const struct world *w)
{
	count(out, w);
	measure_latencies(out, w);
	out->of[METRIC_JAIN] = jain(w);
}

void
metrics_average(struct metrics *out, const struct metrics *runs, size_t count)
{
	for (int m = 0; m < METRICS; m++) {
		double sum = 0;

		for (size_t i = 0; i < count; i++)
			sum += runs[i].of[m];
		out->of[m] = sum / (double)count;
	}
}
