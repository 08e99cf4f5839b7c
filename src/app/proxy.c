/*
 * Work that goes through the scheduler.
 *
 * Invariants: a proxied request is puzzled (its model is unknown, the nodes are being asked
 * again), or its job is QUEUED, or RUNNING with its relay; its slot is given back
 * by proxy_end before anything is logged or answered further.
 */
#include "app/proxy.h"

#include "app/dispatch.h"
#include "app/fallback.h"
#include "app/gateway.h"
#include "app/heartbeat.h"
#include "app/limits.h"
#include "app/load_notes.h"
#include "app/loader.h"
#include "app/meter_words.h"
#include "app/relay.h"
#include "app/request.h"
#include "app/rules.h"
#include "app/shape.h"
#include "app/share.h"
#include "app/standing.h"
#include "app/terms.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/watchdog.h"
#include "proto/model_name.h"

#include <stdlib.h>

/* A listing older than this is asked for again before a model counts as missing. */
enum { LISTING_FRESH_MS = 1000 };

struct proxy {
	struct work work; /* first */
	struct request *request;
	struct job job;
	struct relay relay;
	struct list puzzled_link; /* in gateway.puzzled */
	struct fallback fallback; /* which model it runs */
	struct timer deadline;    /* runs only where job.deadline_ms is set */
	struct heartbeat heartbeat;
	bool asked_again;
};

static struct proxy *
proxy_of(struct job *j)
{
	return LIST_ENTRY(j, struct proxy, job);
}

static void
proxy_free(struct proxy *p)
{
	list_remove(&p->puzzled_link);
	timer_finish(&p->deadline);
	relay_finish(&p->relay);
	heartbeat_finish(&p->heartbeat);
	free(p);
}

/* The key was charged, and the next waits are reckoned, by an estimate. */
static void
report_usage(struct proxy *p)
{
	struct request *r = p->request;

	if (p->job.state != JOB_RUNNING || !relay_read_usage(&p->relay, &r->usage))
		return;
	r->usage_known = true;
	if (r->usage.is_estimate)
		r->usage.prompt = p->job.prompt_tokens;
	sched_saw_tokens(r->gateway->sched, &p->job, r->usage.prompt, r->usage.output);
}

/* The slot that it has is given back. */
static void
count_slot(struct proxy *p)
{
	if (p->job.state == JOB_RUNNING && !p->job.slotless)
		p->request->slot_ms += clock_now_ms() - p->job.dispatched_at_ms;
}

/* Each one that was let into the queue counts once. */
static void
report_wait(struct proxy *p)
{
	struct request *r = p->request;

	if (p->job.state == JOB_NEW)
		return;
	if (p->job.state == JOB_QUEUED && p->job.attempts == 0)
		r->waited_ms = clock_now_ms() - p->job.queued_at_ms;
	meter_saw_wait(r->gateway->meter, p->job.class, r->waited_ms);
}

/* Gives back the slot or the place in the queue, and detaches from the request. The caller
 * ends the request. */
static void
proxy_end(struct proxy *p, enum job_end end)
{
	struct gateway *g = p->request->gateway;

	report_usage(p);
	count_slot(p);
	report_wait(p);
	if (p->job.state != JOB_ENDED)
		sched_end(g->sched, &p->job, end, clock_now_ms());
	p->request->work = NULL;
	dispatch_wake(g);
}

static void
proxy_fail(struct proxy *p, enum job_end end, int status, int64_t retry_after_ms,
           const char *message)
{
	struct request *r = p->request;

	proxy_end(p, end);
	if (status < 500 || !share_reply_stale(r))
		request_fail(r, end, status, retry_after_ms, "%s", message);
	proxy_free(p);
}

static void
abandon(struct work *w)
{
	struct proxy *p = (struct proxy *)w;

	relay_abandon(&p->relay);
	proxy_end(p, JOB_CLIENT_GONE);
	proxy_free(p);
}

static void
drained(struct work *w)
{
	relay_resume(&((struct proxy *)w)->relay);
}

static void
describe(const struct work *w, struct buf *json)
{
	const struct proxy *p = (const struct proxy *)w;

	standing_add_json(p->request, &p->job, json);
}

/* Ends it from outside, wherever it is. */
static void
stop(struct proxy *p, enum job_end end, int status, const char *why)
{
	struct request *r = p->request;

	if (!p->relay.began) {
		relay_abandon(&p->relay);
		proxy_fail(p, end, status, 0, why);
		return;
	}
	relay_break(&p->relay, why);
	proxy_end(p, end);
	request_end(r, end);
	proxy_free(p);
}

