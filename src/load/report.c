/* The page of a run. */
#include "report.h"

#include "base/clock.h"
#include "base/mem.h"
#include "format.h"
#include "metrics.h"
#include "report_plots.h"
#include "result.h"

#include <math.h>
#include <time.h>

static const char style[] =
    ":root{color-scheme:light dark;--page:#fff;--text:#1c2330;--soft:#5b6472;--line:#e2e6ec;"
    "--card:#f6f8fa;--whole:#2563c9;--first:#b8590a;--third:#1a7f55;--fourth:#7a4fc0;--bad:#c2273b}"
    "\n"
    "@media(prefers-color-scheme:dark){:root{--page:#12161c;--text:#e3e8ef;--soft:#98a3b3;"
    "--line:#2b323d;--card:#1a2029;--whole:#79adff;--first:#f2a65a;--third:#5ccb98;"
    "--fourth:#b899f2;--bad:#ff7583}}\n"
    "body{margin:0 auto;max-width:1500px;padding:24px;background:var(--page);color:var(--text);"
    "font:15px/1.45 system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu Sans\",sans-serif}\n"
    "h1{font-size:22px;margin:0 0 4px;overflow-wrap:anywhere}h2{font-size:15px;margin:0 0 6px}\n"
    "p{margin:0 0 14px;color:var(--soft)}.warn{color:var(--bad);font-weight:600}\n"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(128px,1fr));gap:12px;"
    "margin:18px 0}\n"
    ".tile{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px "
    "14px}\n"
    ".tile b{display:block;font-size:21px;font-weight:650;font-variant-numeric:tabular-nums}\n"
    ".tile span{color:var(--soft);font-size:13px}\n"
    ".grid2{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(540px,100%),1fr));gap:"
    "16px}\n"
    "figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:8px;"
    "padding:14px 16px;overflow-x:auto}\n"
    "svg{display:block;width:100%;height:auto}\n"
    ".grid{stroke:var(--line)}.axis{stroke:var(--soft)}.tick{fill:var(--soft);font-size:12px}\n"
    ".line{fill:none;stroke-width:2;stroke-linejoin:round}.area{opacity:.14;stroke:none}\n"
    ".line.whole{stroke:var(--whole)}.line.first{stroke:var(--first)}.line.third{stroke:var(--"
    "third)}"
    ".line.fourth{stroke:var(--fourth)}.line.bad{stroke:var(--bad)}\n"
    ".area.whole,.dot.whole{fill:var(--whole)}.dot.first{fill:var(--first)}.area.third"
    "{fill:var(--third)}.area.fourth{fill:var(--fourth)}rect.bad{fill:var(--bad)}\n"
    ".dot{opacity:.35}\n"
    ".key{display:inline-block;margin-right:16px;font-size:13px;color:var(--soft)}\n"
    ".key i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px;"
    "vertical-align:-1px}.note{font-size:13px;color:var(--soft)}\n"
    "i.whole{background:var(--whole)}i.first{background:var(--first)}i.bad{background:var(--bad)}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\n"
    "th,td{text-align:right;padding:4px 6px;font-size:14px;border-bottom:1px solid "
    "var(--line);font-weight:400;"
    "white-space:nowrap}th:first-child,td.text{text-align:left}td.text{white-space:normal}\n"
    "tr:first-child th{color:var(--soft);font-size:13px}tr:last-child>*{border-bottom:0}\n"
    ".bars .bar{width:28%;min-width:70px}.bar i{display:block;height:11px;border-radius:3px;"
    "}.bar .some{min-width:2px}.bars tr:first-child th{text-align:left;padding-left:8px}\n"
    "section{margin:16px 0}.better{color:var(--third)}.worse{color:var(--bad)}\n";

/* --- the head --- */

static void
add_head(struct buf *out, const struct tally *t, const char *url)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct buf what = {0};
	struct tm tm;
	char date[40];

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &tm);
	for (size_t i = 0; i < t->plan->models.count; i++)
		buf_addf(&what, "%s%s", i == 0 ? "" : ", ", t->plan->models.texts[i]);
	buf_addf(&what, " at %s", url);
	buf_adds(out,
	         "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	         "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
	format_add_html(out, buf_text(&what));
	buf_addf(out, "</title>\n<style>\n%s</style></head><body>\n<h1>", style);
	format_add_html(out, buf_text(&what));
	buf_clear(&what);
	result_add_what(&what, t->plan);
	buf_adds(out, "</h1>\n<p>");
	format_add_html(out, buf_text(&what));
	buf_addf(out, "; %s; drover-bench " DROVER_VERSION "%s</p>\n", date,
	         t->interrupted ? "; interrupted" : "");
	if (result_own_limit(t) != NULL)
		buf_addf(out, "<p class=\"warn\">%s</p>\n", result_own_limit(t));
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
	buf_adds(out, "</div>\n</body></html>\n");
}
