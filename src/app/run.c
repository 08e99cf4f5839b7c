/*
 * Work that goes through the scheduler.
 *
 * Invariants: a run is puzzled (its model is unknown, the nodes are being asked
 * again), or its job is QUEUED, or RUNNING with its relay; its slot is given back
 * by run_end before anything is logged or answered further.
 */
#include "app/run.h"

#include "app/dispatch.h"
#include "app/gateway.h"
#include "app/manage.h"
#include "app/relay.h"
#include "app/request.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "proto/model_name.h"

#include <stdlib.h>
#include <string.h>

/* A listing older than this is asked for again before a model counts as missing. */
enum { LISTING_FRESH_MS = 1000 };

struct run {
	struct work work; /* first */
	struct request *request;
	struct job job;
	struct relay relay;
	struct list puzzled_link;   /* in gateway.puzzled */
	char model[MODEL_NAME_MAX]; /* canonical */
	bool asked_again;
};

static struct run *
run_of(struct job *j)
{
	return LIST_ENTRY(j, struct run, job);
}

static void
run_free(struct run *u)
{
	list_remove(&u->puzzled_link);
	free(u);
}

/* Gives back the slot or the place in the queue, and detaches from the request. The caller
 * ends the request. */
static void
run_end(struct run *u, enum job_end end)
{
	struct gateway *g = u->request->gateway;

	if (u->job.state != JOB_ENDED)
		sched_end(g->sched, &u->job, end, clock_now_ms());
	u->request->work = NULL;
	dispatch_wake(g);
}

static void
run_fail(struct run *u, enum job_end end, int status, int64_t retry_after_ms, const char *message)
{
	struct request *r = u->request;

	run_end(u, end);
	request_fail(r, end, status, retry_after_ms, "%s", message);
	run_free(u);
}

static void
abandon(struct work *w)
{
	struct run *u = (struct run *)w;

	relay_abandon(&u->relay);
	run_end(u, JOB_CLIENT_GONE);
	run_free(u);
}

static void
drained(struct work *w)
{
	relay_resume(&((struct run *)w)->relay);
}

static void
describe(const struct work *w, struct buf *json)
{
	const struct run *u = (const struct run *)w;
	const struct sched *s = u->request->gateway->sched;

	buf_addf(json, "\"state\":\"%s\",\"class\":\"%s\"", job_state_name(u->job.state),
	         job_class_name(u->job.class));
	if (u->job.state == JOB_QUEUED)
		buf_addf(json, ",\"position\":%d,\"eta_ms\":%lld", sched_position(s, &u->job),
		         (long long)sched_retry_after_ms(s, clock_now_ms()));
}

static const struct work_ops work_ops = {
    .abandon = abandon,
    .drained = drained,
    .describe = describe,
};

static void
refuse_unknown(struct run *u)
{
	struct request *r = u->request;
	struct buf message = {0};

	buf_addf(&message, "model '%s' not found", r->facts.model);
	run_fail(u, JOB_REFUSED, 404, 0, buf_text(&message));
	buf_finish(&message);
}

static bool
ask_again(struct run *u)
{
	struct gateway *g = u->request->gateway;
	bool running = false;

	if (u->asked_again)
		return false;
	u->asked_again = true;
	for (size_t i = 0; i < g->server_count; i++)
		running |= probe_refresh(g->servers[i].probe, LISTING_FRESH_MS);
	if (running)
		list_add_last(&g->puzzled, &u->puzzled_link);
	return running;
}

static void
submit(struct run *u)
{
	struct gateway *g = u->request->gateway;
	int64_t now = clock_now_ms();

	switch (sched_submit(g->sched, &u->job, u->model, now)) {
	case SCHED_QUEUED: dispatch_wake(g); return;
	case SCHED_FULL:
		/* Ollama's own words, with their two spaces: clients look for "busy". */
		run_fail(u, JOB_REFUSED, 503, sched_retry_after_ms(g->sched, now),
		         "server busy, please try again.  maximum pending requests exceeded");
		return;
	case SCHED_UNKNOWN_MODEL:
		if (!ask_again(u))
			refuse_unknown(u);
		return;
	case SCHED_NO_BACKEND:
		run_fail(u, JOB_REFUSED, 503, g->settings->health.interval,
		         "no backend that could serve this model is up");
		return;
	}
	abort();
}

void
run_settle_puzzled(struct gateway *g)
{
	struct list now_known;
	struct run *u;

	for (size_t i = 0; i < g->server_count; i++)
		if (probe_is_running(g->servers[i].probe))
			return;
	list_init(&now_known);
	while ((u = LIST_FIRST(&g->puzzled, struct run, puzzled_link)) != NULL) {
		list_remove(&u->puzzled_link);
		list_add_last(&now_known, &u->puzzled_link);
	}
	while ((u = LIST_FIRST(&now_known, struct run, puzzled_link)) != NULL) {
		list_remove(&u->puzzled_link);
		submit(u);
	}
}

void
run_refuse_waiting(struct gateway *g)
{
	struct request *r;

	LIST_FOR_EACH (r, &g->requests, struct request, link) {
		struct run *u = (struct run *)r->work;

		if (u != NULL && u->work.ops == &work_ops && u->job.state != JOB_RUNNING)
			run_fail(u, JOB_REFUSED, 503, g->settings->health.interval,
			         "the gateway is shutting down");
	}
}

/* --- the answer --- */

/* Whether it may run a second time though the node may have begun (RELIABILITY, promise 3:
 * reads may, what runs a model must not). */
static bool
is_read(const struct run *u)
{
	return u->request->route->kind != ROUTE_RUN;
}

