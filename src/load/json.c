/* The JSON of a run. */
#include "result.h"

#include "base/clock.h"

#include <math.h>
#include <string.h>
#include <time.h>

static void
add_key(struct buf *out, const char *key)
{
	buf_addf(out, "%s\"%s\": ", out->data[out->len - 1] == '{' ? "" : ", ", key);
}

static void
add_text(struct buf *out, const char *key, const char *text)
{
	add_key(out, key);
	buf_add_json(out, text, strlen(text));
}

static void
add_int(struct buf *out, const char *key, int64_t value)
{
	add_key(out, key);
	buf_add_int(out, value);
}

/* No digit that means nothing, none that means something lost. */
static void
add_number(struct buf *out, const char *key, double value, bool known)
{
	add_key(out, key);
	if (known && isfinite(value))
		buf_addf(out, "%.10g", value);
	else
		buf_adds(out, "null");
}

static void
add_metrics(struct buf *out, const struct tally *t, const struct figures *f)
{
	struct metrics m;

	metrics_make(t, f, &m);
	for (size_t i = 0; i < m.count; i++)
		add_number(out, m.all[i].name, m.all[i].value, m.all[i].known);
}

static void
add_date(struct buf *out)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm tm;
	char text[32];

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	add_text(out, "date", text);
}

static void
add_plan(struct buf *out, const struct plan *p, const char *url)
{
	struct buf models = {0};

	plan_add_models(p, &models);
	add_date(out);
	add_text(out, "tool", "drover-bench " DROVER_VERSION);
	add_text(out, "base_url", url);
	add_text(out, "endpoint_type", p->api->name);
	add_text(out, "model_id", buf_text(&models));
	add_key(out, "stream");
	buf_adds(out, p->stream ? "true" : "false");
	add_number(out, "request_rate", p->rate, p->rate > 0);
	add_key(out, "arrival");
	buf_adds(out, !(p->rate > 0)                  ? "null"
	              : p->arrival == ARRIVAL_POISSON ? "\"poisson\""
	                                              : "\"constant\"");
	add_number(out, "max_concurrency", (double)p->concurrency, p->concurrency > 0);
	add_number(out, "num_prompts", (double)p->requests, p->requests > 0);
	add_int(out, "seed", (int64_t)p->seed);
	buf_finish(&models);
}

static void
add_histogram(struct buf *out, const char *key, const struct hist *h)
{
	add_key(out, key);
	buf_addc(out, '[');
	for (size_t i = 0; i < metrics_step_count; i++) {
		int64_t from_us = i == 0 ? 0 : metrics_steps_us[i - 1], to_us = metrics_steps_us[i];
		uint64_t end = to_us == INT64_MAX ? h->count : hist_count_below(h, to_us);

		buf_addf(out, "%s{\"below_ms\": ", i == 0 ? "" : ", ");
		if (to_us == INT64_MAX)
			buf_adds(out, "null");
		else
			buf_addf(out, "%lld", (long long)(to_us / 1000));
		buf_addf(out, ", \"count\": %llu}",
		         (unsigned long long)(end - hist_count_below(h, from_us)));
	}
	buf_addc(out, ']');
}

static void
add_statuses(struct buf *out, const struct tally *t)
{
	add_key(out, "rejected_by_status");
	buf_addc(out, '{');
	for (int i = 0; i < STATUS_MAX; i++)
		if (t->statuses[i] > 0) {
			char status[8] = {(char)('0' + i / 100), (char)('0' + i / 10 % 10),
			                  (char)('0' + i % 10)};

			add_int(out, status, t->statuses[i]);
		}
	buf_addc(out, '}');
}

static void
add_failures(struct buf *out, const struct tally *t)
{
	const struct failures *f = &t->failures;

	add_key(out, "errors");
	buf_addc(out, '[');
	for (size_t i = 0; i < f->count; i++) {
		buf_adds(out, i == 0 ? "{" : ", {");
		add_text(out, "kind", outcome_end_name(f->all[i].end));
		add_number(out, "status", f->all[i].status, f->all[i].status > 0);
		add_text(out, "message", f->all[i].text);
		add_int(out, "count", f->all[i].count);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

static void
add_groups(struct buf *out, const struct tally *t)
{
	add_key(out, "groups");
	buf_addc(out, '[');
	for (size_t i = 0; i < t->group_count; i++) {
		buf_adds(out, i == 0 ? "{" : ", {");
		add_text(out, "by", t->groups[i].kind);
		add_text(out, "name", t->groups[i].name);
		add_metrics(out, t, &t->groups[i].figures);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

static void
add_comparison(struct buf *out, const struct tally *t, const struct comparison *other)
{
	struct metrics m;
	double before, percent;

	metrics_make(t, &t->all, &m);
	add_key(out, "compared_with");
	buf_addc(out, '{');
	add_text(out, "file", other->path);
	for (size_t i = 0; i < m.count; i++)
		if (comparison_change(other, &m.all[i], &before, &percent)) {
			add_key(out, m.all[i].name);
			buf_addc(out, '{');
			add_number(out, "before", before, true);
			add_number(out, "now", m.all[i].value, true);
			add_number(out, "change_percent", percent, before > 0);
			buf_addc(out, '}');
		}
	buf_addc(out, '}');
}

void
result_add_json(struct buf *out, const struct tally *t, const char *url,
                const struct comparison *other)
{
	buf_addc(out, '{');
	add_plan(out, t->plan, url);
	add_metrics(out, t, &t->all);
	add_int(out, "unfinished", t->unfinished);
	add_int(out, "not_started", t->not_started);
	add_int(out, "max_concurrent_requests", t->most_running);
	add_int(out, "cache_misses", t->all.misses);
	add_statuses(out, t);
	add_failures(out, t);
	add_histogram(out, "ttft_histogram", &t->all.ttft);
	add_histogram(out, "e2el_histogram", &t->all.e2e);
	add_groups(out, t);
	add_number(out, "client_cpu_share", t->cpu_share, true);
	add_number(out, "p99_start_lag_ms", (double)hist_quantile_us(&t->lag, 0.99) / 1e3,
	           t->lag.count > 0);
	add_key(out, "client_was_limit");
	buf_adds(out, result_own_limit(t) != NULL ? "true" : "false");
	add_key(out, "interrupted");
	buf_adds(out, t->interrupted ? "true" : "false");
	if (other != NULL)
		add_comparison(out, t, other);
	buf_adds(out, "}\n");
}
