/*
 * The scheduler's orders, carried out.
 *
 * Invariants: a node has at most one errand, as it has at most one order; while its step is
 * not IDLE a fetch is under way or the timer runs; finish() is the only way back to IDLE, and
 * the scheduler hears of each order exactly once.
 */
#include "app/loader.h"

#include "app/gateway.h"
#include "app/load_notes.h"
#include "app/order_text.h"
#include "app/rules.h"
#include "app/warmer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/fetch.h"
#include "proto/listing.h"
#include "proto/refusal.h"

#include <assert.h>
#include <stdlib.h>

enum {
	ANSWER_BYTES_MAX = 1024 * 1024,
	FIRST_LOOK_MS = 20, /* at /api/ps, after an unload; doubles */
	LONGEST_PAUSE_MS = 500,
	FRESH_MS = 0,
};

enum step {
	IDLE,
	LOADING,   /* `fetch` is the load */
	EMBEDDING, /* the same, of a model that cannot generate */
	UNLOADING, /* `fetch` is the unload */
	LEAVING,   /* looks at /api/ps until the model is gone */
};

struct errand {
	struct loader *loader;
	struct server *server; /* whose it is */
	enum step step;
	struct order order;
	struct buf label;    /* what it does, for the log */
	struct fetch *fetch; /* owned; NULL: none under way */
	struct fetch *look;  /* owned: at /api/ps, while a load takes longer than it should */
	struct timer timer;  /* the next look, or when the load should be over */
	int64_t began_ms;
	int64_t pause_ms;
	int busy_answers; /* 503 in a row */
};

struct loader {
	struct gateway *gateway; /* borrowed */
	struct load_notes notes;
};

static const char *
name_of(const struct errand *e)
{
	return backend_name(e->server->backend);
}

static const char *
what(const struct errand *e)
{
	return buf_text(&e->label);
}

/* --- the end of an order --- */

static void
finish(struct errand *e, enum order_end end)
{
	struct gateway *g = e->loader->gateway;
	struct order o = e->order;

	fetch_cancel(&e->fetch);
	fetch_cancel(&e->look);
	timer_stop(&e->timer);
	e->step = IDLE;
	sched_saw_order(g->sched, &o, end, clock_now_ms());
	warmer_wake(g->warmer);
}

static void
succeed(struct errand *e)
{
	log_info(name_of(e), "%s: done in %lld ms", what(e), (long long)(clock_now_ms() - e->began_ms));
	if (e->order.kind == ORDER_LOAD) {
		meter_saw_load(e->loader->gateway->meter, e->server->backend, e->order.model,
		               clock_now_ms() - e->began_ms);
		load_notes_saw_success(&e->loader->notes, e->order.model, e->step == EMBEDDING);
		/* It tells the context that the model was loaded with. */
		probe_refresh(e->server->probe, FRESH_MS);
	}
	e->busy_answers = 0;
	finish(e, ORDER_DONE);
}

static void
fail(struct errand *e, int status, const char *message)
{
	log_warn(name_of(e), "%s failed: %s", what(e), message);
	if (e->order.kind == ORDER_LOAD)
		load_notes_saw_failure(&e->loader->notes, e->order.model, status, message);
	e->busy_answers = 0;
	finish(e, ORDER_FAILED);
}

static void
fail_by_node(struct errand *e, int status, const char *why)
{
	struct buf message = {0};

	buf_addf(&message, "backend '%s' failed: %s", name_of(e), why);
	fail(e, status, buf_text(&message));
	buf_finish(&message);
}

static void
lose(struct errand *e, const char *why)
{
	log_warn(name_of(e), "%s: %s", what(e), why);
	finish(e, ORDER_LOST);
}

/* The node took longer than it may, and does not show that it is at it. */
static void
hang(struct errand *e)
{
	gateway_saw_fault(e->loader->gateway, e->server->backend, FAULT_HANG);
	fail_by_node(e, 504,
	             e->order.kind == ORDER_LOAD ? "it did not load the model in time"
	                                         : "it does not answer");
}

/* --- what it asks --- */

static struct fetch *
ask(struct errand *e, enum http_method method, const char *target, const struct buf *body,
    int64_t first_byte_ms, fetch_callback cb)
{
	struct exchange_request req = {
	    .method = method,
	    .target = str_of(target),
	    .headers = str_of("Content-Type: application/json\r\nAccept: application/json\r\n"
	                      "User-Agent: drover\r\n"),
	    .first_byte_ms = first_byte_ms,
	    .idle_ms = e->loader->gateway->settings->timeouts.idle,
	};

	if (body != NULL)
		req.body = (struct str){body->data, body->len};
	return fetch_start(e->server->upstream, &req, ANSWER_BYTES_MAX, cb, e);
}

