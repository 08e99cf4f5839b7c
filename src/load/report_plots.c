/*
 * The plots of a run. What is over time goes in at most 120 steps; what is one
 * request is a dot, of the sample that the series holds.
 */
#include "report_plots.h"

#include "base/mem.h"
#include "format.h"
#include "metrics.h"
#include "page.h"
#include "plot.h"
#include "result.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS_MOST = 120, MEDIANS = 40, QUANTILES = 160 };

/* --- labels --- */

static void
add_seconds(struct buf *out, double s)
{
	if (s >= 120)
		buf_addf(out, "%d:%02d min", (int)(s / 60), (int)fmod(s, 60));
	else
		buf_addf(out, "%g s", round(s * 1000) / 1000);
}

/* The axis is 1/(1-q): 1 is the fastest, 10 is p90, 100 is p99. */
static void
add_share(struct buf *out, double inverse)
{
	if (inverse < 1.5)
		buf_adds(out, "min");
	else
		buf_addf(out, "p%g", round((1 - 1 / inverse) * 1e7) / 1e5);
}

/* --- latency over time --- */

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
time_of(const struct sample *s, bool first_token)
{
	int64_t us = first_token ? s->ttft_us : s->e2e_us;

	return s->whole && us >= 0 ? (double)us / 1e3 : NAN;
}

/* Medians of equal parts of the time; of a part with nothing in it there is none. */
static size_t
make_medians(const struct series *s, double seconds, bool first_token, struct point *out)
{
	double *values = mem_alloc((s->sample_count + 1) * sizeof(*values));
	size_t parts = s->sample_count / 8 < MEDIANS ? s->sample_count / 8 : MEDIANS;
	double width = seconds / (double)parts;

	for (size_t part = 0; part < parts; part++) {
		size_t n = 0;

		for (size_t i = 0; i < s->sample_count; i++) {
			double at = (double)s->samples[i].at_us / 1e6,
			       value = time_of(&s->samples[i], first_token);

			if (!isnan(value) && at >= width * (double)part && at < width * (double)(part + 1))
				values[n++] = value;
		}
		qsort(values, n, sizeof(*values), by_value);
		out[part] = (struct point){width * ((double)part + 0.5), n == 0 ? NAN : values[n / 2]};
	}
	free(values);
	return parts;
}

static void
find_range(const struct series *s, double *low, double *high)
{
	*low = INFINITY;
	*high = 0;
	for (size_t i = 0; i < s->sample_count; i++)
		for (int first = 0; first < 2; first++) {
			double value = time_of(&s->samples[i], first == 1);

			if (isnan(value))
				continue;
			*low = fmin(*low, fmax(value, 0.001));
			*high = fmax(*high, value);
		}
	if (*high == 0)
		*low = *high = 1;
}

static void
add_dots(struct plot *p, const struct series *s)
{
	char about[96];

	for (size_t i = 0; i < s->sample_count; i++) {
		const struct sample *it = &s->samples[i];
		double at = (double)it->at_us / 1e6;

		if (!it->whole) {
			snprintf(about, sizeof(about), "at %.2f s: failed", at);
			plot_tick(p, "bad", at, about);
			continue;
		}
		if (it->ttft_us >= 0)
			plot_dot(p, "dot first", (struct point){at, time_of(it, true)}, NULL);
		snprintf(about, sizeof(about), "ended at %.2f s: %.1f ms in all, first token after %.1f ms",
		         at, time_of(it, false), it->ttft_us < 0 ? 0 : time_of(it, true));
		plot_dot(p, "dot whole", (struct point){at, time_of(it, false)},
		         it->ttft_us < 0 ? NULL : about);
	}
}

void
report_add_latency(struct buf *out, const struct tally *t)
{
	const struct series *s = &t->series;
	struct plot p = {.out = out, .x.add_label = add_seconds, .y.add_label = plot_add_ms};
	struct point medians[MEDIANS];
	double low, high, seconds = tally_seconds(t);

	find_range(s, &low, &high);
	p.y.logarithmic = high > 20 * low;
	p.x.high = seconds;
	axis_fit(&p.y, p.y.logarithmic ? low : 0, high);
	page_begin_figure(out, "Latency over time");
	page_add_key(out, "whole", "end to end");
	if (t->all.ttft.count > 0)
		page_add_key(out, "first", "time to first token");
	if (t->all.ended > t->all.whole)
		page_add_key(out, "bad", "failed");
	buf_addf(out, "<span class=\"note\">lines are medians%s</span>\n",
	         s->seen > (int64_t)s->sample_count ? "; dots are a sample" : "");
	plot_begin(&p, "Latency of requests over the time of the run");
	add_dots(&p, s);
	plot_line(&p, "first", medians, make_medians(s, seconds, true, medians));
	plot_line(&p, "whole", medians, make_medians(s, seconds, false, medians));
	plot_end(&p);
	page_end_figure(out);
}

