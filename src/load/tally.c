/* Counting. */
#include "tally.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A loaded model too says some milliseconds of load_duration. */
static const int64_t load_least_ns = INT64_C(500) * 1000 * 1000;

static void
figures_finish(struct figures *f)
{
	hist_finish(&f->ttft);
	hist_finish(&f->tpot);
	hist_finish(&f->itl);
	hist_finish(&f->e2e);
	hist_finish(&f->queue);
	hist_finish(&f->load);
	hist_finish(&f->prompt_eval);
	hist_finish(&f->eval);
}

/* Keys are secrets: they go by their number. */
static size_t
add_groups(struct tally *t, const char *kind, const struct mix *m, bool named)
{
	size_t first = t->group_count;

	if (m->count < 2)
		return first;
	t->groups = mem_realloc(t->groups, (t->group_count + m->count) * sizeof(t->groups[0]));
	for (size_t i = 0; i < m->count; i++) {
		struct buf name = {0};

		if (named)
			buf_adds(&name, m->texts[i]);
		else
			buf_addf(&name, "%zu", i + 1);
		t->groups[t->group_count++] = (struct group){.kind = kind, .name = buf_take(&name)};
	}
	return first;
}

void
tally_init(struct tally *t, const struct plan *plan)
{
	memset(t, 0, sizeof(*t));
	t->plan = plan;
	series_init(&t->series);
	t->first_model = add_groups(t, "model", &plan->models, true);
	t->first_key = add_groups(t, "key", &plan->keys, false);
	t->first_class = add_groups(t, "class", &plan->classes, true);
}

void
tally_finish(struct tally *t)
{
	figures_finish(&t->all);
	for (size_t i = 0; i < t->group_count; i++) {
		figures_finish(&t->groups[i].figures);
		free(t->groups[i].name);
	}
	free(t->groups);
	hist_finish(&t->lag);
}

void
tally_start(struct tally *t, int64_t now_us)
{
	t->start_us = t->end_us = now_us;
}

static struct slot *
slot_at(struct tally *t, int64_t now_us)
{
	return series_at(&t->series, now_us - t->start_us);
}

void
tally_begin(struct tally *t, int64_t lag_us, int64_t now_us)
{
	struct slot *slot = slot_at(t, now_us);

	t->series.running++;
	if (t->series.running > t->most_running)
		t->most_running = t->series.running;
	slot->started++;
	if (t->series.running > slot->most_running)
		slot->most_running = t->series.running;
	hist_add(&t->lag, lag_us);
}

void
tally_tokens(struct tally *t, int64_t count, int64_t now_us)
{
	slot_at(t, now_us)->tokens += count;
}

/* Time per token after the first; -1 where there is none. */
static int64_t
tpot_us(const struct outcome *o, int64_t output_tokens)
{
	if (o->first_us == 0 || output_tokens < 2)
		return -1;
	return (o->end_us - o->first_us) / (output_tokens - 1);
}

static int64_t
output_tokens_of(const struct outcome *o)
{
	return o->facts->output_tokens >= 0 ? o->facts->output_tokens
	       : o->first_us == 0           ? 0
	                                    : o->tokens;
}

static bool
is_within(int64_t us, int64_t limit_ms)
{
	return limit_ms == 0 || (us >= 0 && us <= limit_ms * 1000);
}

static bool
is_good(const struct slo *slo, const struct outcome *o)
{
	int64_t ttft_us = o->first_us == 0 ? -1 : o->first_us - o->due_us;
	int64_t per_token_us = tpot_us(o, output_tokens_of(o));

	/* An answer of one token keeps every pace. */
	return is_within(ttft_us, slo->ttft_ms) && is_within(o->end_us - o->due_us, slo->e2e_ms) &&
	       (per_token_us < 0 || is_within(per_token_us, slo->tpot_ms));
}