/* Whether /api/ps shows the model. */
struct sight {
	const struct sched *sched;
	const char *model;
	bool seen;
};

static void
see(const struct listing_model *m, void *arg)
{
	struct sight *s = arg;

	s->seen |= strcmp(sched_model(s->sched, m->name), s->model) == 0;
}

static bool
is_shown(const struct errand *e, struct str body)
{
	struct sight s = {.sched = e->loader->gateway->sched, .model = e->order.model};

	return listing_read_models(body, see, &s) && s.seen;
}

static struct fetch *
look(struct errand *e, fetch_callback cb)
{
	return ask(e, HTTP_GET, "/api/ps", NULL, e->loader->gateway->settings->health.timeout, cb);
}

/* --- what went wrong with the connection --- */

/* False: it is EXCHANGE_DONE. Else the errand is over. */
static bool
broke(struct errand *e, enum exchange_end end)
{
	struct gateway *g = e->loader->gateway;
	struct backend *b = e->server->backend;

	switch (end) {
	case EXCHANGE_DONE: return false;
	case EXCHANGE_STALE: lose(e, exchange_end_text(end)); return true;
	case EXCHANGE_CONNECT_FAILED:
	case EXCHANGE_CONNECT_TIMEOUT:
	case EXCHANGE_TLS_FAILED:
		gateway_saw_fault(g, b, end == EXCHANGE_TLS_FAILED ? FAULT_TLS : FAULT_CONNECT);
		lose(e, exchange_end_text(end));
		return true;
	case EXCHANGE_CLOSED:
	case EXCHANGE_CUT:
	case EXCHANGE_BAD_ANSWER:
		gateway_saw_fault(g, b, FAULT_BROKEN);
		fail_by_node(e, 502, exchange_end_text(end));
		return true;
	case EXCHANGE_SEND_TIMEOUT:
	case EXCHANGE_FIRST_BYTE_TIMEOUT:
	case EXCHANGE_IDLE_TIMEOUT: hang(e); return true;
	}
	abort();
}

/* An answer that is no success. */
static void
refuse(struct errand *e, int status, struct str body)
{
	struct gateway *g = e->loader->gateway;
	struct buf message = {0};

	if (!refusal_read_message(body, &message))
		buf_addf(&message, "backend '%s' answered %d", name_of(e), status);
	if (status == 503) {
		gateway_saw_fault(g, e->server->backend, FAULT_BUSY);
		if (++e->busy_answers < g->settings->retry.attempts) {
			buf_finish(&message);
			lose(e, "the node is busy");
			return;
		}
	} else {
		meter_saw_order_failure(g->meter, &e->order);
	}
	if (status == 404)
		probe_refresh(e->server->probe, FRESH_MS);
	fail(e, status, buf_text(&message));
	buf_finish(&message);
}

/* --- loading --- */

static void load(struct errand *e, enum step step);

static void
on_loaded(struct fetch *f, enum exchange_end end, int status, struct str content_type,
          struct str body, void *arg)
{
	struct errand *e = arg;

	e->fetch = NULL;
	if (broke(e, end))
		return;
	if (status == 200) {
		if (backend_saw_answer(e->server->backend, clock_now_ms()))
			log_info(name_of(e), "breaker is closed");
		succeed(e);
	} else if (status == 400 && e->step == LOADING) {
		load(e, EMBEDDING);
	} else {
		refuse(e, status, body);
	}
}

static void
load(struct errand *e, enum step step)
{
	int64_t keep_alive_s = rules_keep_alive_s(e->loader->gateway->settings, e->order.model);
	struct buf body = {0};

	e->step = step;
	order_add_load(&body, &e->order, step == EMBEDDING, keep_alive_s);
	e->fetch =
	    ask(e, HTTP_POST, step == EMBEDDING ? "/api/embed" : "/api/generate", &body, 0, on_loaded);
	buf_finish(&body);
}

static int64_t
left_ms(const struct errand *e)
{
	return e->began_ms + rules_load_ms(e->loader->gateway->settings, e->order.model) -
	       clock_now_ms();
}

static void
begin_load(struct errand *e)
{
	bool embeds = load_notes_embeds(&e->loader->notes, e->order.model);
	int64_t limit_ms = rules_load_ms(e->loader->gateway->settings, e->order.model);

	if (e->order.limit_ms > 0 && e->order.limit_ms < limit_ms)
		limit_ms = e->order.limit_ms;
	log_info(name_of(e), "%s", what(e));
	timer_start(&e->timer, limit_ms);
	load(e, embeds ? EMBEDDING : LOADING);
}

/* A model is shown while it is loaded, and the newest servers answer only once it is: then it
 * takes long, no more. One that is not shown waits in the node for others to leave. */
