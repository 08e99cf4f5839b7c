/*
 * One run. Each turn of `go_on` begins what is due and has a place; it is called
 * when a call has ended, when the alarm says that the next one is due, and at the
 * start.
 *
 * A request that is due while there is no place waits as the next shot: its time
 * counts from when it was due, and so does that of all behind it.
 */
#include "run.h"

#include "alarm.h"
#include "base/clock.h"
#include "base/mem.h"
#include "call.h"
#include "progress.h"
#include "workload.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
	CONNECT_MS = 10 * 1000,
	WARMUP_PLACES = 16,
	BEGUN_A_TURN = 64,    /* then answers are read first, or their times would be wrong */
	FILES_KEPT = 64,      /* of the descriptors that the system grants, for what is no connection */
	HOPELESS_LEAST = 10,  /* failures, and no success, after which a run is given up; or */
	HOPELESS_MOST = 1000, /* as many as run at once, but no more than this */
};

enum phase {
	PHASE_WARMUP,
	PHASE_MEASURE,
	PHASE_DRAIN, /* none is begun any more */
	PHASE_OVER,
};

struct run {
	struct loop *loop;
	const struct plan *plan;
	struct call_world world;
	struct workload *workload;
	struct tally *tally;
	struct progress progress;
	enum phase phase;
	enum run_end end;
	struct buf *why;
	struct list busy; /* of struct call, by link; owned */
	struct list free; /* the same */
	int64_t running;
	int64_t places;
	struct buf *headers; /* owned; by key, then class */
	struct alarm due;
	struct timer duration;
	struct timer drain;
	struct waker waker;
	struct call *next; /* owned; drawn from the workload and not yet begun; NULL: none */
	struct shot next_shot;
	int64_t freed_us; /* when there last was a place where before was none */
	bool exhausted;   /* the workload has no more */
	int64_t warmed;
	int64_t failed; /* since the start, while nothing succeeded */
	bool succeeded;
	double cpu_before;
	int64_t cpu_since_us;
};

static double
cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* --- phases --- */

static void
over(struct run *r)
{
	int64_t took_us = clock_now_us() - r->cpu_since_us;

	r->phase = PHASE_OVER;
	if (took_us > 0)
		r->tally->cpu_share = (cpu_seconds() - r->cpu_before) * 1e6 / (double)took_us;
	alarm_stop(&r->due);
	loop_stop(r->loop);
}

static void
cancel_all(struct run *r)
{
	struct call *c;

	while ((c = LIST_FIRST(&r->busy, struct call, link)) != NULL)
		call_cancel(c, OUTCOME_UNFINISHED);
}

/* Shots that were due and never had a place are said, for they are part of the load. */
static void
count_not_started(struct run *r)
{
	int64_t now_us = clock_now_us() - r->tally->start_us;

	while (r->next != NULL && r->next_shot.due_us >= 0 && r->next_shot.due_us <= now_us) {
		r->tally->not_started++;
		buf_clear(&r->next->body);
		if (!workload_next(r->workload, &r->next_shot, &r->next->body))
			return;
	}
}

static void
begin_drain(struct run *r)
{
	if (r->phase != PHASE_MEASURE)
		return;
	r->phase = PHASE_DRAIN;
	count_not_started(r);
	if (r->running == 0)
		over(r);
	else
		timer_start(&r->drain, r->plan->drain_ms);
}

static void
stop_now(struct run *r)
{
	if (r->phase == PHASE_OVER)
		return;
	if (r->phase == PHASE_MEASURE)
		count_not_started(r);
	r->phase = PHASE_DRAIN;
	cancel_all(r);
	if (r->phase != PHASE_OVER)
		over(r);
}

static void
give_up(struct run *r, const char *why)
{
	r->end = RUN_GAVE_UP;
	buf_addf(r->why, "gave up, for none of the first %lld requests succeeded: %s",
	         (long long)r->failed, why == NULL ? "no reason was said" : why);
	stop_now(r);
}

static void
begin_measure(struct run *r)
{
	r->phase = PHASE_MEASURE;
	r->cpu_before = cpu_seconds();
	r->cpu_since_us = clock_now_us();
	tally_start(r->tally, r->cpu_since_us);
	progress_start(&r->progress, r->tally, workload_count(r->workload));
	if (r->plan->duration_ms > 0)
		timer_start(&r->duration, r->plan->duration_ms);
}

/* --- calls --- */

static struct str
headers_of(const struct run *r, const struct shot *s)
{
	size_t classes = r->plan->classes.count == 0 ? 1 : r->plan->classes.count;
	const struct buf *b = &r->headers[s->key * classes + s->class];

	return (struct str){b->data, b->len};
}