static bool
may_retry(const struct run *u, enum exchange_end end)
{
	switch (end) {
	case EXCHANGE_CONNECT_FAILED:
	case EXCHANGE_CONNECT_TIMEOUT:
	case EXCHANGE_STALE: return true;
	case EXCHANGE_CLOSED:
	case EXCHANGE_FIRST_BYTE_TIMEOUT:
	case EXCHANGE_BAD_ANSWER: return is_read(u);
	case EXCHANGE_DONE:
	case EXCHANGE_IDLE_TIMEOUT:
	case EXCHANGE_CUT: return false;
	}
	abort();
}

static void
report_fault(struct run *u, enum exchange_end end)
{
	struct backend *b = u->job.backend;
	enum backend_fault fault = FAULT_BROKEN;

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
	log_warn(u->request->id, "backend %s: %s", backend_name(b), exchange_end_text(end));
	gateway_saw_fault(u->request->gateway, b, fault);
}

static bool
retry(struct run *u)
{
	struct gateway *g = u->request->gateway;

	if (!sched_retry(g->sched, &u->job, clock_now_ms()))
		return false;
	dispatch_wake(g);
	return true;
}

static bool
on_answer(struct relay *y, int status, void *arg)
{
	struct run *u = arg;
	struct gateway *g = u->request->gateway;

	if (status == 503) {
		/* It may be tried again: a node that is busy has not begun. */
		gateway_saw_fault(g, u->job.backend, FAULT_BUSY);
		return !retry(u);
	}
	if (backend_saw_answer(u->job.backend, clock_now_ms()))
		log_info(backend_name(u->job.backend), "breaker is closed");
	request_drop_body(u->request);
	return true;
}

static void
on_failed(struct relay *y, enum exchange_end end, void *arg)
{
	struct run *u = arg;
	bool late = end == EXCHANGE_FIRST_BYTE_TIMEOUT || end == EXCHANGE_IDLE_TIMEOUT ||
	            end == EXCHANGE_CONNECT_TIMEOUT;
	struct buf message = {0};

	report_fault(u, end);
	if (may_retry(u, end) && retry(u))
		return;
	buf_addf(&message, "backend '%s' failed: %s", y->backend, exchange_end_text(end));
	run_fail(u, late ? JOB_DEADLINE : JOB_BACKEND_ERROR, late ? 504 : 502, 0, buf_text(&message));
	buf_finish(&message);
}

static void
on_over(struct relay *y, enum exchange_end end, void *arg)
{
	struct run *u = arg;
	struct request *r = u->request;
	enum job_end why = end == EXCHANGE_DONE ? JOB_DONE : JOB_BACKEND_ERROR;

	report_fault(u, end);
	run_end(u, why);
	request_end(r, why);
	run_free(u);
}

static const struct relay_ops relay_ops = {
    .on_answer = on_answer,
    .on_failed = on_failed,
    .on_over = on_over,
};

void
run_dispatch(struct job *j, bool was_loaded)
{
	struct run *u = run_of(j);
	struct request *r = u->request;
	const struct settings *s = r->gateway->settings;
	struct relay_limits limits = {
	    .first_byte_ms = s->timeouts.first_byte + (was_loaded ? 0 : s->timeouts.load),
	    .idle_ms = s->timeouts.idle,
	};

	r->waited_ms = j->dispatched_at_ms - j->queued_at_ms;
	relay_start(&u->relay, r, gateway_server_of(r->gateway, j->backend), &limits, &relay_ops, u);
}

void
run_give_up(struct job *j)
{
	struct run *u = run_of(j);

	u->request->waited_ms = clock_now_ms() - j->queued_at_ms;
	if (j->end == JOB_DEADLINE)
		run_fail(u, JOB_DEADLINE, 504, 0, "the request waited too long in the queue");
	else
		run_fail(u, JOB_REFUSED, 503, u->request->gateway->settings->health.interval,
		         "no backend that could serve this model is up");
}

/* Reads, and remote models, need a node but none of its slots. */
static bool
is_slotless(const struct run *u)
{
	return is_read(u) || model_name_is_cloud(u->model);
}

/* X-Drover-Priority. False: it is none of the three. */
static bool
take_class(const struct request *r, enum job_class *out)
{
	struct str given = http_find_header(front_req_head(r->client), "X-Drover-Priority");

	*out = CLASS_NORMAL;
	if (given.ptr == NULL)
		return true;
	for (int c = 0; c < CLASSES; c++)
		if (str_eq_nocase(given, job_class_name((enum job_class)c))) {
			*out = (enum job_class)c;
			return true;
		}
	return false;
}

/* X-Drover-Backend, for those who may manage. False: the request was refused. */
static bool
take_backend_choice(struct run *u)
{
	struct server *s;

	if (!manage_choose_server(u->request, &s))
		return false;
	u->job.only = s == NULL ? NULL : s->backend;
	return true;
}

void
run_begin(struct request *r, struct str model)
{
	struct run *u = NEW(struct run);
	enum job_class class;

	u->work.ops = &work_ops;
	u->request = r;
	list_init(&u->puzzled_link);
	if (!model_name_canonical(model, u->model)) {
		request_refuse(r, 400, model.len == 0 ? "model is required" : "invalid model name");
	} else if (!take_class(r, &class)) {
		request_refuse(r, 400, "X-Drover-Priority: give high, normal or low");
	} else {
		job_init(&u->job, class);
		u->job.slotless = is_slotless(u);
		if (take_backend_choice(u)) {
			r->work = &u->work;
			submit(u);
			return;
		}
	}
	run_free(u);
}
