/*
 * What is counted while the gateway works.
 *
 * Invariants: what is in `models` stays until the end, what is in `keys` as long as it is
 * configured, and a series with them; nobody keeps one of a backend. A model is in `models` under
 * its canonical name only once a node had it.
 */
#include "app/meter.h"

#include "app/board.h"
#include "app/gateway.h"
#include "app/meter_words.h"
#include "app/metric_table.h"
#include "app/request.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

enum { MODELS_MAX = 1000 };

static const char other[] = "other";
static const char anonymous[] = "anonymous";

/* How often a status was answered. A handful: the usual ones come first. */
struct code_count {
	struct code_count *next; /* owned */
	int code;
	struct series *series;
};

struct route_meter {
	struct series *seconds; /* NULL: none of this route ended yet */
	struct code_count *codes;
};

/* What is counted of one model; series are made when there is something to count. */
struct model_meter {
	char *label; /* owned */
	struct series *first_token;
	struct series *inter_token;
	struct series *prompt;
	struct series *output;
	struct route_meter routes[]; /* by route; the last is of unknown routes */
};

struct key_meter {
	struct series *prompt;
	struct series *output;
	struct code_count *codes;
};

struct meter {
	struct gateway *gateway; /* borrowed */
	struct metrics *metrics; /* owned */
	const struct route *routes;
	size_t route_count;
	struct map models;         /* of struct model_meter, owned */
	struct model_meter *other; /* owned: models that no node has */
	struct model_meter *none;  /* owned: requests that name no model */
	struct map keys;           /* of struct key_meter, owned; by name */
	struct series *waits[CLASSES];
};

/* --- series, found once --- */

/* As metrics_series, unless `*holder` has it already. */
static struct series *
keep(struct meter *m, struct series **holder, enum metric_row row, const char *const *values)
{
	if (*holder == NULL)
		*holder = metrics_series(m->metrics, row, values);
	return *holder;
}

/* The last of `values` is the code's. */
static void
count_code(struct meter *m, struct code_count **codes, enum metric_row row, const char **values,
           size_t code_at, int code)
{
	struct code_count *c;
	char text[16];

	for (c = *codes; c != NULL && c->code != code; c = *codes)
		codes = &c->next;
	if (c == NULL) {
		snprintf(text, sizeof(text), "%d", code);
		values[code_at] = text;
		*codes = c = NEW(struct code_count);
		c->code = code;
		c->series = metrics_series(m->metrics, row, values);
	}
	series_add(c->series, 1);
}

static void
count_one(struct meter *m, enum metric_row row, const char *const *values)
{
	series_add(metrics_series(m->metrics, row, values), 1);
}

/* --- models --- */

static struct model_meter *
model_meter_create(const struct meter *m, const char *label)
{
	struct model_meter *mm =
	    mem_zalloc(1, sizeof(*mm) + (m->route_count + 1) * sizeof(mm->routes[0]));

	mm->label = mem_strdup(label);
	return mm;
}

static struct model_meter *
model_of(struct meter *m, const struct request *r)
{
	const char *named = request_model(r);
	struct model_meter *mm;

	if (*named == '\0')
		return m->none;
	if (r->model == NULL)
		return m->other;
	mm = map_find(&m->models, r->model);
	if (mm != NULL)
		return mm;
	if (map_count(&m->models) >= MODELS_MAX || !gateway_has_model(m->gateway, r->model))
		return m->other;
	mm = model_meter_create(m, r->model);
	map_put(&m->models, r->model, mm);
	return mm;
}

static void
codes_free(struct code_count *c)
{
	while (c != NULL) {
		struct code_count *next = c->next;

		free(c);
		c = next;
	}
}

static void
key_meter_free(struct key_meter *k)
{
	codes_free(k->codes);
	free(k);
}

static struct key_meter *
key_of(struct meter *m, const char *name)
{
	struct key_meter *k = map_find(&m->keys, name);

	if (k == NULL) {
		k = NEW(struct key_meter);
		map_put(&m->keys, name, k);
	}
	return k;
}

/* --- the end of a request --- */

static void
count_request(struct meter *m, struct model_meter *mm, const struct route *route, int status,
              int64_t took_ms)
{
	size_t at = route == NULL ? m->route_count : (size_t)(route - m->routes);
	struct route_meter *rm = &mm->routes[at];
	const char *values[] = {route == NULL ? other : route->path, mm->label, NULL};

	count_code(m, &rm->codes, METRIC_REQUESTS, values, 2, status);
	series_observe_us(keep(m, &rm->seconds, METRIC_REQUEST_SECONDS, values), took_ms * 1000);
}

static void
count_tokens(struct meter *m, struct model_meter *mm, const struct usage *u)
{
	const char *prompt[] = {"prompt", mm->label}, *output[] = {"output", mm->label};

	series_add(keep(m, &mm->prompt, METRIC_TOKENS, prompt), u->prompt);
	series_add(keep(m, &mm->output, METRIC_TOKENS, output), u->output);
}

static void
count_key(struct meter *m, const struct request *r)
{
	const char *name = r->caller->key == NULL ? anonymous : r->caller->name;
	const char *values[] = {name, NULL};
	const char *prompt[] = {name, "prompt"}, *output[] = {name, "output"};
	struct key_meter *k = key_of(m, name);

	count_code(m, &k->codes, METRIC_KEY_REQUESTS, values, 1, r->status);
	if (!r->usage_known)
		return;
	series_add(keep(m, &k->prompt, METRIC_KEY_TOKENS, prompt), r->usage.prompt);
	series_add(keep(m, &k->output, METRIC_KEY_TOKENS, output), r->usage.output);
}

