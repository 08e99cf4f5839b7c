/* The table for people: at most 100 columns, and no row of zeros. */
#include "result.h"

#include "base/mem.h"
#include "format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL = 26, CELL = 11, BAR = 24 };

/* Right-aligned by what is seen, not by bytes. */
static void
add_cell(struct buf *out, const char *text, int width)
{
	buf_addf(out, "%*s%s", width > format_columns(text) ? width - format_columns(text) : 0, "",
	         text);
}

static void
add_label(struct buf *out, const char *text)
{
	int left = LABEL - format_columns(text);

	buf_addf(out, "%s%*s", text, left > 0 ? left : 1, "");
}

static void
add_time_cell(struct buf *out, double us)
{
	struct buf text = {0};

	if (isnan(us))
		buf_addc(&text, '-');
	else
		format_add_us(&text, us);
	add_cell(out, buf_text(&text), CELL);
	buf_finish(&text);
}

/* --- the head --- */

static void
add_models(struct buf *out, const struct plan *p)
{
	for (size_t i = 0; i < p->models.count && i < 4; i++)
		buf_addf(out, "%s%s", i == 0 ? "" : ", ", p->models.texts[i]);
	if (p->models.count > 4)
		buf_addf(out, " and %zu more", p->models.count - 4);
}

static void
add_requests(struct buf *out, const struct tally *t)
{
	const struct figures *f = &t->all;
	struct buf text = {0};

	format_add_count(&text, f->ended);
	buf_addf(&text, " in ");
	format_add_us(&text, tally_seconds(t) * 1e6);
	if (f->whole == f->ended)
		buf_adds(&text, ", all completed");
	else
		buf_addf(&text, ": %lld completed, %lld failed", (long long)f->whole,
		         (long long)(f->ended - f->whole));
	if (f->refused > 0)
		buf_addf(&text, " (%lld of them refused)", (long long)f->refused);
	if (t->unfinished > 0)
		buf_addf(&text, ", %lld unfinished", (long long)t->unfinished);
	if (t->not_started > 0)
		buf_addf(&text, ", %lld due and never started", (long long)t->not_started);
	add_label(out, "Requests");
	buf_addf(out, "%s\n", buf_text(&text));
	buf_finish(&text);
}

static void
add_throughput(struct buf *out, const struct tally *t)
{
	const struct figures *f = &t->all;
	double seconds = tally_seconds(t);

	add_label(out, "Throughput");
	format_add_number(out, (double)f->whole / seconds);
	buf_adds(out, " requests/s");
	if (f->output_tokens > 0) {
		buf_adds(out, ", ");
		format_add_number(out, (double)f->output_tokens / seconds);
		buf_adds(out, " tokens/s out");
	}
	if (f->input_tokens > 0) {
		buf_adds(out, ", ");
		format_add_number(out, (double)f->input_tokens / seconds);
		buf_adds(out, " tokens/s in");
	}
	buf_addf(out, "; at most %lld at once\n", (long long)t->most_running);
}

static void
add_slo_part(struct buf *out, const char *name, int64_t ms, const char **between)
{
	if (ms == 0)
		return;
	buf_addf(out, "%s%s ", *between, name);
	format_add_us(out, (double)ms * 1e3);
	*between = ", ";
}

static void
add_goodput(struct buf *out, const struct tally *t)
{
	const struct slo *s = &t->plan->slo;
	const struct figures *f = &t->all;
	const char *between = "";

	if (s->ttft_ms == 0 && s->tpot_ms == 0 && s->e2e_ms == 0)
		return;
	add_label(out, "Goodput");
	format_add_number(out, (double)f->good / tally_seconds(t));
	buf_adds(out, " requests/s within ");
	add_slo_part(out, "ttft", s->ttft_ms, &between);
	add_slo_part(out, "tpot", s->tpot_ms, &between);
	add_slo_part(out, "e2e", s->e2e_ms, &between);
	buf_addf(out, " (%.1f %% of all)\n",
	         f->ended == 0 ? 0 : (double)f->good * 100 / (double)f->ended);
}

static void
add_server(struct buf *out, const struct figures *f)
{
	if (f->eval_ns == 0 && f->prompt_eval_ns == 0)
		return;
	add_label(out, "The server's own counts");
	if (f->prompt_eval_ns > 0) {
		format_add_number(out, (double)f->prompt_eval_tokens * 1e9 / (double)f->prompt_eval_ns);
		buf_adds(out, " tokens/s of prompts, ");
	}
	if (f->eval_ns > 0) {
		format_add_number(out, (double)f->eval_tokens * 1e9 / (double)f->eval_ns);
		buf_adds(out, " tokens/s of one answer, ");
	}
	buf_addf(out, "%lld load%s\n", (long long)f->loads, f->loads == 1 ? "" : "s");
}

static void
add_cache(struct buf *out, const struct figures *f)
{
	if (f->hits + f->misses + f->joined == 0)
		return;
	add_label(out, "The gateway's cache");
	buf_addf(out, "%lld hits, %lld misses, %lld joined\n", (long long)f->hits, (long long)f->misses,
	         (long long)f->joined);
}

/* --- times --- */

static void
add_timing(struct buf *out, const struct timing *t)
{
	static const double quantiles[] = {0.5, 0.95, 0.99, 0.999, 1};

	if (t->hist->count == 0)
		return;
	add_label(out, t->label);
	add_time_cell(out, t->hist->mean_us);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		add_time_cell(out, (double)hist_quantile_us(t->hist, quantiles[i]));
	buf_addc(out, '\n');
}

