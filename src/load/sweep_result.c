/* What a sweep prints and writes. */
#include "sweep.h"

#include "format.h"
#include "page.h"
#include "plot.h"
#include "result.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

/* --- the table and the JSON --- */

static void
add_cell(struct buf *out, const struct buf *text)
{
	buf_addf(out, "%13s", buf_text(text));
}

static void
add_time(struct buf *out, double us, bool known)
{
	struct buf text = {0};

	if (known)
		format_add_us(&text, us);
	else
		buf_addc(&text, '-');
	add_cell(out, &text);
	buf_finish(&text);
}

static void
add_number(struct buf *out, double x)
{
	struct buf text = {0};

	format_add_number(&text, x);
	add_cell(out, &text);
	buf_finish(&text);
}

static void
add_row(struct buf *out, const struct step *s)
{
	const struct figures *f = &s->tally.all;
	double seconds = tally_seconds(&s->tally);

	buf_addf(out, "%8lld", (long long)s->parallel);
	add_time(out, f->e2e.mean_us, f->e2e.count > 0);
	add_time(out, (double)hist_quantile_us(&f->e2e, 0.95), f->e2e.count > 0);
	add_time(out, (double)hist_quantile_us(&f->ttft, 0.5), f->ttft.count > 0);
	add_number(out, (double)f->whole / seconds);
	add_number(out, (double)f->output_tokens / seconds);
	buf_addf(out, "%13.0f%9lld\n", sweep_capacity(&s->tally), (long long)(f->ended - f->whole));
}

void
sweep_add_table(struct buf *out, const struct plan *plan, struct step *const *steps, size_t count)
{
	static const char *const heads[] = {"avg latency", "p95 latency", "ttft p50",
	                                    "requests/s",  "tokens/s",    "capacity"};
	const struct step *best = sweep_best(steps, count);

	buf_addf(out, "%s  ", plan->start != NULL ? plan->start : "drover-node (a simulation)");
	result_add_what(out, plan);
	buf_adds(out, "\n\nparallel");
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		buf_addf(out, "%13s", heads[i]);
	buf_adds(out, "   failed\n");
	for (size_t i = 0; i < count; i++)
		add_row(out, steps[i]);
	buf_adds(out, "\nCapacity: clients served at once, each whole within ");
	format_add_us(out, (double)sweep_limit_ms(plan) * 1e3);
	buf_adds(out, plan->slo.e2e_ms > 0 ? " (--slo e2e).\n" : "; --slo e2e=T sets the limit.\n");
	if (best != NULL && count > 1)
		buf_addf(out, "Of these, parallel %lld serves most.\n", (long long)best->parallel);
}

void
sweep_add_json(struct buf *out, struct step *const *steps, size_t count)
{
	buf_addc(out, '[');
	for (size_t i = 0; i < count; i++) {
		struct buf one = {0};

		result_add_json(&one, &steps[i]->tally, buf_text(&steps[i]->url), NULL);
		buf_addf(out, "%s{\"parallel\": %lld, \"capacity\": %.10g, %s", i == 0 ? "" : ",\n",
		         (long long)steps[i]->parallel, sweep_capacity(&steps[i]->tally),
		         buf_text(&one) + 1);
		while (out->data[out->len - 1] == '\n')
			out->data[--out->len] = '\0';
		buf_finish(&one);
	}
	buf_adds(out, "]\n");
}

/* --- the page --- */

enum measure { MEASURE_MEAN, MEASURE_P95, MEASURE_FIRST, MEASURE_TOKENS, MEASURE_CAPACITY };

static double
value_of(const struct step *s, enum measure what)
{
	const struct figures *f = &s->tally.all;

	switch (what) {
	case MEASURE_MEAN: return f->e2e.mean_us / 1e3;
	case MEASURE_P95: return (double)hist_quantile_us(&f->e2e, 0.95) / 1e3;
	case MEASURE_FIRST: return (double)hist_quantile_us(&f->ttft, 0.5) / 1e3;
	case MEASURE_TOKENS: return (double)f->output_tokens / tally_seconds(&s->tally);
	case MEASURE_CAPACITY: return sweep_capacity(&s->tally);
	}
	return NAN;
}