/* --- what is counted in slots --- */

enum count { COUNT_WHOLE, COUNT_FAILED, COUNT_TOKENS, COUNT_RUNNING };

static double
count_of(const struct slot *s, enum count what)
{
	switch (what) {
	case COUNT_WHOLE: return (double)s->whole;
	case COUNT_FAILED: return (double)s->failed;
	case COUNT_TOKENS: return (double)s->tokens;
	case COUNT_RUNNING: return (double)s->most_running;
	}
	abort();
}

/* So many slots become one point that there are at most STEPS_MOST, and no jitter of single
 * requests is shown as if it meant something. */
static size_t
slots_a_point(const struct tally *t)
{
	size_t slots = t->series.slot_count, each = (slots + STEPS_MOST - 1) / STEPS_MOST;
	double a_slot = (double)t->all.ended / (double)(slots == 0 ? 1 : slots);

	while (a_slot > 0 && (double)each * a_slot < 8 && slots / (each + 1) >= 12)
		each++;
	return each == 0 ? 1 : each;
}

/* The last point is left out where its time is not over. */
static size_t
make_points(const struct tally *t, enum count what, struct point *out)
{
	const struct series *s = &t->series;
	size_t each = slots_a_point(t), n = 0;
	double slot_s = (double)s->slot_us / 1e6, end_s = tally_seconds(t);

	for (size_t i = 0; i < s->slot_count && n < STEPS_MOST; i += each, n++) {
		double sum = 0, from = slot_s * (double)i, to = fmin(slot_s * (double)(i + each), end_s);

		for (size_t k = i; k < i + each && k < s->slot_count; k++)
			sum = what == COUNT_RUNNING ? fmax(sum, count_of(&s->slots[k], what))
			                            : sum + count_of(&s->slots[k], what);
		if (n > 0 && to - from < slot_s * (double)each / 2)
			break;
		out[n] = (struct point){(from + to) / 2, what == COUNT_RUNNING ? sum : sum / (to - from)};
	}
	return n;
}

static double
highest(const struct point *points, size_t count)
{
	double most = 0;

	for (size_t i = 0; i < count; i++)
		most = fmax(most, points[i].y);
	return most;
}

static void
open_over_time(struct plot *p, const struct tally *t, double most, const char *what)
{
	p->x.high = tally_seconds(t);
	axis_fit(&p->y, 0, most > 0 ? most : 1);
	plot_begin(p, what);
}

void
report_add_throughput(struct buf *out, const struct tally *t)
{
	struct plot p = {.out = out, .x.add_label = add_seconds, .y.add_label = plot_add_plain};
	struct point whole[STEPS_MOST], failed[STEPS_MOST];
	size_t n = make_points(t, COUNT_WHOLE, whole), m = make_points(t, COUNT_FAILED, failed);

	page_begin_figure(out, "Requests a second");
	page_add_key(out, "whole", "completed");
	if (t->all.ended > t->all.whole)
		page_add_key(out, "bad", "failed");
	open_over_time(&p, t, fmax(highest(whole, n), highest(failed, m)),
	               "Requests a second over the time of the run");
	plot_area(&p, "whole", whole, n);
	plot_line(&p, "whole", whole, n);
	if (t->all.ended > t->all.whole)
		plot_line(&p, "bad", failed, m);
	plot_end(&p);
	page_end_figure(out);
}

static void
add_single(struct buf *out, const struct tally *t, enum count what, const char *class,
           const char *title, const char *about)
{
	struct plot p = {.out = out, .x.add_label = add_seconds, .y.add_label = plot_add_plain};
	struct point points[STEPS_MOST];
	size_t n = make_points(t, what, points);

	page_begin_figure(out, title);
	open_over_time(&p, t, highest(points, n), about);
	plot_area(&p, class, points, n);
	plot_line(&p, class, points, n);
	plot_end(&p);
	page_end_figure(out);
}

void
report_add_tokens(struct buf *out, const struct tally *t)
{
	if (t->plan->stream)
		add_single(out, t, COUNT_TOKENS, "third", "Tokens a second, as they came",
		           "Tokens a second over the time of the run");
}