static void
add_timings(struct buf *out, const struct figures *f)
{
	static const char *const heads[] = {"mean", "median", "p95", "p99", "p99.9", "max"};
	struct timing timings[TIMINGS];

	if (f->e2e.count == 0)
		return;
	buf_addc(out, '\n');
	add_label(out, "");
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		add_cell(out, heads[i], CELL);
	buf_addc(out, '\n');
	metrics_timings(f, timings);
	for (size_t i = 0; i < TIMINGS; i++)
		add_timing(out, &timings[i]);
}

/* --- the distribution --- */

static void
add_bar(struct buf *out, const struct hist *h, int64_t from_us, int64_t to_us)
{
	uint64_t below = to_us == INT64_MAX ? h->count : hist_count_below(h, to_us);
	uint64_t count = below - hist_count_below(h, from_us);
	double share = h->count == 0 ? 0 : (double)count / (double)h->count;
	int full = (int)(share * BAR + 0.5);

	buf_addf(out, "%9llu %5.1f %% ", (unsigned long long)count, share * 100);
	for (int i = 0; i < BAR; i++)
		buf_adds(out, i < full ? "\xe2\x96\x88" : " ");
}

static void
add_distribution(struct buf *out, const struct figures *f)
{
	bool streamed = f->ttft.count > 0;
	size_t first = result_first_step(f);

	if (f->e2e.count == 0)
		return;
	buf_addc(out, '\n');
	add_label(out, "Distribution");
	buf_addf(out, "%s%s\n", streamed ? "      time to first token                      " : "",
	         "      end to end");
	for (size_t i = first; i < metrics_step_count; i++) {
		int64_t from_us = i == first ? 0 : metrics_steps_us[i - 1];
		struct buf step = {0};

		if (from_us > f->e2e.max_us)
			break;
		result_add_step(&step, from_us, metrics_steps_us[i]);
		buf_addf(out, "  ");
		buf_addf(out, "%-*s", LABEL - 2, buf_text(&step));
		if (streamed)
			add_bar(out, &f->ttft, from_us, metrics_steps_us[i]);
		add_bar(out, &f->e2e, from_us, metrics_steps_us[i]);
		while (out->len > 0 && out->data[out->len - 1] == ' ')
			out->data[--out->len] = '\0';
		buf_addc(out, '\n');
		buf_finish(&step);
	}
}

/* --- groups, failures --- */

/* NaN where nothing was measured. */
static double
quantile_us(const struct hist *h, double q)
{
	return h->count == 0 ? NAN : (double)hist_quantile_us(h, q);
}

static void
add_group(struct buf *out, const struct group *g, double seconds)
{
	const struct figures *f = &g->figures;
	struct buf name = {0};

	buf_addf(&name, "  %s %s", g->kind, g->name);
	add_label(out, buf_text(&name));
	buf_addf(out, "%*lld%*lld", CELL, (long long)f->ended, CELL, (long long)(f->ended - f->whole));
	buf_clear(&name);
	format_add_number(&name, (double)f->output_tokens / seconds);
	add_cell(out, buf_text(&name), CELL);
	add_time_cell(out, quantile_us(&f->ttft, 0.5));
	add_time_cell(out, quantile_us(&f->e2e, 0.5));
	add_time_cell(out, quantile_us(&f->e2e, 0.95));
	buf_addc(out, '\n');
	buf_finish(&name);
}

static void
add_groups(struct buf *out, const struct tally *t)
{
	static const char *const heads[] = {"requests", "failed",  "tokens/s",
	                                    "ttft p50", "e2e p50", "e2e p95"};

	if (t->group_count == 0)
		return;
	buf_addc(out, '\n');
	add_label(out, "In parts");
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		add_cell(out, heads[i], CELL);
	buf_addc(out, '\n');
	for (size_t i = 0; i < t->group_count; i++)
		add_group(out, &t->groups[i], tally_seconds(t));
}

static void
add_failures(struct buf *out, const struct tally *t)
{
	struct failures f = t->failures;

	if (f.count == 0)
		return;
	failures_sort(&f);
	buf_adds(out, "\nFailed\n");
	for (size_t i = 0; i < f.count; i++) {
		buf_addf(out, "%9lld  %s", (long long)f.all[i].count, outcome_end_name(f.all[i].end));
		if (f.all[i].status >= 300)
			buf_addf(out, ", %d", f.all[i].status);
		buf_addf(out, ": %s\n", f.all[i].text);
	}
	if (f.others > 0)
		buf_addf(out, "%9lld  for other reasons\n", (long long)f.others);
}

void
result_add_table(struct buf *out, const struct tally *t, const char *url,
                 const struct comparison *other)
{
	struct metrics metrics;

	buf_addf(out, "%s  ", url);
	add_models(out, t->plan);
	buf_addc(out, '\n');
	result_add_what(out, t->plan);
	buf_adds(out, t->interrupted ? "; interrupted\n\n" : "\n\n");
	add_requests(out, t);
	add_throughput(out, t);
	add_goodput(out, t);
	add_server(out, &t->all);
	add_cache(out, &t->all);
	add_timings(out, &t->all);
	add_distribution(out, &t->all);
	add_groups(out, t);
	add_failures(out, t);
	if (other != NULL) {
		metrics_make(t, &t->all, &metrics);
		comparison_add_table(out, other, &metrics);
	}
	if (result_own_limit(t) != NULL)
		buf_addf(out, "\n%s\n", result_own_limit(t));
}
