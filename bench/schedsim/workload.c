/*
 * Reads a workload's file: lines of words, `#` begins a comment. A line's first word says
 * what it is; a line `stream NAME` opens a stream, and those after it belong to it.
 */
#include "workload.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 32, LINE_SIZE = 1024 };

struct reader {
	struct workload *w;
	struct stream *stream; /* the open one; NULL: none yet */
	const char *path;
	int line;
	char *words[MOST_WORDS];
	int count;
	bool good;
};

__attribute__((format(printf, 2, 3))) static void
complain(struct reader *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%s:%d: ", r->path, r->line);
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	r->good = false;
}

/* --- words --- */

/* Word `i` as a number of at least `least`. */
static double
number(struct reader *r, int i, double least)
{
	char *end;
	double x;

	if (i >= r->count) {
		complain(r, "'%s' wants %d numbers or more", r->words[0], i);
		return least;
	}
	x = strtod(r->words[i], &end);
	if (end != r->words[i] && *end == '\0' && x >= least && x <= 1e9)
		return x;
	complain(r, "'%s' is no number of %g and more", r->words[i], least);
	return least;
}

static int
whole(struct reader *r, int i, int least, int most)
{
	double x = number(r, i, least);

	if (x == (int)x && x <= most)
		return (int)x;
	complain(r, "'%s' is no whole number of at most %d", r->words[i], most);
	return least;
}

static void
copy_name(struct reader *r, char *out, size_t size, int i)
{
	const char *name = i < r->count ? r->words[i] : "";

	if (*name == '\0' || strlen(name) >= size)
		complain(r, "'%s' wants a name of 1 to %zu letters", r->words[0], size - 1);
	snprintf(out, size, "%s", name);
}

static int
find_class(struct reader *r, const char *name)
{
	for (int c = 0; c < CLASSES; c++)
		if (strcmp(job_class_name((enum job_class)c), name) == 0)
			return c;
	complain(r, "'%s' is no class", name);
	return 0;
}

static int
find_model(struct reader *r, const char *name)
{
	int m = workload_find_model(r->w, name);

	if (m >= 0)
		return m;
	complain(r, "no model '%s' was described before", name);
	return 0;
}

/* CLASS NUMBER, over and over. */
static void
read_classes(struct reader *r, double *out)
{
	for (int i = 1; i < r->count; i += 2)
		out[find_class(r, r->words[i])] = number(r, i + 1, 0);
}

/* --- lines of the whole --- */

static void
read_name(struct reader *r)
{
	copy_name(r, r->w->name, sizeof(r->w->name), 1);
}

static void
read_about(struct reader *r)
{
	r->w->about[0] = '\0';
	for (int i = 1; i < r->count; i++) {
		size_t len = strlen(r->w->about);

		snprintf(r->w->about + len, sizeof(r->w->about) - len, i > 1 ? " %s" : "%s", r->words[i]);
	}
}

static void
read_horizon(struct reader *r)
{
	r->w->horizon_s = number(r, 1, 1);
}

static void
read_parallel(struct reader *r)
{
	r->w->parallel = whole(r, 1, 1, MOST_SLOTS);
}

static void
read_max_loaded(struct reader *r)
{
	r->w->max_loaded = whole(r, 1, 1, MOST_MODELS);
}

static void
read_rates(struct reader *r)
{
	r->w->rate_count = 0;
	for (int i = 1; i < r->count && r->w->rate_count < MOST_RATES; i++)
		r->w->rates[r->w->rate_count++] = number(r, i, 1e-6);
}

static void
read_capacity(struct reader *r)
{
	r->w->capacity_bound_s = number(r, 1, 1);
}

/* node NAME WEIGHT SPEED */
static void
read_node(struct reader *r)
{
	struct node_spec *n = &r->w->nodes[r->w->node_count];

	if (r->w->node_count == MOST_NODES) {
		complain(r, "more than %d nodes", MOST_NODES);
		return;
	}
	r->w->node_count++;
	copy_name(r, n->name, sizeof(n->name), 1);
	n->weight = whole(r, 2, 1, 1000);
	n->speed = number(r, 3, 1e-3);
}

/* model NAME LOAD DECODE PREFILL */
static void
read_model(struct reader *r)
{
	struct model_spec *m = &r->w->models[r->w->model_count];

	if (r->w->model_count == MOST_MODELS) {
		complain(r, "more than %d models", MOST_MODELS);
		return;
	}
	r->w->model_count++;
	copy_name(r, m->name, sizeof(m->name), 1);
	m->load_s = number(r, 2, 0);
	m->decode = number(r, 3, 1e-3);
	m->prefill = number(r, 4, 1e-3);
}