void
report_add_running(struct buf *out, const struct tally *t)
{
	add_single(out, t, COUNT_RUNNING, "fourth", "Requests under way",
	           "Requests under way over the time of the run");
}

/* --- percentiles --- */

static size_t
make_quantiles(const struct hist *h, struct point *out)
{
	double most = fmin(fmax((double)h->count, 10), 1e5);

	for (size_t i = 0; i < QUANTILES; i++) {
		double inverse = pow(most, (double)i / (QUANTILES - 1));

		out[i] = (struct point){inverse, (double)hist_quantile_us(h, 1 - 1 / inverse) / 1e3};
	}
	return QUANTILES;
}

static void
add_percentiles(struct buf *out, const struct hist *first, const char *first_name,
                const struct hist *second, const char *second_name, const char *title)
{
	struct plot p = {.out = out, .x.add_label = add_share, .y.add_label = plot_add_ms};
	const struct hist *both[] = {first, second};
	double low = INFINITY, high = 0, most = 10;
	struct point points[QUANTILES];

	for (int i = 0; i < 2; i++)
		if (both[i]->count > 0) {
			/* Tokens that came in one read are no time apart: they would squeeze all others. */
			low = fmin(low, fmax((double)hist_quantile_us(both[i], 0.05) / 1e3, 0.001));
			high = fmax(high, (double)both[i]->max_us / 1e3);
			most = fmax(most, fmin((double)both[i]->count, 1e5));
		}
	if (high == 0)
		return;
	p.x = (struct axis){.low = 1, .high = most, .logarithmic = true, .add_label = add_share};
	p.y.logarithmic = high > 20 * low;
	axis_fit(&p.y, p.y.logarithmic ? low : 0, high);
	page_begin_figure(out, title);
	if (second->count > 0)
		page_add_key(out, "whole", second_name);
	if (first->count > 0)
		page_add_key(out, "first", first_name);
	plot_begin(&p, title);
	if (first->count > 0)
		plot_line(&p, "first", points, make_quantiles(first, points));
	if (second->count > 0)
		plot_line(&p, "whole", points, make_quantiles(second, points));
	plot_end(&p);
	page_end_figure(out);
}

void
report_add_percentiles(struct buf *out, const struct tally *t)
{
	add_percentiles(out, &t->all.ttft, "time to first token", &t->all.e2e, "end to end",
	                "Latency by percentile");
}

void
report_add_token_percentiles(struct buf *out, const struct tally *t)
{
	add_percentiles(out, &t->all.itl, "between tokens", &t->all.tpot, "per output token",
	                "Times of tokens by percentile");
}

/* --- the distribution --- */

static void
add_bar(struct buf *out, const char *class, const struct hist *h, int64_t from_us, int64_t to_us)
{
	uint64_t end = to_us == INT64_MAX ? h->count : hist_count_below(h, to_us);
	uint64_t count = end - hist_count_below(h, from_us);
	double percent = h->count == 0 ? 0 : (double)count * 100 / (double)h->count;

	buf_addf(out,
	         "<td class=\"bar\">%s%s\" style=\"width:%.2f%%\"></i></td>"
	         "<td>%.1f %%</td><td>%llu</td>",
	         count == 0 ? "<i class=\"" : "<i class=\"some ", class, percent, percent,
	         (unsigned long long)count);
}

void
report_add_distribution(struct buf *out, const struct tally *t)
{
	const struct figures *f = &t->all;
	bool streamed = f->ttft.count > 0;
	size_t first = result_first_step(f);

	if (f->e2e.count == 0)
		return;
	page_begin_figure(out, "Distribution");
	buf_addf(out, "<table class=\"bars\"><tr><th></th>%s<th colspan=\"3\">end to end</th></tr>\n",
	         streamed ? "<th colspan=\"3\">time to first token</th>" : "");
	for (size_t i = first; i < metrics_step_count; i++) {
		int64_t from_us = i == first ? 0 : metrics_steps_us[i - 1], to_us = metrics_steps_us[i];

		if (from_us > f->e2e.max_us)
			break;
		buf_adds(out, "<tr><th>");
		result_add_step(out, from_us, to_us);
		buf_adds(out, "</th>");
		if (streamed)
			add_bar(out, "first", &f->ttft, from_us, to_us);
		add_bar(out, "whole", &f->e2e, from_us, to_us);
		buf_adds(out, "</tr>\n");
	}
	buf_adds(out, "</table>\n");
	page_end_figure(out);
}
