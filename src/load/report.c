/* The page of a run. */
#include "report.h"

#include "base/mem.h"
#include "format.h"
#include "metrics.h"
#include "page.h"
#include "report_plots.h"
#include "result.h"

#include <math.h>

/* --- the head --- */

static void
add_head(struct buf *out, const struct tally *t, const char *url)
{
	struct buf title = {0}, what = {0};

	for (size_t i = 0; i < t->plan->models.count; i++)
		buf_addf(&title, "%s%s", i == 0 ? "" : ", ", t->plan->models.texts[i]);
	buf_addf(&title, " at %s", url);
	result_add_what(&what, t->plan);
	buf_adds(&what, t->interrupted ? "; interrupted" : "");
	page_begin(out, buf_text(&title), buf_text(&what));
	if (result_own_limit(t) != NULL)
		buf_addf(out, "<p class=\"warn\">%s</p>\n", result_own_limit(t));
	buf_finish(&title);
	buf_finish(&what);
}

static void
end_tile(struct buf *out, const char *label)
{
	buf_addf(out, "</b><span>%s</span></div>\n", label);
}

static void
add_tile(struct buf *out, double value, const char *unit, const char *label)
{
	buf_adds(out, "<div class=\"tile\"><b>");
	format_add_number(out, value);
	buf_adds(out, unit);
	end_tile(out, label);
}

static void
add_time_tile(struct buf *out, const struct hist *h, double q, const char *label)
{
	if (h->count == 0)
		return;
	buf_adds(out, "<div class=\"tile\"><b>");
	format_add_us(out, (double)hist_quantile_us(h, q));
	end_tile(out, label);
}

static void
add_tiles(struct buf *out, const struct tally *t)
{
	const struct figures *f = &t->all;
	const struct slo *s = &t->plan->slo;
	double seconds = tally_seconds(t);

	buf_adds(out, "<div class=\"tiles\">\n");
	add_tile(out, (double)f->whole, "", "requests completed");
	if (f->ended > f->whole)
		add_tile(out, (double)(f->ended - f->whole), "", "failed");
	add_tile(out, (double)f->whole / seconds, "/s", "requests");
	if (f->output_tokens > 0)
		add_tile(out, (double)f->output_tokens / seconds, "/s", "tokens of answers");
	if (s->ttft_ms > 0 || s->tpot_ms > 0 || s->e2e_ms > 0)
		add_tile(out, f->ended == 0 ? 0 : (double)f->good * 100 / (double)f->ended, " %",
		         "within the objectives");
	add_time_tile(out, &f->ttft, 0.5, "first token, median");
	add_time_tile(out, &f->ttft, 0.99, "first token, p99");
	add_time_tile(out, &f->e2e, 0.5, "end to end, median");
	add_time_tile(out, &f->e2e, 0.99, "end to end, p99");
	buf_adds(out, "</div>\n");
}

/* --- tables --- */

static void
add_time_cell(struct buf *out, double us, bool known)
{
	buf_adds(out, "<td>");
	if (known)
		format_add_us(out, us);
	buf_adds(out, "</td>");
}

static void
add_timings(struct buf *out, const struct figures *f)
{
	static const double quantiles[] = {0.5, 0.95, 0.99, 0.999, 1};
	struct timing timings[TIMINGS];

	metrics_timings(f, timings);
	buf_adds(out,
	         "<figure><h2>Times</h2><table><tr><th></th><th>mean</th><th>median</th><th>p95</th>"
	         "<th>p99</th><th>p99.9</th><th>max</th></tr>\n");
	for (size_t i = 0; i < TIMINGS; i++) {
		const struct hist *h = timings[i].hist;

		if (h->count == 0)
			continue;
		buf_addf(out, "<tr><th>%s</th>", timings[i].label);
		add_time_cell(out, h->mean_us, true);
		for (size_t q = 0; q < sizeof(quantiles) / sizeof(quantiles[0]); q++)
			add_time_cell(out, (double)hist_quantile_us(h, quantiles[q]), true);
		buf_adds(out, "</tr>\n");
	}
	buf_adds(out, "</table></figure>\n");
}