/* In the order of parallel, however they were run. Returns the highest value. */
static double
make_points(struct step *const *steps, size_t count, enum measure what, struct point *out)
{
	double most = 0;

	for (size_t i = 0; i < count; i++) {
		struct point it = {(double)steps[i]->parallel, value_of(steps[i], what)};
		size_t at = i;

		for (; at > 0 && out[at - 1].x > it.x; at--)
			out[at] = out[at - 1];
		out[at] = it;
		most = fmax(most, it.y);
	}
	return most;
}

static void
add_curve(struct plot *p, const char *class, struct step *const *steps, size_t count,
          enum measure what)
{
	struct point points[MOST_STEPS];
	char dot[32];

	make_points(steps, count, what, points);
	snprintf(dot, sizeof(dot), "mark %s", class);
	plot_line(p, class, points, count);
	for (size_t i = 0; i < count; i++) {
		struct buf about = {0};

		buf_addf(&about, "parallel %g: ", points[i].x);
		p->y.add_label(&about, points[i].y);
		plot_dot(p, dot, points[i], buf_text(&about));
		buf_finish(&about);
	}
}

static void
open_plot(struct plot *p, struct step *const *steps, size_t count, enum measure highest,
          const char *title)
{
	struct point points[MOST_STEPS];
	double most;

	assert(count > 0);
	most = make_points(steps, count, highest, points);
	p->x.high = points[count - 1].x * 1.04;
	axis_fit(&p->y, 0, most > 0 ? most : 1);
	plot_begin(p, title);
}

static void
add_latency(struct buf *out, struct step *const *steps, size_t count, bool streamed)
{
	struct plot p = {.out = out, .x.add_label = plot_add_plain, .y.add_label = plot_add_ms};

	page_begin_figure(out, "Latency by parallel");
	page_add_key(out, "whole", "mean");
	page_add_key(out, "fourth", "p95");
	if (streamed)
		page_add_key(out, "first", "time to first token, median");
	open_plot(&p, steps, count, MEASURE_P95, "Latency by parallel");
	if (streamed)
		add_curve(&p, "first", steps, count, MEASURE_FIRST);
	add_curve(&p, "fourth", steps, count, MEASURE_P95);
	add_curve(&p, "whole", steps, count, MEASURE_MEAN);
	plot_end(&p);
	page_end_figure(out);
}

static void
add_single(struct buf *out, struct step *const *steps, size_t count, enum measure what,
           const char *class, const char *title)
{
	struct plot p = {.out = out, .x.add_label = plot_add_plain, .y.add_label = plot_add_plain};

	page_begin_figure(out, title);
	open_plot(&p, steps, count, what, title);
	add_curve(&p, class, steps, count, what);
	plot_end(&p);
	page_end_figure(out);
}

static void
add_page_table(struct buf *out, const struct plan *plan, struct step *const *steps, size_t count)
{
	struct buf table = {0};

	sweep_add_table(&table, plan, steps, count);
	page_begin_figure(out, "Numbers");
	buf_adds(out, "<pre>");
	format_add_html(out, buf_text(&table));
	buf_adds(out, "</pre>\n");
	page_end_figure(out);
	buf_finish(&table);
}

void
sweep_add_page(struct buf *out, const struct plan *plan, struct step *const *steps, size_t count)
{
	struct buf title = {0}, what = {0};

	plan_add_models(plan, &title);
	buf_addf(&title, " on %s", plan->start != NULL ? plan->start : "simulated nodes");
	result_add_what(&what, plan);
	page_begin(out, buf_text(&title), buf_text(&what));
	buf_adds(out, "<div class=\"grid2\">\n");
	add_latency(out, steps, count, plan->stream);
	if (plan->api->streams)
		add_single(out, steps, count, MEASURE_TOKENS, "third", "Tokens a second by parallel");
	add_single(out, steps, count, MEASURE_CAPACITY, "whole",
	           "Capacity: clients at once, by parallel");
	buf_adds(out, "</div>\n<section>\n");
	add_page_table(out, plan, steps, count);
	buf_adds(out, "</section>\n");
	page_end(out);
	buf_finish(&title);
	buf_finish(&what);
}
