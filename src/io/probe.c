/*
 * Active probes of one node.
 *
 * Invariant: while a round runs, at least one of its fetches is under way, and the
 * round's timer runs; it ends once, by round_end.
 */
#include "io/probe.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/fetch.h"
#include "proto/listing.h"

#include <stdlib.h>
#include <string.h>

enum { TAGS_BYTES_MAX = 8 * 1024 * 1024, VERSION_BYTES_MAX = 64, SOON_MS = 250 };

enum question { ASK_VERSION, ASK_TAGS, ASK_PS, QUESTIONS };

static const char *const targets[QUESTIONS] = {"/api/version", "/api/tags", "/api/ps"};

struct names {
	char **items;      /* owned, each too */
	int64_t *contexts; /* owned; of each, 0 where it is not said */
	size_t count;
	uint64_t *digests; /* owned */
	int64_t *trained;  /* owned */
};

struct probe {
	struct upstream *upstream; /* borrowed */
	struct backend *backend;   /* borrowed */
	struct probe_conf conf;
	struct timer timer;               /* the round's time limit, or the next round */
	struct fetch *fetches[QUESTIONS]; /* NULL: not under way */
	bool running;
	bool seen; /* a round has ended */
	bool good;
	bool absent;                /* nobody listens there */
	const char *why;            /* the round failed: a constant sentence */
	const char *detail;         /* of it, or NULL */
	enum exchange_end end;      /* of what failed last in it */
	const char *trouble;        /* `why` of the round that ended last, while that was not good */
	const char *trouble_detail; /* and its detail */
	int64_t began_ms;
	int64_t soon_ms; /* the next pause, while it is not up */
	char version[VERSION_BYTES_MAX];
};

static void
names_add(const struct listing_model *m, void *arg)
{
	struct names *names = arg;

	names->items = mem_realloc(names->items, (names->count + 1) * sizeof(names->items[0]));
	names->contexts = mem_realloc(names->contexts, (names->count + 1) * sizeof(names->contexts[0]));
	names->items[names->count] = mem_strdup(m->name);
	names->contexts[names->count] = m->context_length;
	names->digests = mem_realloc(names->digests, (names->count + 1) * sizeof(names->digests[0]));
	names->digests[names->count] = m->digest;
	names->trained = mem_realloc(names->trained, (names->count + 1) * sizeof(names->trained[0]));
	names->trained[names->count] = m->trained_length;
	names->count++;
}

static void
names_finish(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
	free(names->contexts);
	free(names->digests);
	free(names->trained);
}

/* 0: it is none. */
static int32_t
as_context(int64_t length)
{
	return length > 0 && length <= INT32_MAX ? (int32_t)length : 0;
}

static void
take_loaded(struct backend *b, const struct names *names)
{
	backend_set_loaded(b, (const char *const *)names->items, names->count);
	for (size_t i = 0; i < names->count; i++)
		if (as_context(names->contexts[i]) > 0)
			backend_saw_context(b, names->items[i], as_context(names->contexts[i]));
}

static void
take_listed(struct backend *b, const struct names *names)
{
	struct listed_model *models = mem_zalloc(names->count + 1, sizeof(models[0]));

	for (size_t i = 0; i < names->count; i++)
		models[i] = (struct listed_model){names->items[i], names->digests[i],
		                                  as_context(names->trained[i])};
	backend_set_listing(b, models, names->count);
	free(models);
}

static bool
take_names(struct probe *p, struct str body, void (*take)(struct backend *, const struct names *))
{
	struct names names = {0};
	bool ok = listing_read_models(body, names_add, &names);

	if (ok)
		take(p->backend, &names);
	names_finish(&names);
	return ok;
}

static bool
take_answer(struct probe *p, enum question q, struct str body)
{
	switch (q) {
	case ASK_VERSION: return listing_read_version(body, p->version, sizeof(p->version));
	case ASK_TAGS: return take_names(p, body, take_listed);
	case ASK_PS: return take_names(p, body, take_loaded);
	case QUESTIONS: break;
	}
	abort();
}

