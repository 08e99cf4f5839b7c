/* Named numbers. */
#include "metrics.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const int64_t metrics_steps_us[] = {
    1000,    5000,     10000,    50000,    100000,    500000,    1000000,
    5000000, 10000000, 30000000, 60000000, 300000000, INT64_MAX,
};
const size_t metrics_step_count = sizeof(metrics_steps_us) / sizeof(metrics_steps_us[0]);

void
metrics_timings(const struct figures *f, struct timing *out)
{
	const struct timing all[TIMINGS] = {
	    {"ttft_ms", "Time to first token", &f->ttft, false},
	    {"itl_ms", "Between tokens", &f->itl, false},
	    {"tpot_ms", "Per output token", &f->tpot, false},
	    {"e2el_ms", "End to end", &f->e2e, false},
	    {"queue_wait_ms", "Waited in the gateway", &f->queue, true},
	    {"load_wait_ms", "Server: loading", &f->load, true},
	    {"prompt_eval_ms", "Server: prompt", &f->prompt_eval, true},
	    {"eval_ms", "Server: answer", &f->eval, true},
	};

	memcpy(out, all, sizeof(all));
}

static struct metric *
add(struct metrics *m, const char *before, const char *name, double value, enum better better)
{
	struct metric *it = &m->all[m->count];

	assert(m->count < METRICS_MAX);
	m->count++;
	snprintf(it->name, sizeof(it->name), "%s%s", before, name);
	it->value = value;
	it->better = better;
	it->known = true;
	it->whole = false;
	return it;
}

static void
add_count(struct metrics *m, const char *name, int64_t value, enum better better)
{
	add(m, "", name, (double)value, better)->whole = true;
}

static void
add_rate(struct metrics *m, const char *name, double value, bool known)
{
	add(m, "", name, value, BETTER_MORE)->known = known;
}

static void
add_timing(struct metrics *m, const struct timing *t)
{
	static const struct {
		const char *before;
		double q;
	} quantiles[] = {{"median_", 0.5}, {"p95_", 0.95}, {"p99_", 0.99}, {"p999_", 0.999}};
	const struct hist *h = t->hist;
	bool known = h->count > 0;

	add(m, t->ours ? "" : "mean_", t->name, h->mean_us / 1e3, BETTER_LESS)->known = known;
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		add(m, quantiles[i].before, t->name, (double)hist_quantile_us(h, quantiles[i].q) / 1e3,
		    BETTER_LESS)
		    ->known = known;
	if (t->ours)
		return;
	add(m, "std_", t->name, hist_deviation_us(h) / 1e3, BETTER_NEITHER)->known = known;
	add(m, "max_", t->name, (double)h->max_us / 1e3, BETTER_LESS)->known = known;
}

static bool
has_slo(const struct slo *s)
{
	return s->ttft_ms > 0 || s->tpot_ms > 0 || s->e2e_ms > 0;
}

static double
a_second(int64_t tokens, int64_t ns)
{
	return ns > 0 ? (double)tokens * 1e9 / (double)ns : 0;
}

static void
add_rates(struct metrics *m, const struct tally *t, const struct figures *f)
{
	double seconds = tally_seconds(t);

	add_rate(m, "request_throughput", (double)f->whole / seconds, true);
	add_rate(m, "request_goodput", (double)f->good / seconds, has_slo(&t->plan->slo));
	add_rate(m, "output_throughput", (double)f->output_tokens / seconds, true);
	add_rate(m, "total_token_throughput", (double)(f->input_tokens + f->output_tokens) / seconds,
	         true);
	add_rate(m, "prompt_eval_rate", a_second(f->prompt_eval_tokens, f->prompt_eval_ns),
	         f->prompt_eval_ns > 0);
	add_rate(m, "eval_rate", a_second(f->eval_tokens, f->eval_ns), f->eval_ns > 0);
}

void
metrics_make(const struct tally *t, const struct figures *f, struct metrics *out)
{
	struct timing timings[TIMINGS];

	out->count = 0;
	add(out, "", "duration", tally_seconds(t), BETTER_NEITHER);
	add_count(out, "completed", f->whole, BETTER_NEITHER);
	add_count(out, "failed", f->ended - f->whole, BETTER_LESS);
	add_count(out, "rejected", f->refused, BETTER_LESS);
	add_count(out, "total_input_tokens", f->input_tokens, BETTER_NEITHER);
	add_count(out, "total_output_tokens", f->output_tokens, BETTER_NEITHER);
	add_rates(out, t, f);
	metrics_timings(f, timings);
	for (size_t i = 0; i < TIMINGS; i++)
		add_timing(out, &timings[i]);
	add_count(out, "cache_hits", f->hits, BETTER_MORE);
	add_count(out, "joined", f->joined, BETTER_MORE);
	add_count(out, "model_loads", f->loads, BETTER_LESS);
}

const struct metric *
metrics_find(const struct metrics *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++)
		if (strcmp(m->all[i].name, name) == 0)
			return &m->all[i];
	return NULL;
}