/* `known`: nearer than the status tells; or NULL. */
static const char *
reason_of(const struct meter *m, const char *known, int status)
{
	if (known != NULL)
		return known;
	return status == 503 && m->gateway->draining ? "draining" : meter_word_of_status(status);
}

static void
count_refusal(struct meter *m, const char *reason)
{
	count_one(m, METRIC_REJECTED, &reason);
}

const char *
meter_refusal_reason(const struct meter *m, const struct request *r)
{
	return reason_of(m, r->refused_for, r->status);
}

void
meter_saw_end(struct meter *m, const struct request *r, enum job_end end)
{
	struct model_meter *mm = model_of(m, r);

	count_request(m, mm, r->route, r->status, clock_now_ms() - r->began_ms);
	if (r->usage_known)
		count_tokens(m, mm, &r->usage);
	if (r->caller != NULL)
		count_key(m, r);
	if (end == JOB_REFUSED)
		count_refusal(m, meter_refusal_reason(m, r));
}

void
meter_saw_refusal(struct meter *m, int status)
{
	count_request(m, m->none, NULL, status, 0);
	count_refusal(m, reason_of(m, NULL, status));
}

/* --- what happens between --- */

void
meter_saw_wait(struct meter *m, enum job_class class, int64_t waited_ms)
{
	const char *value = job_class_name(class);

	series_observe_us(keep(m, &m->waits[class], METRIC_QUEUE_WAIT, &value), waited_ms * 1000);
}

void
meter_saw_fault(struct meter *m, const struct backend *b, enum backend_fault fault)
{
	const char *values[] = {backend_name(b), meter_word_of_fault(fault)};

	count_one(m, METRIC_BACKEND_ERRORS, values);
}

void
meter_saw_order_failure(struct meter *m, const struct order *o)
{
	const char *values[] = {backend_name(o->backend), o->kind == ORDER_LOAD ? "load" : "unload"};

	count_one(m, METRIC_BACKEND_ERRORS, values);
}

void
meter_saw_retry(struct meter *m, const char *why)
{
	count_one(m, METRIC_RETRIES, &why);
}

void
meter_saw_load(struct meter *m, const struct backend *b, const char *model, int64_t took_ms)
{
	const char *values[] = {backend_name(b), model};

	count_one(m, METRIC_MODEL_LOADS, values);
	series_observe_us(metrics_series(m->metrics, METRIC_MODEL_LOAD_SECONDS, values),
	                  took_ms * 1000);
}

void
meter_forget_backend(struct meter *m, const char *name)
{
	metrics_forget(m->metrics, METRIC_BACKEND_ERRORS, name);
	metrics_forget(m->metrics, METRIC_MODEL_LOADS, name);
	metrics_forget(m->metrics, METRIC_MODEL_LOAD_SECONDS, name);
}

void
meter_keep_keys(struct meter *m, const struct settings *s)
{
	struct map names = {0};

	for (size_t i = 0; i < s->key_count; i++)
		map_put(&names, s->keys[i].name, &s->keys[i]);
	map_put(&names, anonymous, m);
	MAP_FOR_EACH (it, &m->keys)
		if (map_find(&names, it.key) == NULL) {
			metrics_forget(m->metrics, METRIC_KEY_REQUESTS, it.key);
			metrics_forget(m->metrics, METRIC_KEY_TOKENS, it.key);
			key_meter_free(map_take(&m->keys, it.key));
		}
	map_finish(&names);
}

/* --- on the way of a token --- */

void
meter_begin_pace(struct meter_pace *p, const struct request *r)
{
	struct meter *m = r->gateway->meter;
	struct model_meter *mm = model_of(m, r);
	const char *value = mm->label;

	p->first = keep(m, &mm->first_token, METRIC_FIRST_TOKEN, &value);
	p->gaps = keep(m, &mm->inter_token, METRIC_INTER_TOKEN, &value);
	p->began_ms = r->began_ms;
	p->board = m->gateway->board;
}

void
meter_saw_piece(struct meter_pace *p, int64_t loop_us)
{
	if (p->first != NULL) {
		int64_t after_ms = clock_now_ms() - p->began_ms;

		series_observe_us(p->first, after_ms * 1000);
		board_saw_first_token(p->board, after_ms);
		p->first = NULL;
	} else {
		series_observe_us(p->gaps, loop_us - p->last_us);
	}
	p->last_us = loop_us;
}

/* --- its life --- */

void
meter_add_text(const struct meter *m, struct buf *out)
{
	metrics_add_text(m->metrics, m->gateway, out);
}

struct meter *
meter_create(struct gateway *g)
{
	struct meter *m = NEW(struct meter);

	m->gateway = g;
	m->metrics = metrics_create(metric_table, METRIC_ROWS);
	m->routes = route_table(&m->route_count);
	m->other = model_meter_create(m, other);
	m->none = model_meter_create(m, "");
	return m;
}

static void
model_meter_free(const struct meter *m, struct model_meter *mm)
{
	for (size_t i = 0; i <= m->route_count; i++)
		codes_free(mm->routes[i].codes);
	free(mm->label);
	free(mm);
}

void
meter_destroy(struct meter **mp)
{
	struct meter *m = *mp;

	*mp = NULL;
	if (m == NULL)
		return;
	MAP_FOR_EACH (it, &m->models)
		model_meter_free(m, it.value);
	MAP_FOR_EACH (it, &m->keys)
		key_meter_free(it.value);
	map_finish(&m->models);
	map_finish(&m->keys);
	model_meter_free(m, m->other);
	model_meter_free(m, m->none);
	metrics_destroy(&m->metrics);
	free(m);
}