static void
add_times(struct figures *f, const struct outcome *o)
{
	int64_t per_token_us = tpot_us(o, output_tokens_of(o));

	hist_add(&f->e2e, o->end_us - o->due_us);
	if (o->first_us != 0)
		hist_add(&f->ttft, o->first_us - o->due_us);
	if (per_token_us >= 0)
		hist_add(&f->tpot, per_token_us);
	for (size_t i = 0; i < o->gap_count; i++)
		hist_add(&f->itl, o->gaps_us[i]);
	if (o->queue_ms >= 0)
		hist_add(&f->queue, o->queue_ms * 1000);
}

/* What the server says of itself. An answer from a cache repeats what was once true. */
static void
add_server(struct figures *f, const struct outcome *o)
{
	const struct facts *s = o->facts;

	f->input_tokens += s->prompt_tokens > 0 ? s->prompt_tokens : 0;
	f->output_tokens += output_tokens_of(o);
	if (o->cache == CACHE_HIT || o->cache == CACHE_STALE || o->cache == CACHE_JOINED)
		return;
	if (s->load_ns >= 0)
		hist_add(&f->load, s->load_ns / 1000);
	f->loads += s->load_ns >= load_least_ns;
	if (s->prompt_eval_ns > 0) {
		hist_add(&f->prompt_eval, s->prompt_eval_ns / 1000);
		f->prompt_eval_ns += s->prompt_eval_ns;
		f->prompt_eval_tokens += s->prompt_tokens > 0 ? s->prompt_tokens : 0;
	}
	if (s->eval_ns > 0) {
		hist_add(&f->eval, s->eval_ns / 1000);
		f->eval_ns += s->eval_ns;
		f->eval_tokens += s->output_tokens > 0 ? s->output_tokens : 0;
	}
}

static void
add_figures(struct figures *f, const struct slo *slo, const struct outcome *o)
{
	f->ended++;
	f->refused += o->end == OUTCOME_REFUSED;
	if (o->end != OUTCOME_WHOLE)
		return;
	f->whole++;
	f->good += is_good(slo, o);
	f->hits += o->cache == CACHE_HIT || o->cache == CACHE_STALE;
	f->misses += o->cache == CACHE_MISS;
	f->joined += o->cache == CACHE_JOINED;
	add_times(f, o);
	add_server(f, o);
}

static void
add_to_group(struct tally *t, const struct mix *m, size_t first, size_t index,
             const struct outcome *o)
{
	if (m->count >= 2)
		add_figures(&t->groups[first + index].figures, &t->plan->slo, o);
}

static void
add_over_time(struct tally *t, const struct outcome *o)
{
	struct slot *slot = slot_at(t, o->end_us);
	struct sample sample = {
	    .at_us = o->end_us - t->start_us,
	    .e2e_us = o->end_us - o->due_us,
	    .ttft_us = o->first_us == 0 ? -1 : o->first_us - o->due_us,
	    .whole = o->end == OUTCOME_WHOLE,
	};

	if (sample.whole)
		slot->whole++;
	else
		slot->failed++;
	series_sample(&t->series, &sample);
}

void
tally_end(struct tally *t, const struct outcome *o)
{
	const struct plan *p = t->plan;

	slot_at(t, o->end_us); /* what is between the last event and this one ran with it */
	t->series.running--;
	if (o->end == OUTCOME_UNFINISHED) {
		t->unfinished++;
		return;
	}
	t->end_us = o->end_us > t->end_us ? o->end_us : t->end_us;
	add_figures(&t->all, &p->slo, o);
	add_to_group(t, &p->models, t->first_model, o->shot.model, o);
	add_to_group(t, &p->keys, t->first_key, o->shot.key, o);
	add_to_group(t, &p->classes, t->first_class, o->shot.class, o);
	add_over_time(t, o);
	if (o->end != OUTCOME_WHOLE)
		failures_add(&t->failures, o);
	if (o->end == OUTCOME_REFUSED && o->status < STATUS_MAX)
		t->statuses[o->status]++;
}

double
tally_seconds(const struct tally *t)
{
	return t->end_us > t->start_us ? (double)(t->end_us - t->start_us) / 1e6 : 1e-6;
}