static void
read_stream(struct reader *r)
{
	struct stream *s = &r->w->streams[r->w->stream_count];

	if (r->w->stream_count == MOST_STREAMS) {
		complain(r, "more than %d streams", MOST_STREAMS);
		return;
	}
	r->w->stream_count++;
	*s = (struct stream){.burst_factor = 1, .prompt = 400, .sigma = 0.8};
	for (int c = 0; c < CLASSES; c++)
		s->output[c] = 220;
	s->classes[CLASS_NORMAL] = 1;
	copy_name(r, s->name, sizeof(s->name), 1);
	r->stream = s;
}

/* --- lines of a stream --- */

static void
read_poisson(struct reader *r)
{
	r->stream->arrivals = ARRIVE_POISSON;
	r->stream->rate = number(r, 1, 1e-6);
}

static void
read_every(struct reader *r)
{
	r->stream->arrivals = ARRIVE_EVERY;
	r->stream->every_s = number(r, 1, 0);
	r->stream->count = whole(r, 2, 1, 1000000);
}

static void
read_burst(struct reader *r)
{
	r->stream->burst_from_s = number(r, 1, 0);
	r->stream->burst_to_s = number(r, 2, 0);
	r->stream->burst_factor = number(r, 3, 1e-3);
}

static void
read_models(struct reader *r)
{
	for (int i = 1; i < r->count; i += 2)
		r->stream->models[find_model(r, r->words[i])] = number(r, i + 1, 0);
}

static void
read_alternate(struct reader *r)
{
	r->stream->alternates = true;
	for (int i = 1; i < r->count; i++)
		r->stream->models[find_model(r, r->words[i])] = 1;
}

static void
read_class_mix(struct reader *r)
{
	r->stream->classes[CLASS_NORMAL] = 0;
	read_classes(r, r->stream->classes);
}

/* keys PREFIX COUNT */
static void
read_keys(struct reader *r)
{
	int count = whole(r, 2, 1, MOST_KEYS / 2);
	char name[2 * NAME_SIZE];

	for (int i = 0; i < count; i++) {
		int key;

		snprintf(name, sizeof(name), "%s%d", r->words[1], i);
		key = workload_add_key(r->w, name);
		if (i == 0)
			r->stream->first_key = key;
		else if (key != r->stream->first_key + i)
			complain(r, "keys '%s' are there already, and fewer of them", r->words[1]);
	}
	r->stream->keys = count;
}

static void
read_output(struct reader *r)
{
	read_classes(r, r->stream->output);
}

/* prompt MEAN SIGMA: the spread is that of the outputs too */
static void
read_prompt(struct reader *r)
{
	r->stream->prompt = number(r, 1, 1);
	r->stream->sigma = number(r, 2, 0);
}

static void
read_deadline(struct reader *r)
{
	read_classes(r, r->stream->deadline_s);
}

static void
read_repeats(struct reader *r)
{
	r->stream->repeats = whole(r, 1, 1, MOST_REPEATS);
	r->stream->rotate_s = number(r, 2, 1);
}

/* chat TURNS CONTEXT NEW GAP */
static void
read_chat(struct reader *r)
{
	r->stream->turns = whole(r, 1, 1, 1000);
	r->stream->context = number(r, 2, 0);
	r->stream->turn_new = number(r, 3, 1);
	r->stream->turn_gap_s = number(r, 4, 0);
}

static void
read_watched(struct reader *r)
{
	r->stream->watched = true;
}

/* trace FORMAT FILE, the file beside this one */
static void
read_trace(struct reader *r)
{
	static const char *const formats[] = {"plain", "mooncake", "burstgpt"};
	const char *slash = strrchr(r->path, '/');
	int dir = slash == NULL ? 0 : (int)(slash - r->path) + 1, len;

	r->stream->arrivals = ARRIVE_TRACE;
	if (r->count != 3) {
		complain(r, "wants: trace plain|mooncake|burstgpt FILE");
		return;
	}
	for (int f = 0; f < 3; f++)
		if (strcmp(formats[f], r->words[1]) == 0) {
			r->stream->format = (enum trace_format)f;
			len = snprintf(r->stream->path, PATH_SIZE, "%.*s%s", dir, r->path, r->words[2]);
			if (len >= PATH_SIZE)
				complain(r, "a path of more than %d letters", PATH_SIZE - 1);
			return;
		}
	complain(r, "'%s' is no format of traces", r->words[1]);
}