static struct call *
take_call(struct run *r)
{
	struct call *c = LIST_FIRST(&r->free, struct call, link);

	if (c == NULL)
		c = call_create(&r->world);
	list_remove(&c->link);
	buf_clear(&c->body);
	return c;
}

static void
begin(struct run *r, struct call *c, const struct shot *shot, bool measured, int64_t due_us)
{
	int64_t now_us = clock_now_us();

	c->measured = measured;
	list_add_last(&r->busy, &c->link);
	r->running++;
	due_us = due_us < 0 ? now_us : due_us;
	if (measured)
		tally_begin(r->tally, now_us - (due_us > r->freed_us ? due_us : r->freed_us), now_us);
	call_begin(c, shot, headers_of(r, shot), due_us);
}

static void
warm(struct run *r)
{
	int64_t places = r->places < WARMUP_PLACES ? r->places : WARMUP_PLACES;

	while (r->running < places && r->warmed < r->plan->warmup) {
		struct call *c = take_call(r);
		struct shot shot;

		workload_warm(r->workload, r->warmed++, &shot, &c->body);
		begin(r, c, &shot, false, -1);
	}
	if (r->running == 0)
		begin_measure(r);
}

static bool
draw(struct run *r)
{
	if (r->next != NULL)
		return true;
	if (r->exhausted)
		return false;
	r->next = take_call(r);
	if (workload_next(r->workload, &r->next_shot, &r->next->body))
		return true;
	list_add_first(&r->free, &r->next->link);
	r->next = NULL;
	r->exhausted = true;
	return false;
}

static void
measure(struct run *r)
{
	for (int begun = 0; draw(r); begun++) {
		struct call *c = r->next;
		int64_t due_us = r->next_shot.due_us, now_us = clock_now_us();

		if (due_us >= 0 && r->tally->start_us + due_us > now_us) {
			alarm_set(&r->due, r->tally->start_us + due_us);
			return;
		}
		if (r->running >= r->places) {
			r->tally->starved |= r->plan->concurrency != r->places;
			return;
		}
		if (begun == BEGUN_A_TURN) {
			waker_wake(&r->waker);
			return;
		}
		r->next = NULL;
		begin(r, c, &r->next_shot, true, due_us < 0 ? -1 : r->tally->start_us + due_us);
	}
	if (r->running == 0)
		over(r);
}

static void
go_on(void *arg)
{
	struct run *r = arg;

	if (r->phase == PHASE_WARMUP)
		warm(r);
	switch (r->phase) {
	case PHASE_MEASURE: measure(r); return;
	case PHASE_DRAIN:
		if (r->running == 0)
			over(r);
		return;
	case PHASE_WARMUP:
	case PHASE_OVER: return;
	}
}

/* Nobody wants to wait for the end of a run of which every request fails for a reason that will
 * not go away. A full queue may. */
static void
judge(struct run *r, const struct outcome *o)
{
	int64_t asked = r->plan->concurrency < HOPELESS_MOST ? r->plan->concurrency : HOPELESS_MOST;
	int64_t most = asked < HOPELESS_LEAST ? HOPELESS_LEAST : asked;

	r->succeeded |= o->end == OUTCOME_WHOLE;
	if (r->succeeded || o->status == 503 || o->status == 429 || o->end == OUTCOME_TOO_LATE)
		return;
	if (++r->failed >= most || (r->failed >= HOPELESS_LEAST && o->end == OUTCOME_NO_ANSWER))
		give_up(r, o->why);
}

static void
on_call_end(struct call *c, const struct outcome *o, void *arg)
{
	struct run *r = arg;

	if (r->running-- == r->places)
		r->freed_us = o->end_us;
	if (c->measured)
		tally_end(r->tally, o);
	list_remove(&c->link);
	list_add_first(&r->free, &c->link);
	if (o->end == OUTCOME_UNFINISHED)
		return;
	judge(r, o);
	if (r->phase != PHASE_OVER)
		waker_wake(&r->waker);
}

static void
on_call_tokens(struct call *c, int64_t count, int64_t now_us, void *arg)
{
	struct run *r = arg;

	if (c->measured)
		tally_tokens(r->tally, count, now_us);
}

static const struct call_ops call_ops = {.on_tokens = on_call_tokens, .on_end = on_call_end};

/* --- events --- */

static void
on_duration(void *arg)
{
	begin_drain(arg);
}

static void
on_drain(void *arg)
{
	stop_now(arg);
}

static void
on_signal(int signal, void *arg)
{
	struct run *r = arg;

	r->end = RUN_INTERRUPTED;
	r->tally->interrupted = true;
	stop_now(r);
}