static void
cancel(struct work *w, int status, const char *why)
{
	stop((struct proxy *)w, JOB_REFUSED, status, why);
}

static void
say_where(struct buf *out, void *arg)
{
	const struct proxy *p = arg;

	standing_add_line(p->request, &p->job, out);
}

static const struct work_ops work_ops = {
    .abandon = abandon,
    .drained = drained,
    .cancel = cancel,
    .describe = describe,
};

static void
canonical_model(const struct proxy *p, char out[MODEL_NAME_MAX])
{
	if (!model_name_canonical(p->fallback.model, out))
		abort(); /* proxy_begin looked */
}

static void submit(struct proxy *p);

/* In the words of the node that could not load the model. */
static void
refuse_unloaded(struct proxy *p)
{
	const struct gateway *g = p->request->gateway;
	char model[MODEL_NAME_MAX];
	const struct load_failure *f;

	canonical_model(p, model);
	f = loader_find_failure(g->loader, model);
	if (f == NULL) /* it was loaded meanwhile: too late for this one */
		proxy_fail(p, JOB_REFUSED, 503, LISTING_FRESH_MS, "the model could not be loaded");
	else
		proxy_fail(p, f->status == 504 ? JOB_DEADLINE : JOB_BACKEND_ERROR, f->status,
		           f->status == 503 ? sched_retry_after_ms(g->sched, clock_now_ms()) : 0,
		           f->message);
}

/* Tells the client what the scheduler answered. */
static void
refuse(struct proxy *p, enum sched_answer answer)
{
	const struct gateway *g = p->request->gateway;
	struct buf message = {0};

	if (fallback_take(&p->fallback, p->request, answer, &p->job)) {
		submit(p);
		return;
	}
	answer = fallback_give_up(&p->fallback, answer);
	p->request->refused_for = meter_word_of_answer(answer);
	switch (answer) {
	case SCHED_FULL:
		/* Ollama's own words, with their two spaces: clients look for "busy". */
		proxy_fail(p, JOB_REFUSED, 503, sched_retry_after_ms(g->sched, clock_now_ms()),
		           "server busy, please try again.  maximum pending requests exceeded");
		return;
	case SCHED_TOO_LATE:
		proxy_fail(p, JOB_REFUSED, 503, sched_retry_after_ms(g->sched, clock_now_ms()),
		           "the request would wait longer than it may");
		return;
	case SCHED_UNKNOWN_MODEL:
		buf_addf(&message, "model '%s' not found", p->request->facts.model);
		proxy_fail(p, JOB_REFUSED, 404, 0, buf_text(&message));
		buf_finish(&message);
		return;
	case SCHED_LOAD_FAILED: refuse_unloaded(p); return;
	case SCHED_QUEUED: /* a node came back just now: too late for this one */
	case SCHED_NO_BACKEND:
		proxy_fail(p, JOB_REFUSED, 503, g->settings->health.interval,
		           "no backend that could serve this model is up");
		return;
	}
	abort();
}

static bool
ask_again(struct proxy *p)
{
	struct gateway *g = p->request->gateway;
	bool running = false;

	if (p->asked_again)
		return false;
	p->asked_again = true;
	for (size_t i = 0; i < g->server_count; i++)
		running |= probe_refresh(g->servers[i].probe, LISTING_FRESH_MS);
	if (running)
		list_add_last(&g->puzzled, &p->puzzled_link);
	return running;
}

static void
submit(struct proxy *p)
{
	struct gateway *g = p->request->gateway;
	char model[MODEL_NAME_MAX];
	enum sched_answer answer;

	canonical_model(p, model);
	answer = sched_submit(g->sched, &p->job, model, clock_now_ms());
	if (answer == SCHED_QUEUED)
		dispatch_wake(g);
	else if (answer != SCHED_UNKNOWN_MODEL || !ask_again(p))
		refuse(p, answer);
}

void
proxy_settle_puzzled(struct gateway *g)
{
	struct list now_known;
	struct proxy *p;

	for (size_t i = 0; i < g->server_count; i++)
		if (probe_is_running(g->servers[i].probe))
			return;
	list_init(&now_known);
	while ((p = LIST_FIRST(&g->puzzled, struct proxy, puzzled_link)) != NULL) {
		list_remove(&p->puzzled_link);
		list_add_last(&now_known, &p->puzzled_link);
	}
	while ((p = LIST_FIRST(&now_known, struct proxy, puzzled_link)) != NULL) {
		list_remove(&p->puzzled_link);
		submit(p);
	}
}