static void
add_groups(struct buf *out, const struct tally *t)
{
	if (t->group_count == 0)
		return;
	buf_adds(out, "<figure><h2>In parts</h2><table><tr><th></th><th>requests</th><th>failed</th>"
	              "<th>tokens/s</th><th>ttft p50</th><th>e2e p50</th><th>e2e p95</th></tr>\n");
	for (size_t i = 0; i < t->group_count; i++) {
		const struct figures *f = &t->groups[i].figures;

		buf_addf(out, "<tr><th>%s ", t->groups[i].kind);
		format_add_html(out, t->groups[i].name);
		buf_addf(out, "</th><td>%lld</td><td>%lld</td><td>", (long long)f->ended,
		         (long long)(f->ended - f->whole));
		format_add_number(out, (double)f->output_tokens / tally_seconds(t));
		buf_adds(out, "</td>");
		add_time_cell(out, (double)hist_quantile_us(&f->ttft, 0.5), f->ttft.count > 0);
		add_time_cell(out, (double)hist_quantile_us(&f->e2e, 0.5), f->e2e.count > 0);
		add_time_cell(out, (double)hist_quantile_us(&f->e2e, 0.95), f->e2e.count > 0);
		buf_adds(out, "</tr>\n");
	}
	buf_adds(out, "</table></figure>\n");
}

static void
add_failures(struct buf *out, const struct tally *t)
{
	struct failures f = t->failures;

	if (f.count == 0)
		return;
	failures_sort(&f);
	buf_adds(out,
	         "<figure><h2>Failed</h2><table><tr><th>why</th><th>status</th><th>times</th></tr>\n");
	for (size_t i = 0; i < f.count; i++) {
		buf_addf(out, "<tr><td class=\"text\">%s: ", outcome_end_name(f.all[i].end));
		format_add_html(out, f.all[i].text);
		buf_adds(out, "</td><td>");
		if (f.all[i].status > 0)
			buf_addf(out, "%d", f.all[i].status);
		buf_addf(out, "</td><td>%lld</td></tr>\n", (long long)f.all[i].count);
	}
	buf_adds(out, "</table></figure>\n");
}

static void
add_comparison(struct buf *out, const struct tally *t, const struct comparison *other)
{
	struct metrics m;
	double before, percent;

	metrics_make(t, &t->all, &m);
	buf_adds(out, "<figure><h2>Compared with ");
	format_add_html(out, other->path);
	buf_adds(out, "</h2>");
	if (other->differs[0] != '\0') {
		buf_adds(out, "<p>It asked for other things: ");
		format_add_html(out, other->differs);
		buf_adds(out, ".</p>");
	}
	buf_adds(out, "<table><tr><th></th><th>before</th><th>now</th><th>change</th></tr>\n");
	for (size_t i = 0; i < m.count; i++) {
		const struct metric *it = &m.all[i];

		if (!comparison_is_telling(it) || !comparison_change(other, it, &before, &percent))
			continue;
		buf_addf(out, "<tr><th>%s</th><td>", it->name);
		format_add_number(out, before);
		buf_adds(out, "</td><td>");
		format_add_number(out, it->value);
		buf_addf(out, "</td><td class=\"%s\">", comparison_verdict(it, before));
		if (before > 0)
			buf_addf(out, "%+.1f %%", percent);
		buf_adds(out, "</td></tr>\n");
	}
	buf_adds(out, "</table></figure>\n");
}

void
report_add_page(struct buf *out, const struct tally *t, const char *url,
                const struct comparison *other)
{
	add_head(out, t, url);
	add_tiles(out, t);
	buf_adds(out, "<div class=\"grid2\">\n");
	report_add_latency(out, t);
	report_add_percentiles(out, t);
	report_add_throughput(out, t);
	report_add_running(out, t);
	report_add_tokens(out, t);
	report_add_token_percentiles(out, t);
	report_add_distribution(out, t);
	add_timings(out, &t->all);
	add_groups(out, t);
	add_failures(out, t);
	if (other != NULL)
		add_comparison(out, t, other);
	buf_adds(out, "</div>\n");
	page_end(out);
}