/* --- life --- */

static void
add_header(struct buf *out, const char *before, const struct mix *m, size_t i)
{
	if (m->count > 0)
		buf_addf(out, "%s%s\r\n", before, m->texts[i]);
}

static size_t
header_sets(const struct plan *p)
{
	return (p->keys.count == 0 ? 1 : p->keys.count) *
	       (p->classes.count == 0 ? 1 : p->classes.count);
}

/* One block for each pair, so that a request costs no printing. */
static void
make_headers(struct run *r)
{
	const struct plan *p = r->plan;
	size_t classes = p->classes.count == 0 ? 1 : p->classes.count;

	r->headers = mem_zalloc(header_sets(p), sizeof(r->headers[0]));
	for (size_t i = 0; i < header_sets(p); i++) {
		buf_adds(&r->headers[i], "User-Agent: drover-bench/" DROVER_VERSION "\r\n"
		                         "Content-Type: application/json\r\n"
		                         "Accept: */*\r\n");
		buf_adds(&r->headers[i], p->api->also);
		add_header(&r->headers[i], "Authorization: Bearer ", &p->keys, i / classes);
		add_header(&r->headers[i], "X-Drover-Priority: ", &p->classes, i % classes);
	}
}

/* As many connections as the system grants, at most as many as were asked for. */
static int64_t
find_places(const struct plan *p)
{
	struct rlimit files;
	int64_t granted = 1024;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
		getrlimit(RLIMIT_NOFILE, &files);
		granted = files.rlim_cur > 1000000 ? 1000000 : (int64_t)files.rlim_cur;
	}
	granted = granted > INT64_C(2) * FILES_KEPT ? granted - FILES_KEPT : FILES_KEPT;
	return p->concurrency > 0 && p->concurrency < granted ? p->concurrency : granted;
}

static bool
open_run(struct run *r, const char *url)
{
	struct upstream_conf conf = {
	    .url = url,
	    .tls_ca = r->plan->tls_ca,
	    .tls_verify = r->plan->tls_verify,
	    .connect_ms = CONNECT_MS,
	    .idle_max = r->places < INT32_MAX ? (int)r->places : INT32_MAX,
	};

	r->workload = workload_create(r->plan, r->why);
	if (r->workload == NULL)
		return false;
	r->world = (struct call_world){.loop = r->loop, .plan = r->plan, .ops = &call_ops, .arg = r};
	r->world.upstream = upstream_create(r->loop, &conf, r->why);
	return r->world.upstream != NULL;
}

static void
free_calls(struct list *calls)
{
	struct call *c;

	while ((c = LIST_FIRST(calls, struct call, link)) != NULL) {
		list_remove(&c->link);
		call_destroy(&c);
	}
}

static void
close_run(struct run *r)
{
	free_calls(&r->free);
	call_destroy(&r->next);
	assert(list_empty(&r->busy));
	upstream_destroy(&r->world.upstream);
	workload_destroy(&r->workload);
	for (size_t i = 0; r->headers != NULL && i < header_sets(r->plan); i++)
		buf_finish(&r->headers[i]);
	free(r->headers);
}

static void
turn(struct run *r)
{
	struct event *on_int = loop_on_signal(r->loop, SIGINT, on_signal, r);
	struct event *on_term = loop_on_signal(r->loop, SIGTERM, on_signal, r);

	alarm_init(&r->due, r->loop, go_on, r);
	timer_init(&r->duration, r->loop, on_duration, r);
	timer_init(&r->drain, r->loop, on_drain, r);
	waker_init(&r->waker, r->loop, go_on, r);
	progress_init(&r->progress, r->loop);
	r->cpu_since_us = clock_now_us();
	waker_wake(&r->waker);
	loop_run(r->loop);
	progress_finish(&r->progress);
	waker_finish(&r->waker);
	timer_finish(&r->drain);
	timer_finish(&r->duration);
	alarm_finish(&r->due);
	loop_off_signal(&on_int);
	loop_off_signal(&on_term);
}

enum run_end
run(struct loop *l, const struct plan *plan, const char *url, struct tally *out, struct buf *why)
{
	struct run r = {.loop = l, .plan = plan, .tally = out, .why = why, .end = RUN_DONE};

	list_init(&r.busy);
	list_init(&r.free);
	r.places = find_places(plan);
	make_headers(&r);
	if (!open_run(&r, url)) {
		close_run(&r);
		return RUN_BAD;
	}
	r.phase = PHASE_WARMUP;
	turn(&r);
	close_run(&r);
	return r.end;
}
