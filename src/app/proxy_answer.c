/* A job that runs: sent to its node, answered, tried again or failed. */
#include "app/proxy_impl.h"

#include "app/dispatch.h"
#include "app/gateway.h"
#include "app/loader.h"
#include "app/meter_words.h"
#include "app/rules.h"
#include "app/shape.h"
#include "app/share.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/watchdog.h"

#include <stdlib.h>

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
	case EXCHANGE_TLS_FAILED:
	case EXCHANGE_STALE: return true;
	case EXCHANGE_CLOSED:
	case EXCHANGE_SEND_TIMEOUT:
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
	case EXCHANGE_TLS_FAILED: fault = FAULT_TLS; break;
	case EXCHANGE_SEND_TIMEOUT:
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
	bool late = exchange_end_is_late(end);
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

	log_warn(p->request->id, "backend %s: no answer, and it does not hold %s any more", backend,
	         proxy_model(p));
	relay_abandon(&p->relay);
	loader_saw_stuck(g->loader, proxy_model(p), backend);
	watchdog_saw_stuck(&p->job, clock_now_ms());
	if (!retry(p, "lost_model"))
		proxy_refuse_unloaded(p);
}

void
proxy_free_stuck(struct gateway *g)
{
	int64_t now = clock_now_ms();
	struct request *r;

	LIST_FOR_EACH (r, &g->requests, struct request, link) {
		struct proxy *p = (struct proxy *)r->work;

		if (p != NULL && p->work.ops == &proxy_work_ops && !p->relay.began &&
		    watchdog_is_stuck(&p->job, now))
			give_up_on(p);
	}
}

void
proxy_dispatch(struct job *j, bool was_loaded)
{
	struct proxy *p = proxy_of(j);
	struct request *r = p->request;
	const struct settings *s = &r->config->settings;
	struct relay_limits limits = {
	    .first_byte_ms = s->timeouts.first_byte,
	    .idle_ms = s->timeouts.idle,
	};

	if (!was_loaded)
		limits.first_byte_ms += rules_load_ms(s, proxy_model(p));
	r->model_sent = fallback_name(&p->fallback);
	if (r->model_sent == NULL)
		r->model_sent = r->alias_for;
	if (fallback_name(&p->fallback) != NULL)
		share_spoil(r);
	if (r->route->kind == ROUTE_RUN)
		shape_body(r, proxy_model(p), j);
	else if (r->route->kind == ROUTE_SHOW)
		shape_model(r);
	r->waited_ms = j->dispatched_at_ms - j->queued_at_ms;
	relay_start(&p->relay, r, gateway_server_of(r->gateway, j->backend), &limits, &relay_ops, p);
}
