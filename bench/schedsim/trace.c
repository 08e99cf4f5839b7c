/* Recorded requests become those of a workload, one function a format. */
#include "trace.h"

#include "base/map.h"
#include "base/str.h"
#include "proto/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tracer {
	struct requests *out;
	const struct workload *w;
	const struct stream *stream;
	struct rng *rng;
	double rate;
	int *sessions;
	struct map blocks; /* hash id -> session, as a number in the pointer's place */
};

static struct request *
add(struct tracer *t, const struct trace_row *row, int model, enum job_class class)
{
	struct request *r = requests_add(t->out);

	r->at_us = (int64_t)(row->at_s / t->rate * 1e6);
	r->stream = (int)(t->stream - t->w->streams);
	r->model = model;
	r->class = class;
	r->key = t->stream->first_key;
	r->prompt_tokens = r->fresh_tokens = row->prompt_tokens;
	r->output_tokens = row->output_tokens;
	r->deadline_ms = (int64_t)(t->stream->deadline_s[class] * 1000);
	return r;
}

static int
find_model(const struct workload *w, struct str name)
{
	for (size_t m = 0; m < w->model_count; m++)
		if (str_eq(name, w->models[m].name))
			return (int)m;
	return -1;
}

static bool
find_class(struct str name, enum job_class *out)
{
	for (int c = 0; c < CLASSES; c++)
		if (str_eq(name, job_class_name((enum job_class)c))) {
			*out = (enum job_class)c;
			return true;
		}
	return false;
}

/* Keys were counted when the workload was read; those of a trace are folded into these. */
static int
fold_key(const struct tracer *t, struct str name)
{
	unsigned hash = 0;

	for (int k = 0; k < t->w->key_count; k++)
		if (str_eq(name, t->w->keys[k]))
			return k;
	for (size_t i = 0; i < name.len; i++)
		hash = hash * 31 + (unsigned char)name.ptr[i];
	return t->stream->first_key + (int)(hash % (unsigned)t->stream->keys);
}

static bool
take_plain(struct tracer *t, const struct trace_row *row)
{
	enum job_class class;
	int model = find_model(t->w, row->model);

	if (model < 0 || !find_class(row->class, &class))
		return false;
	add(t, row, model, class)->key = fold_key(t, row->key);
	return true;
}

/* One name has one model of the mix, though the workload calls it otherwise. */
static int
map_model(struct tracer *t, struct str name)
{
	struct rng its;
	uint64_t hash = 0;
	int model = find_model(t->w, name);

	if (model >= 0)
		return model;
	for (size_t i = 0; i < name.len; i++)
		hash = hash * 31 + (unsigned char)name.ptr[i];
	rng_init(&its, hash, 0);
	return (int)rng_weighted(&its, t->stream->models, t->w->model_count);
}

static void
take_burstgpt(struct tracer *t, const struct trace_row *row)
{
	bool talks = str_starts_nocase(row->class, "conv");

	add(t, row, map_model(t, row->model), talks ? CLASS_HIGH : CLASS_LOW);
}

static void
name_block(char *out, size_t size, uint64_t id)
{
	snprintf(out, size, "%llu", (unsigned long long)id);
}

/* The conversation that this one continues, and how much of the prompt it has said before. */
static int
find_session(const struct tracer *t, const struct trace_row *row, int *known)
{
	char name[32];
	int session = 0;
	size_t blocks = 0;

	for (; blocks < row->block_count; blocks++) {
		void *found;

		name_block(name, sizeof(name), row->blocks[blocks]);
		found = map_find(&t->blocks, name);
		if (found == NULL)
			break;
		session = (int)(intptr_t)found;
	}
	*known = (int)blocks * TRACE_BLOCK_TOKENS;
	*known = *known < row->prompt_tokens ? *known : row->prompt_tokens;
	return *known > row->prompt_tokens / 2 ? session : 0;
}

static void
remember(struct tracer *t, const struct trace_row *row, int session)
{
	char name[32];

	for (size_t i = 0; i < row->block_count; i++) {
		name_block(name, sizeof(name), row->blocks[i]);
		map_put(&t->blocks, name,
		        (void *)(intptr_t)session); // NOLINT(performance-no-int-to-ptr): a number
	}
}

static void
take_mooncake(struct tracer *t, const struct trace_row *row)
{
	int model = (int)rng_weighted(t->rng, t->stream->models, t->w->model_count), known;
	enum job_class class = (enum job_class)rng_weighted(t->rng, t->stream->classes, CLASSES);
	struct request *r = add(t, row, model, class);

	r->key = t->stream->first_key + (int)rng_below(t->rng, (size_t)t->stream->keys);
	r->session = find_session(t, row, &known);
	if (r->session == 0)
		r->session = ++*t->sessions;
	else
		r->fresh_tokens = r->prompt_tokens - known;
	remember(t, row, r->session);
}

static bool
take_line(struct tracer *t, const char *line, struct trace_row *row)
{
	switch (trace_read_line(t->stream->format, line, row)) {
	case TRACE_ROW: break;
	case TRACE_NOTHING: return true;
	case TRACE_BAD: return false;
	}
	switch (t->stream->format) {
	case TRACE_PLAIN: return take_plain(t, row);
	case TRACE_MOONCAKE: take_mooncake(t, row); return true;
	case TRACE_BURSTGPT: take_burstgpt(t, row); return true;
	}
	abort();
}

bool
trace_read(struct requests *out, const struct workload *w, const struct stream *s, double rate,
           /* NOLINTNEXTLINE(readability-non-const-parameter): written to by way of `t` */
           struct rng *rng, int *sessions)
{
	struct tracer t = {
	    .out = out, .w = w, .stream = s, .rng = rng, .rate = rate, .sessions = sessions};
	FILE *f = fopen(s->path, "r");
	struct trace_row row = {0};
	char *line = NULL;
	size_t room = 0;
	bool good = true;

	if (f == NULL) {
		perror(s->path);
		return false;
	}
	for (int n = 1; good && getline(&line, &room, f) >= 0; n++) {
		line[strcspn(line, "\r\n")] = '\0';
		good = take_line(&t, line, &row);
		if (!good)
			fprintf(stderr, "%s:%d: not of this format\n", s->path, n);
	}
	free(line);
	fclose(f);
	trace_row_finish(&row);
	map_finish(&t.blocks);
	return good;
}
