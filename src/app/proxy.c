/* Work that goes through the scheduler: in, through the queue, and to its end. */
#include "app/proxy_impl.h"

#include "app/dispatch.h"
#include "app/gateway.h"
#include "app/limits.h"
#include "app/load_notes.h"
#include "app/loader.h"
#include "app/meter_words.h"
#include "app/shape.h"
#include "app/share.h"
#include "app/standing.h"
#include "app/terms.h"
#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>

/* A listing older than this is asked for again before a model counts as missing. */
enum { LISTING_FRESH_MS = 1000 };

void
proxy_free(struct proxy *p)
{
	list_remove(&p->puzzled_link);
	timer_finish(&p->deadline);
	relay_finish(&p->relay);
	fallback_finish(&p->fallback);
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

void
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

void
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

static int64_t
tokens(const struct work *w)
{
	const struct relay *y = &((const struct proxy *)w)->relay;
	struct usage u;

	return relay_read_usage(y, &u) ? u.output : -1;
}

static const struct job *
job(const struct work *w)
{
	return &((const struct proxy *)w)->job;
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

const struct work_ops proxy_work_ops = {
    .abandon = abandon,
    .drained = drained,
    .cancel = cancel,
    .describe = describe,
    .tokens = tokens,
    .job = job,
};

const char *
proxy_model(const struct proxy *p)
{
	return p->fallback.canonical != NULL ? p->fallback.canonical : p->request->model;
}

static void submit(struct proxy *p);

void
proxy_refuse_unloaded(struct proxy *p)
{
	const struct gateway *g = p->request->gateway;
	const struct load_failure *f;

	f = loader_find_failure(g->loader, proxy_model(p));
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
	case SCHED_LOAD_FAILED: proxy_refuse_unloaded(p); return;
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
		running |= probe_refresh(g->servers[i]->probe, LISTING_FRESH_MS);
	if (running)
		list_add_last(&g->puzzled, &p->puzzled_link);
	return running;
}

static void
submit(struct proxy *p)
{
	struct gateway *g = p->request->gateway;
	enum sched_answer answer;

	answer = sched_submit(g->sched, &p->job, proxy_model(p), clock_now_ms());
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
		if (probe_is_running(g->servers[i]->probe))
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

		if (p != NULL && p->work.ops == &proxy_work_ops && p->job.state != JOB_RUNNING)
			proxy_fail(p, JOB_REFUSED, 503, g->settings->health.interval,
			           "the gateway is shutting down");
	}
}

void
proxy_give_up(struct job *j)
{
	struct proxy *p = proxy_of(j);

	p->request->waited_ms = clock_now_ms() - j->queued_at_ms;
	if (j->end == JOB_DEADLINE) {
		proxy_fail(p, JOB_DEADLINE, 504, 0, "the request waited too long in the queue");
		return;
	}
	refuse(p, sched_outlook(p->request->gateway->sched, j, proxy_model(p)));
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

	p->work.ops = &proxy_work_ops;
	p->request = r;
	fallback_init(&p->fallback, str_of(request_model(r)));
	job_init(&p->job, CLASS_NORMAL);
	list_init(&p->puzzled_link);
	timer_init(&p->deadline, r->gateway->loop, on_deadline, p);
	heartbeat_init(&p->heartbeat, r, say_where, p);
	if (r->model == NULL) {
		request_refuse(r, 400,
		               *request_model(r) == '\0' ? "model is required" : "invalid model name");
	} else if (terms_take(r, r->model, &p->job) && enter(r, r->model, &p->job)) {
		watch_deadline(p);
		heartbeat_start(&p->heartbeat);
		r->work = &p->work;
		submit(p);
		return;
	}
	proxy_free(p);
}