static void
on_load_looked(struct fetch *f, enum exchange_end end, int status, struct str content_type,
               struct str body, void *arg)
{
	struct errand *e = arg;
	bool silent = end == EXCHANGE_FIRST_BYTE_TIMEOUT;
	bool shown = end == EXCHANGE_DONE && status == 200 && is_shown(e, body);

	e->look = NULL;
	if ((silent || shown) && left_ms(e) > 0)
		timer_start(&e->timer, left_ms(e));
	else
		hang(e);
}

/* --- unloading --- */

static void
on_leaving_looked(struct fetch *f, enum exchange_end end, int status, struct str content_type,
                  struct str body, void *arg)
{
	struct errand *e = arg;

	bool slow = end == EXCHANGE_FIRST_BYTE_TIMEOUT; /* it may be, while it is about this */

	e->fetch = NULL;
	if (!slow && broke(e, end))
		return;
	if (status == 200 && !is_shown(e, body)) {
		succeed(e);
	} else if (clock_now_ms() - e->began_ms > e->order.limit_ms) {
		fail(e, 504, "it is still there");
	} else {
		timer_start(&e->timer, e->pause_ms);
		e->pause_ms = 2 * e->pause_ms < LONGEST_PAUSE_MS ? 2 * e->pause_ms : LONGEST_PAUSE_MS;
	}
}

/* 404: it was deleted, and still may have to leave. */
static void
on_unloaded(struct fetch *f, enum exchange_end end, int status, struct str content_type,
            struct str body, void *arg)
{
	struct errand *e = arg;

	e->fetch = NULL;
	if (broke(e, end))
		return;
	if (status != 200 && status != 404) {
		refuse(e, status, body);
		return;
	}
	e->step = LEAVING;
	e->pause_ms = FIRST_LOOK_MS;
	e->fetch = look(e, on_leaving_looked);
}

static void
begin_unload(struct errand *e)
{
	struct buf body = {0};

	log_info(name_of(e), "%s", what(e));
	e->step = UNLOADING;
	order_add_unload(&body, &e->order);
	e->fetch = ask(e, HTTP_POST, "/api/generate", &body, e->order.limit_ms, on_unloaded);
	buf_finish(&body);
}

/* --- all of them --- */

static void
on_timer(void *arg)
{
	struct errand *e = arg;

	switch (e->step) {
	case LOADING:
	case EMBEDDING:
		if (left_ms(e) > 0)
			e->look = look(e, on_load_looked);
		else
			hang(e);
		return;
	case LEAVING: e->fetch = look(e, on_leaving_looked); return;
	case IDLE:
	case UNLOADING: break;
	}
	abort();
}

void
loader_carry_out(struct loader *l, const struct order *o)
{
	struct errand *e = gateway_server_of(l->gateway, o->backend)->errand;

	assert(e->step == IDLE);
	e->order = *o;
	buf_clear(&e->label);
	order_add_label(&e->label, o);
	e->began_ms = clock_now_ms();
	switch (o->kind) {
	case ORDER_LOAD: begin_load(e); return;
	case ORDER_UNLOAD: begin_unload(e); return;
	}
	abort();
}

struct loader *
loader_create(struct gateway *g)
{
	struct loader *l = NEW(struct loader);

	l->gateway = g;
	return l;
}

void
loader_destroy(struct loader **lp)
{
	struct loader *l = *lp;

	*lp = NULL;
	if (l == NULL)
		return;
	load_notes_finish(&l->notes);
	free(l);
}

struct errand *
errand_create(struct loader *l, struct server *s)
{
	struct errand *e = NEW(struct errand);

	e->loader = l;
	e->server = s;
	timer_init(&e->timer, l->gateway->loop, on_timer, e);
	return e;
}

void
errand_give_up(struct errand *e)
{
	if (e->step != IDLE)
		lose(e, "given up");
}

void
errand_destroy(struct errand **ep)
{
	struct errand *e = *ep;

	*ep = NULL;
	if (e == NULL)
		return;
	fetch_cancel(&e->fetch);
	fetch_cancel(&e->look);
	timer_finish(&e->timer);
	buf_finish(&e->label);
	free(e);
}

void
loader_give_up(struct loader *l)
{
	for (size_t i = 0; i < l->gateway->server_count; i++)
		errand_give_up(l->gateway->servers[i]->errand);
}

void
loader_saw_stuck(struct loader *l, const char *model, const char *backend)
{
	struct buf message = {0};

	buf_addf(&message, "backend '%s' failed: it lost the model and does not load it again",
	         backend);
	load_notes_saw_failure(&l->notes, sched_model(l->gateway->sched, model), 504,
	                       buf_text(&message));
	buf_finish(&message);
}

const struct load_failure *
loader_find_failure(const struct loader *l, const char *model)
{
	return load_notes_find_failure(&l->notes, sched_model(l->gateway->sched, model));
}
