/* Makes the requests of a run from the streams of a workload; traces are in trace.c. */
#include "base/mem.h"
#include "base/rng.h"
#include "trace.h"
#include "workload.h"

#include <assert.h>
#include <stdlib.h>

struct maker {
	const struct workload *w;
	const struct stream *stream;
	struct requests *out;
	struct rng rng;
	uint64_t seed;
	double rate;  /* the workload's */
	int made;     /* of this stream */
	int sessions; /* of all streams */
};

struct request *
requests_add(struct requests *out)
{
	struct request *r;

	if (out->count == out->room) {
		out->room = out->room * 2 + 64;
		out->all = mem_realloc(out->all, out->room * sizeof(*out->all));
	}
	r = &out->all[out->count++];
	*r = (struct request){.state = REQUEST_NEW, .serial = out->count};
	return r;
}

void
requests_finish(struct requests *out)
{
	free(out->all);
	*out = (struct requests){0};
}

static int
pick_model(struct maker *m)
{
	int nth = m->made;

	if (!m->stream->alternates)
		return (int)rng_weighted(&m->rng, m->stream->models, m->w->model_count);
	for (int i = 0;; i = (i + 1) % (int)m->w->model_count)
		if (m->stream->models[i] > 0 && nth-- == 0)
			return i;
}

static int
pick_key(struct maker *m)
{
	if (m->stream->alternates)
		return m->stream->first_key + m->made % m->stream->keys;
	return m->stream->first_key + (int)rng_below(&m->rng, (size_t)m->stream->keys);
}

static struct request *
add(struct maker *m, double at_s)
{
	const struct stream *s = m->stream;
	struct request *r = requests_add(m->out);

	r->at_us = (int64_t)(at_s * 1e6);
	r->stream = (int)(s - m->w->streams);
	r->model = pick_model(m);
	r->class = (enum job_class)rng_weighted(&m->rng, s->classes, CLASSES);
	r->key = pick_key(m);
	r->output_tokens = rng_tokens(&m->rng, s->output[r->class], s->sigma);
	r->prompt_tokens = r->fresh_tokens = rng_tokens(&m->rng, s->prompt, s->sigma);
	r->deadline_ms = (int64_t)(s->deadline_s[r->class] * 1000);
	m->made++;
	return r;
}

/* The turns of a conversation: each prompt holds all that was said before. */
static void
add_conversation(struct maker *m, double at_s)
{
	int key = pick_key(m), session = ++m->sessions;
	double context = m->stream->context;

	for (int turn = 0; turn < m->stream->turns; turn++) {
		struct request *r = add(m, at_s);
		int said = rng_tokens(&m->rng, m->stream->turn_new, m->stream->sigma);

		r->key = key;
		r->session = session;
		r->prompt_tokens = (int)context + said;
		r->fresh_tokens = turn == 0 ? r->prompt_tokens : said;
		context += said + r->output_tokens;
		/* Answers are read before the next question. */
		at_s += rng_exponential(&m->rng, m->stream->turn_gap_s) +
		        r->output_tokens / m->w->models[r->model].decode;
	}
}

/* Popular prompts by Zipf's law; the sizes of the i-th stay, what it says changes. */
static void
repeat(struct maker *m, struct request *r, double at_s)
{
	const struct stream *s = m->stream;
	double weights[MOST_REPEATS];
	size_t i;
	uint32_t edition = (uint32_t)(at_s / s->rotate_s);
	struct rng its;

	for (int k = 0; k < s->repeats; k++)
		weights[k] = 1.0 / (k + 1);
	i = rng_weighted(&m->rng, weights, (size_t)s->repeats);
	rng_init(&its, m->seed, 1000 * (uint64_t)(r->stream + 1) + i);
	r->output_tokens = rng_tokens(&its, s->output[r->class], s->sigma);
	r->prompt_tokens = r->fresh_tokens = rng_tokens(&its, s->prompt, s->sigma);
	r->content = edition * (uint32_t)s->repeats + (uint32_t)i + 1;
	if (r->content > m->out->contents)
		m->out->contents = r->content;
}

static void
make_one(struct maker *m, double at_s)
{
	if (m->stream->turns > 0)
		add_conversation(m, at_s);
	else if (m->stream->repeats > 0)
		repeat(m, add(m, at_s), at_s);
	else
		add(m, at_s);
}

static void
make_poisson(struct maker *m)
{
	const struct stream *s = m->stream;
	double at_s = 0;

	for (;;) {
		bool burst = at_s >= s->burst_from_s && at_s < s->burst_to_s;

		at_s += rng_exponential(&m->rng, 1 / (s->rate * m->rate * (burst ? s->burst_factor : 1)));
		if (at_s > m->w->horizon_s)
			return;
		make_one(m, at_s);
	}
}

static bool
make_stream(struct maker *m)
{
	switch (m->stream->arrivals) {
	case ARRIVE_POISSON: make_poisson(m); return true;
	case ARRIVE_EVERY:
		for (int i = 0; i < m->stream->count; i++)
			make_one(m, i * m->stream->every_s);
		return true;
	case ARRIVE_TRACE: return trace_read(m->out, m->w, m->stream, m->rate, &m->rng, &m->sessions);
	}
	abort();
}

static int
compare(const void *a, const void *b)
{
	const struct request *x = a, *y = b;

	if (x->at_us != y->at_us)
		return x->at_us < y->at_us ? -1 : 1;
	return x->serial < y->serial ? -1 : 1;
}

bool
requests_make(struct requests *out, const struct workload *w, double rate, uint64_t seed)
{
	struct maker m = {.w = w, .out = out, .rate = rate, .seed = seed};

	*out = (struct requests){0};
	for (size_t i = 0; i < w->stream_count; i++) {
		m.stream = &w->streams[i];
		m.made = 0;
		rng_init(&m.rng, seed, i);
		if (!make_stream(&m))
			return false;
	}
	qsort(out->all, out->count, sizeof(*out->all), compare);
	for (size_t i = 0; i < out->count; i++) {
		struct request *r = &out->all[i];

		list_init(&r->link);
		list_init(&r->followers);
		job_init(&r->job, r->class);
	}
	return true;
}