void
proxy_refuse_waiting(struct gateway *g)
{
	struct request *r;

	LIST_FOR_EACH (r, &g->requests, struct request, link) {
		struct proxy *p = (struct proxy *)r->work;

		if (p != NULL && p->work.ops == &work_ops && p->job.state != JOB_RUNNING)
			proxy_fail(p, JOB_REFUSED, 503, g->settings->health.interval,
			           "the gateway is shutting down");
	}
}

/* --- the answer --- */

/* Whether it may run a second time though the node may have begun (RELIABILITY, promise 3:
 * reads may, what runs a model must not). */
static bool
is_read(const struct proxy *p)
{
	return p->request->route->kind != ROUTE_RUN;
}

static bool
may_retry(const struct proxy *p, enum exchange_end end)
{
	switch (end) {
	case EXCHANGE_CONNECT_FAILED:
	case EXCHANGE_CONNECT_TIMEOUT:
	case EXCHANGE_STALE: return true;
	case EXCHANGE_CLOSED:
	case EXCHANGE_FIRST_BYTE_TIMEOUT:
	case EXCHANGE_BAD_ANSWER: return is_read(p);
	case EXCHANGE_DONE:
	case EXCHANGE_IDLE_TIMEOUT:
	case EXCHANGE_CUT: return false;
	}
	abort();
}

static void
report_fault(struct proxy *p, enum exchange_end end)
{
	struct backend *b = p->job.backend;
	enum backend_fault fault = FAULT_BROKEN;
	const char *why = p->relay.why;

	switch (end) {
	case EXCHANGE_DONE:
	case EXCHANGE_STALE: return;
	case EXCHANGE_CONNECT_FAILED:
	case EXCHANGE_CONNECT_TIMEOUT: fault = FAULT_CONNECT; break;
	case EXCHANGE_FIRST_BYTE_TIMEOUT:
	case EXCHANGE_IDLE_TIMEOUT: fault = FAULT_HANG; break;
	case EXCHANGE_CLOSED:
	case EXCHANGE_CUT:
	case EXCHANGE_BAD_ANSWER: fault = FAULT_BROKEN; break;
	}
	log_warn(p->request->id, "backend %s: %s%s%s", backend_name(b), exchange_end_text(end),
	         why == NULL ? "" : ": ", why == NULL ? "" : why);
	gateway_saw_fault(p->request->gateway, b, fault);
}

static bool
retry(struct proxy *p, const char *why)
{
	struct gateway *g = p->request->gateway;
	int64_t began_ms = p->job.dispatched_at_ms, now_ms = clock_now_ms();

	if (!sched_retry(g->sched, &p->job, now_ms))
		return false;
	if (!p->job.slotless)
		p->request->slot_ms += now_ms - began_ms;
	meter_saw_retry(g->meter, why);
	dispatch_wake(g);
	return true;
}

static bool
on_answer(struct relay *y, int status, void *arg)
{
	struct proxy *p = arg;
	struct gateway *g = p->request->gateway;

	if (status == 503) {
		/* It may be tried again: a node that is busy has not begun. */
		gateway_saw_fault(g, p->job.backend, FAULT_BUSY);
		return !retry(p, "busy");
	}
	if (backend_saw_answer(p->job.backend, clock_now_ms()))
		log_info(backend_name(p->job.backend), "breaker is closed");
	request_drop_body(p->request);
	heartbeat_stop(&p->heartbeat);
	return true;
}

static void
on_failed(struct relay *y, enum exchange_end end, void *arg)
{
	struct proxy *p = arg;
	bool late = end == EXCHANGE_FIRST_BYTE_TIMEOUT || end == EXCHANGE_IDLE_TIMEOUT ||
	            end == EXCHANGE_CONNECT_TIMEOUT;
	struct buf message = {0};

	report_fault(p, end);
	if (may_retry(p, end) && retry(p, meter_word_of_end(end)))
		return;
	buf_addf(&message, "backend '%s' failed: %s", y->backend, exchange_end_text(end));
	proxy_fail(p, late ? JOB_DEADLINE : JOB_BACKEND_ERROR, late ? 504 : 502, 0, buf_text(&message));
	buf_finish(&message);
}

static void
on_over(struct relay *y, enum exchange_end end, void *arg)
{
	struct proxy *p = arg;
	struct request *r = p->request;
	enum job_end why = end == EXCHANGE_DONE ? JOB_DONE : JOB_BACKEND_ERROR;

	report_fault(p, end);
	proxy_end(p, why);
	if (why != JOB_DONE || !share_goes_on(r))
		request_end(r, why);
	proxy_free(p);
}