static const struct directive {
	const char *word;
	bool in_stream;
	void (*read)(struct reader *r);
} directives[] = {
    {"workload", false, read_name},    {"about", false, read_about},
    {"horizon", false, read_horizon},  {"parallel", false, read_parallel},
    {"rates", false, read_rates},      {"max_loaded", false, read_max_loaded},
    {"node", false, read_node},        {"model", false, read_model},
    {"stream", false, read_stream},    {"poisson", true, read_poisson},
    {"every", true, read_every},       {"burst", true, read_burst},
    {"models", true, read_models},     {"alternate", true, read_alternate},
    {"classes", true, read_class_mix}, {"keys", true, read_keys},
    {"output", true, read_output},     {"prompt", true, read_prompt},
    {"deadline", true, read_deadline}, {"repeats", true, read_repeats},
    {"chat", true, read_chat},         {"watched", true, read_watched},
    {"trace", true, read_trace},       {"capacity", false, read_capacity},
};

static void
read_line(struct reader *r)
{
	for (size_t i = 0; i < sizeof(directives) / sizeof(*directives); i++) {
		const struct directive *d = &directives[i];

		if (strcmp(d->word, r->words[0]) != 0)
			continue;
		if (d->in_stream && r->stream == NULL)
			complain(r, "'%s' belongs into a stream", d->word);
		else if (r->count < 2 && d->read != read_watched)
			complain(r, "'%s' says nothing", d->word);
		else
			d->read(r);
		return;
	}
	complain(r, "nothing is called '%s'", r->words[0]);
}

static void
split(struct reader *r, char *line)
{
	char *rest = NULL, *word;

	line[strcspn(line, "#\n")] = '\0';
	r->count = 0;
	for (word = strtok_r(line, " \t\r", &rest); word != NULL && r->count < MOST_WORDS;
	     word = strtok_r(NULL, " \t\r", &rest))
		r->words[r->count++] = word;
	if (word != NULL)
		complain(r, "more than %d words", MOST_WORDS);
}

/* --- the whole --- */

/* What every stream needs, so that the maker need not look. */
static void
complete(struct reader *r)
{
	struct workload *w = r->w;

	if (w->name[0] == '\0' || w->node_count == 0 || w->model_count == 0 || w->stream_count == 0)
		complain(r, "a workload has a name, a node, a model and a stream at least");
	for (size_t i = 0; i < w->stream_count; i++) {
		struct stream *s = &w->streams[i];
		double models = 0, classes = 0;

		for (size_t m = 0; m < w->model_count; m++)
			models += s->models[m];
		for (int c = 0; c < CLASSES; c++)
			classes += s->classes[c];
		if (models <= 0 || classes <= 0)
			complain(r, "stream '%s' needs a model and a class", s->name);
		if (s->arrivals == ARRIVE_POISSON && s->rate <= 0)
			complain(r, "stream '%s' never comes", s->name);
		if (s->keys == 0) {
			s->first_key = workload_add_key(w, s->name);
			s->keys = 1;
		}
	}
}

bool
workload_read(struct workload *w, const char *path)
{
	struct reader r = {.w = w, .path = path, .good = true};
	FILE *f = fopen(path, "r");
	char line[LINE_SIZE];

	*w = (struct workload){
	    .horizon_s = 3600, .parallel = 4, .max_loaded = 1, .rates = {1}, .rate_count = 1};
	if (f == NULL) {
		perror(path);
		return false;
	}
	while (r.good && fgets(line, sizeof(line), f) != NULL) {
		r.line++;
		split(&r, line);
		if (r.count > 0)
			read_line(&r);
	}
	if (r.good)
		complete(&r);
	fclose(f);
	return r.good;
}

int
workload_find_model(const struct workload *w, const char *name)
{
	for (size_t m = 0; m < w->model_count; m++)
		if (strcmp(w->models[m].name, name) == 0)
			return (int)m;
	return -1;
}

int
workload_add_key(struct workload *w, const char *name)
{
	int i = 0;

	while (i < w->key_count && strcmp(w->keys[i], name) != 0)
		i++;
	/* What comes beyond the bound shares the last one. */
	if (i == MOST_KEYS)
		return MOST_KEYS - 1;
	if (i == w->key_count)
		snprintf(w->keys[w->key_count++], NAME_SIZE, "%s", name);
	return i;
}
