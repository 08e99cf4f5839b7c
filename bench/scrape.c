/*
 * What a scrape of the metrics costs: 16 nodes, 64 models, 100 keys, each of which was asked for on
 * every route that runs a model, succeeded, failed and was left; each node has loaded each model.
 *
 *   bench-scrape [MOST_MS]
 *
 * Prints milliseconds of CPU time, the mean of the best of some rounds, for other programs may
 * run beside it. With MOST_MS it fails if that is more.
 */
#include "app/gateway.h"
#include "app/request.h"
#include "base/mem.h"
#include "conf/call.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NODES = 16, MODELS = 64, KEYS = 100, ROUNDS = 9, SCRAPES = 10 };

static const char *const routes[] = {
    "/api/generate", "/api/chat", "/api/embed", "/v1/chat/completions", "/v1/messages",
};

static const int codes[] = {200, 404, 499, 502, 503};

enum { ROUTES = sizeof(routes) / sizeof(routes[0]), CODES = sizeof(codes) / sizeof(codes[0]) };

static int64_t
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* --- a gateway of that size --- */

static void
add_configuration(struct buf *yaml)
{
	buf_adds(yaml, "listen: [127.0.0.1:0]\nadmin: off\nstate: none\n"
	               "log: {access: off, level: error}\nbackends:\n");
	for (int i = 0; i < NODES; i++)
		buf_addf(yaml, "- {name: workstation-%d, url: \"http://127.0.0.1:1/%d\"}\n", i, i);
	buf_adds(yaml, "keys:\n");
	for (int i = 0; i < KEYS; i++)
		buf_addf(yaml, "- {name: somebody-%d, key: key-of-somebody-%04d}\n", i, i);
}

static void
must(bool holds, const struct buf *why)
{
	if (holds)
		return;
	fprintf(stderr, "bench-scrape: %s\n", buf_text(why));
	exit(1);
}

static void
load_settings(struct settings_call *call)
{
	char path[] = "/tmp/bench-scrape-XXXXXX", name[] = "drover", option[] = "-c";
	char *words[] = {name, option, path, NULL}, *environment[] = {NULL};
	struct buf yaml = {0}, why = {0};
	int fd = mkstemp(path);

	add_configuration(&yaml);
	buf_adds(&why, "no temporary file");
	must(fd >= 0 && write(fd, yaml.data, yaml.len) == (ssize_t)yaml.len, &why);
	close(fd);
	buf_clear(&why);
	must(settings_load(3, words, environment, call, &why) == 0, &why);
	unlink(path);
	buf_finish(&yaml);
	buf_finish(&why);
}

static void
name_model(int i, char out[32])
{
	snprintf(out, 32, "model-%d:%db", i, i % 4 * 8 + 7);
}

static void
give_models(struct gateway *g)
{
	char names[MODELS][32];
	const char *list[MODELS];

	for (int i = 0; i < MODELS; i++) {
		name_model(i, names[i]);
		list[i] = names[i];
	}
	for (size_t n = 0; n < g->server_count; n++)
		backend_set_models(g->servers[n]->backend, list, MODELS);
}

/* --- its past --- */

static const struct route *
find_route(const char *path)
{
	size_t count;
	const struct route *table = route_table(&count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(table[i].path, path) == 0)
			return &table[i];
	abort();
}

static struct caller *
find_caller(struct gateway *g, int i)
{
	char key[32];

	snprintf(key, sizeof(key), "key-of-somebody-%04d", i);
	return callers_find_key(g->callers, str_of(key));
}

static void
ask(struct gateway *g, struct request *r)
{
	struct meter_pace pace = {0};

	r->usage_known = true;
	r->usage = (struct usage){.prompt = 1234, .output = 567};
	for (int c = 0; c < CODES; c++) {
		r->status = codes[c];
		meter_saw_end(g->meter, r, codes[c] == 200 ? JOB_DONE : JOB_REFUSED);
	}
	meter_begin_pace(&pace, r);
	for (int piece = 0; piece < 20; piece++)
		meter_saw_piece(&pace, INT64_C(1000) * piece * piece);
}

static void
make_past(struct gateway *g)
{
	struct request *r = NEW(struct request);

	r->gateway = g;
	for (int i = 0; i < MODELS * ROUTES; i++) {
		r->route = find_route(routes[i / MODELS]);
		r->caller = find_caller(g, i % KEYS);
		name_model(i % MODELS, r->facts.model);
		ask(g, r);
	}
	for (size_t i = 0; i < (size_t)NODES * MODELS; i++) {
		name_model((int)i % MODELS, r->facts.model);
		meter_saw_load(g->meter, g->servers[i / MODELS]->backend, r->facts.model, 12345);
	}
	free(r);
}

/* --- the measurement --- */

static int64_t
measure_us(const struct gateway *g, size_t *bytes, size_t *lines)
{
	struct buf text = {0};
	int64_t began_us = cpu_us(), took_us;

	for (int i = 0; i < SCRAPES; i++) {
		buf_finish(&text); /* as each scrape has a new one */
		meter_add_text(g->meter, &text);
	}
	took_us = (cpu_us() - began_us) / SCRAPES;
	*bytes = text.len;
	*lines = 0;
	for (size_t i = 0; i < text.len; i++)
		*lines += text.data[i] == '\n';
	buf_finish(&text);
	return took_us;
}

static double
measure_best_ms(const struct gateway *g)
{
	int64_t best_us = INT64_MAX;
	size_t bytes, lines;

	for (int i = 0; i < ROUNDS; i++) {
		int64_t us = measure_us(g, &bytes, &lines);

		best_us = us < best_us ? us : best_us;
	}
	printf("%d nodes, %d models, %d keys: %zu lines, %zu bytes, %.2f ms of CPU time a scrape\n",
	       NODES, MODELS, KEYS, lines, bytes, (double)best_us / 1000);
	return (double)best_us / 1000;
}

int
main(int argc, char **argv)
{
	double most_ms = argc > 1 ? strtod(argv[1], NULL) : 1e9, took_ms;
	struct sockets *none = sockets_create();
	struct settings_call call;
	struct buf why = {0};
	struct gateway *g;
	struct loop *l;

	load_settings(&call);
	l = loop_create();
	g = gateway_create(l, &call.settings, none, &why);
	must(g != NULL, &why);
	give_models(g);
	make_past(g);
	took_ms = measure_best_ms(g);
	gateway_destroy(&g);
	sockets_destroy(&none);
	loop_destroy(&l);
	settings_finish(&call.settings);
	return took_ms <= most_ms ? 0 : 1;
}