static const struct relay_ops relay_ops = {
    .on_answer = on_answer,
    .on_failed = on_failed,
    .on_over = on_over,
};

static void
give_up_on(struct proxy *p)
{
	struct gateway *g = p->request->gateway;
	const char *backend = backend_name(p->job.backend);
	char model[MODEL_NAME_MAX];

	canonical_model(p, model);
	log_warn(p->request->id, "backend %s: no answer, and it does not hold %s any more", backend,
	         model);
	relay_abandon(&p->relay);
	loader_saw_stuck(g->loader, model, backend);
	watchdog_saw_stuck(&p->job, clock_now_ms());
	if (!retry(p, "lost_model"))
		refuse_unloaded(p);
}

void
proxy_free_stuck(struct gateway *g)
{
	int64_t now = clock_now_ms();
	struct request *r;

	LIST_FOR_EACH (r, &g->requests, struct request, link) {
		struct proxy *p = (struct proxy *)r->work;

		if (p != NULL && p->work.ops == &work_ops && !p->relay.began &&
		    watchdog_is_stuck(&p->job, now))
			give_up_on(p);
	}
}

void
proxy_dispatch(struct job *j, bool was_loaded)
{
	struct proxy *p = proxy_of(j);
	struct request *r = p->request;
	const struct settings *s = r->gateway->settings;
	struct relay_limits limits = {
	    .first_byte_ms = s->timeouts.first_byte,
	    .idle_ms = s->timeouts.idle,
	};
	char model[MODEL_NAME_MAX];

	canonical_model(p, model);
	if (!was_loaded)
		limits.first_byte_ms += rules_load_ms(s, model);
	r->model_sent = fallback_name(&p->fallback);
	if (r->model_sent == NULL)
		r->model_sent = r->alias_for;
	if (fallback_name(&p->fallback) != NULL)
		share_spoil(r);
	if (r->route->kind == ROUTE_RUN)
		shape_body(r, model, j);
	else if (r->route->kind == ROUTE_SHOW)
		shape_model(r);
	r->waited_ms = j->dispatched_at_ms - j->queued_at_ms;
	relay_start(&p->relay, r, gateway_server_of(r->gateway, j->backend), &limits, &relay_ops, p);
}

void
proxy_give_up(struct job *j)
{
	struct proxy *p = proxy_of(j);
	char model[MODEL_NAME_MAX];

	p->request->waited_ms = clock_now_ms() - j->queued_at_ms;
	if (j->end == JOB_DEADLINE) {
		proxy_fail(p, JOB_DEADLINE, 504, 0, "the request waited too long in the queue");
		return;
	}
	canonical_model(p, model);
	refuse(p, sched_outlook(p->request->gateway->sched, j, model));
}

void
proxy_displace(struct job *j)
{
	struct proxy *p = proxy_of(j);

	p->request->waited_ms = clock_now_ms() - j->queued_at_ms;
	refuse(p, SCHED_FULL);
}

static void
on_deadline(void *arg)
{
	stop(arg, JOB_DEADLINE, 504, "the deadline of the request (X-Drover-Timeout) has passed");
}

/* The timer of a deadline covers the whole request, wherever it is. */
static void
watch_deadline(struct proxy *p)
{
	int64_t left_ms = p->job.deadline_ms - clock_now_ms();

	if (p->job.deadline_ms != 0)
		timer_start(&p->deadline, left_ms > 0 ? left_ms : 1);
}

/* What runs a model is counted. False: refused. */
static bool
enter(struct request *r, const char *model, struct job *j)
{
	if (r->route->kind != ROUTE_RUN)
		return true;
	shape_job(r, model, j);
	return limits_enter(r, j);
}

void
proxy_begin(struct request *r)
{
	struct proxy *p = NEW(struct proxy);
	struct str model = str_of(request_model(r));
	char canonical[MODEL_NAME_MAX];

	p->work.ops = &work_ops;
	p->request = r;
	fallback_init(&p->fallback, model);
	job_init(&p->job, CLASS_NORMAL);
	list_init(&p->puzzled_link);
	timer_init(&p->deadline, r->gateway->loop, on_deadline, p);
	heartbeat_init(&p->heartbeat, r, say_where, p);
	if (!model_name_canonical(model, canonical)) {
		request_refuse(r, 400, model.len == 0 ? "model is required" : "invalid model name");
	} else if (terms_take(r, canonical, &p->job) && enter(r, canonical, &p->job)) {
		watch_deadline(p);
		heartbeat_start(&p->heartbeat);
		r->work = &p->work;
		submit(p);
		return;
	}
	proxy_free(p);
}
