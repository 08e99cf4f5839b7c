/* Readers of traces, one function a format, all called line by line. */
#include "trace.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_TOKENS = 512, MOST_FIELDS = 8 };

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
add(struct tracer *t, double at_s, int model, enum job_class class, double prompt, double output)
{
	struct request *r = requests_add(t->out);

	r->at_us = (int64_t)(at_s / t->rate * 1e6);
	r->stream = (int)(t->stream - t->w->streams);
	r->model = model;
	r->class = class;
	r->key = t->stream->first_key;
	r->prompt_tokens = r->fresh_tokens = (int)prompt;
	r->output_tokens = (int)output;
	r->deadline_ms = (int64_t)(t->stream->deadline_s[class] * 1000);
	return r;
}

/* --- CSV --- */

static size_t
split(const char *line, struct str *fields)
{
	struct str rest = str_trim(str_of(line));
	size_t count = 0;

	while (count < MOST_FIELDS && str_split(&rest, ',', &fields[count]))
		count++;
	return count;
}

static bool
to_number(struct str text, double *out)
{
	char copy[32], *end;

	if (text.len == 0 || text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	*out = strtod(copy, &end);
	return *end == '\0' && *out >= 0 && *out < 1e9;
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
read_plain(struct tracer *t, const char *line)
{
	struct str f[MOST_FIELDS];
	double at, prompt, output;
	enum job_class class;
	int model;

	if (split(line, f) != 6 || (model = find_model(t->w, f[1])) < 0 || !find_class(f[2], &class))
		return false;
	if (!to_number(f[0], &at) || !to_number(f[4], &prompt) || !to_number(f[5], &output))
		return false;
	add(t, at, model, class, prompt, output)->key = fold_key(t, f[3]);
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

static bool
read_burstgpt(struct tracer *t, const char *line)
{
	struct str f[MOST_FIELDS];
	double at, prompt, output;

	if (strncmp(line, "Timestamp,", 10) == 0)
		return true;
	if (split(line, f) != 6 || !to_number(f[0], &at) || !to_number(f[2], &prompt) ||
	    !to_number(f[3], &output))
		return false;
	if (output > 0)
		add(t, at, map_model(t, f[1]), str_starts_nocase(f[5], "conv") ? CLASS_HIGH : CLASS_LOW,
		    prompt, output);
	return true;
}

/* --- Mooncake --- */

static void
name_block(char *out, size_t size, const cJSON *id)
{
	snprintf(out, size, "%.0f", id->valuedouble);
}

/* The conversation that this one continues, and how much of the prompt it has said before. */
static int
find_session(const struct tracer *t, const cJSON *ids, int prompt, int *known)
{
	const cJSON *id;
	char name[32];
	int session = 0, blocks = 0;

	cJSON_ArrayForEach (id, ids) {
		void *found;

		name_block(name, sizeof(name), id);
		found = map_find(&t->blocks, name);
		if (found == NULL)
			break;
		session = (int)(intptr_t)found;
		blocks++;
	}
	*known = blocks * BLOCK_TOKENS < prompt ? blocks * BLOCK_TOKENS : prompt;
	return *known > prompt / 2 ? session : 0;
}

static void
remember(struct tracer *t, const cJSON *ids, int session)
{
	const cJSON *id;
	char name[32];

	cJSON_ArrayForEach (id, ids) {
		name_block(name, sizeof(name), id);
		map_put(&t->blocks, name, (void *)(intptr_t)session);
	}
}

static bool
read_mooncake(struct tracer *t, const char *line)
{
	cJSON *json = cJSON_Parse(line);
	const cJSON *at = cJSON_GetObjectItemCaseSensitive(json, "timestamp");
	const cJSON *prompt = cJSON_GetObjectItemCaseSensitive(json, "input_length");
	const cJSON *output = cJSON_GetObjectItemCaseSensitive(json, "output_length");
	const cJSON *ids = cJSON_GetObjectItemCaseSensitive(json, "hash_ids");
	bool good = cJSON_IsNumber(at) && cJSON_IsNumber(prompt) && cJSON_IsNumber(output) &&
	            at->valuedouble >= 0 && prompt->valuedouble >= 0 && output->valuedouble >= 0;

	if (good) {
		int model = (int)rng_weighted(t->rng, t->stream->models, t->w->model_count), known;
		enum job_class class = (enum job_class)rng_weighted(t->rng, t->stream->classes, CLASSES);
		struct request *r =
		    add(t, at->valuedouble / 1000, model, class, prompt->valuedouble, output->valuedouble);

		r->key = t->stream->first_key + (int)rng_below(t->rng, (size_t)t->stream->keys);
		r->session = find_session(t, ids, r->prompt_tokens, &known);
		if (r->session == 0)
			r->session = ++*t->sessions;
		else
			r->fresh_tokens = r->prompt_tokens - known;
		remember(t, ids, r->session);
	}
	cJSON_Delete(json);
	return good;
}

/* --- all --- */

static bool
read_line(struct tracer *t, const char *line)
{
	switch (t->stream->format) {
	case TRACE_PLAIN: return read_plain(t, line);
	case TRACE_MOONCAKE: return read_mooncake(t, line);
	case TRACE_BURSTGPT: return read_burstgpt(t, line);
	}
	abort();
}

bool
trace_read(struct requests *out, const struct workload *w, const struct stream *s, double rate,
           struct rng *rng, int *sessions)
{
	struct tracer t = {
	    .out = out, .w = w, .stream = s, .rng = rng, .rate = rate, .sessions = sessions};
	FILE *f = fopen(s->path, "r");
	char *line = NULL;
	size_t room = 0;
	bool good = true;

	if (f == NULL) {
		perror(s->path);
		return false;
	}
	for (int n = 1; good && getline(&line, &room, f) >= 0; n++) {
		line[strcspn(line, "\r\n")] = '\0';
		good = *line == '\0' || read_line(&t, line);
		if (!good)
			fprintf(stderr, "%s:%d: not of this format\n", s->path, n);
	}
	free(line);
	fclose(f);
	map_finish(&t.blocks);
	return good;
}