static void
say_state(const struct probe *p)
{
	const char *name = backend_name(p->backend);
	const char *state = backend_state_name(backend_state(p->backend));

	if (p->good)
		log_info(name, "is %s", state);
	else
		log_warn(name, "is %s: %s%s%s", state, p->why, p->detail == NULL ? "" : ": ",
		         p->detail == NULL ? "" : p->detail);
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* One that is not up is asked again soon, and then less and less often. One where nobody listens
 * has died or is being started anew: whether it is down shall be known within a second. */
static int64_t
pause_ms(struct probe *p)
{
	switch (backend_state(p->backend)) {
	case BACKEND_UP:
	case BACKEND_DRAINING:
		p->soon_ms = SOON_MS;
		return p->absent ? least(SOON_MS, p->conf.interval_ms) : p->conf.interval_ms;
	case BACKEND_UNKNOWN:
	case BACKEND_DOWN: break;
	}
	if (p->soon_ms >= p->conf.interval_ms)
		return p->conf.interval_ms;
	p->soon_ms *= 2;
	return p->soon_ms / 2;
}

static void
round_end(struct probe *p)
{
	bool changed;

	p->running = false;
	p->seen = true;
	for (int q = 0; q < QUESTIONS; q++)
		fetch_cancel(&p->fetches[q]);
	p->trouble = p->good ? NULL : p->why;
	p->trouble_detail = p->good ? NULL : p->detail;
	changed = backend_saw_probe(p->backend, p->good, clock_now_ms());
	if (changed)
		say_state(p);
	timer_start(&p->timer, pause_ms(p));
	p->conf.on_round(p, p->conf.arg);
}

static bool
is_over(const struct probe *p)
{
	for (int q = 0; q < QUESTIONS; q++)
		if (p->fetches[q] != NULL)
			return false;
	return true;
}

static void
on_answer(struct fetch *f, enum exchange_end end, int status, struct str content_type,
          struct str body, void *arg)
{
	struct probe *p = arg;
	int q = 0;

	while (p->fetches[q] != f)
		q++;
	p->fetches[q] = NULL;
	if (end != EXCHANGE_DONE || status != 200 || !take_answer(p, (enum question)q, body)) {
		if (q != ASK_PS) {
			p->good = false;
			p->absent = end == EXCHANGE_CONNECT_FAILED;
			p->end = end;
			p->why =
			    end == EXCHANGE_DONE ? "it does not answer as Ollama does" : exchange_end_text(end);
			p->detail = fetch_why(f);
		}
	}
	if (is_over(p))
		round_end(p);
}

static void
round_begin(struct probe *p)
{
	struct exchange_request req = {.method = HTTP_GET,
	                               .headers = str_of("Accept: application/json\r\n")};

	p->running = true;
	p->good = true;
	p->absent = false;
	p->end = EXCHANGE_DONE;
	p->began_ms = clock_now_ms();
	timer_start(&p->timer, p->conf.timeout_ms);
	for (int q = 0; q < QUESTIONS; q++) {
		req.target = str_of(targets[q]);
		p->fetches[q] = fetch_start(p->upstream, &req, TAGS_BYTES_MAX, on_answer, p);
	}
}

static void
on_timer(void *arg)
{
	struct probe *p = arg;

	if (!p->running) {
		round_begin(p);
		return;
	}
	/* Only /api/ps outstanding is no sickness: Ollama answers it late while it loads. */
	if (p->fetches[ASK_VERSION] != NULL || p->fetches[ASK_TAGS] != NULL) {
		p->good = false;
		p->why = "it does not answer in time";
		p->detail = NULL;
	}
	round_end(p);
}

struct probe *
probe_create(struct loop *l, struct upstream *u, struct backend *b, const struct probe_conf *conf)
{
	struct probe *p = NEW(struct probe);

	p->upstream = u;
	p->backend = b;
	p->conf = *conf;
	p->soon_ms = SOON_MS;
	timer_init(&p->timer, l, on_timer, p);
	round_begin(p);
	return p;
}

void
probe_reshape(struct probe *p, const struct probe_conf *conf)
{
	bool sooner = conf->interval_ms < p->conf.interval_ms;

	p->conf = *conf;
	if (sooner && !p->running)
		timer_start(&p->timer, p->conf.interval_ms);
}

void
probe_destroy(struct probe **pp)
{
	struct probe *p = *pp;

	*pp = NULL;
	if (p == NULL)
		return;
	for (int q = 0; q < QUESTIONS; q++)
		fetch_cancel(&p->fetches[q]);
	timer_finish(&p->timer);
	free(p);
}

bool
probe_refresh(struct probe *p, int64_t fresh_ms)
{
	if (!p->running && clock_now_ms() - p->began_ms >= fresh_ms)
		round_begin(p);
	return p->running;
}

void
probe_hurry(struct probe *p)
{
	int64_t since_ms = clock_now_ms() - p->began_ms;

	p->soon_ms = SOON_MS;
	if (!p->running)
		timer_start(&p->timer, since_ms < SOON_MS ? SOON_MS - since_ms : 0);
}

bool
probe_is_running(const struct probe *p)
{
	return p->running;
}

bool
probe_has_ended_a_round(const struct probe *p)
{
	return p->seen;
}

const char *
probe_trouble(const struct probe *p, const char **detail)
{
	*detail = p->trouble_detail;
	return p->trouble;
}

bool
probe_saw_no_tls(const struct probe *p)
{
	return p->end == EXCHANGE_TLS_FAILED;
}

const char *
probe_version(const struct probe *p)
{
	return p->version;
}
