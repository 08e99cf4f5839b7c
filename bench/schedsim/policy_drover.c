/*
 * The gateway itself: the scheduler of src/core, told what the program tells it and in the
 * same order, under the simulation's clock.
 *
 * Nodes are probed every five seconds, as by default. A queued request has no other bound on
 * its wait than its own deadline, like those of all other policies here.
 */
#include "policy.h"

#include "base/mem.h"
#include "core/sched.h"

#include <assert.h>
#include <stdlib.h>

enum { PROBE_US = 5000000, QUEUE_SIZE = 512, PER_KEY = 128, AGING_MS = 300000 };

struct drover {
	struct world *world;
	struct sched *sched;             /* owned */
	struct order orders[MOST_NODES]; /* under way, by node */
	int64_t wake_us;                 /* when the next wake is planned; INT64_MAX: none is */
};

static void pump(struct drover *d);

static void
on_wake(void *arg, uint64_t tag)
{
	struct drover *d = arg;

	d->wake_us = INT64_MAX;
	pump(d);
}

static void
plan_wake(struct drover *d)
{
	int64_t at_ms = sched_next_ms(d->sched, world_now_ms(d->world)), at_us;

	if (at_ms == INT64_MAX)
		return;
	at_us = at_ms * 1000;
	if (at_us <= d->world->events.now_us)
		at_us = d->world->events.now_us + 1000;
	if (at_us >= d->wake_us)
		return;
	d->wake_us = at_us;
	events_plan(&d->world->events, at_us, on_wake, d, 0);
}

static struct request *
request_of(struct job *j)
{
	return LIST_ENTRY(j, struct request, job);
}

static struct node *
node_of(const struct drover *d, const struct backend *b)
{
	for (size_t i = 0; i < d->world->node_count; i++)
		if (sched_backend(d->sched, i) == b)
			return &d->world->nodes[i];
	abort();
}

static void
carry_out(struct drover *d, const struct order *o)
{
	struct node *n = node_of(d, o->backend);
	int model = workload_find_model(d->world->conf.workload, o->model);

	d->orders[n->index] = *o;
	switch (o->kind) {
	case ORDER_LOAD: node_order_load(n, model); return;
	case ORDER_UNLOAD: node_order_unload(n, model); return;
	}
	abort();
}

static bool
pick(struct drover *d, int64_t now_ms)
{
	bool was_loaded;
	struct job *j = sched_pick(d->sched, now_ms, &was_loaded);

	if (j == NULL)
		return false;
	node_submit(node_of(d, j->backend), request_of(j));
	/* Nodes refuse only after hundreds that wait for a load: never sent from here. */
	assert(request_of(j)->state != REQUEST_REFUSED);
	return true;
}

static bool
order(struct drover *d, int64_t now_ms)
{
	struct order o;

	if (!sched_take_order(d->sched, now_ms, &o))
		return false;
	carry_out(d, &o);
	return true;
}

static void
pump(struct drover *d)
{
	int64_t now_ms = world_now_ms(d->world);
	struct job *j;

	while ((j = sched_take_expired(d->sched, now_ms)) != NULL)
		world_give_up(d->world, request_of(j));
	while ((j = sched_take_displaced(d->sched)) != NULL)
		world_refuse(d->world, request_of(j));
	while (order(d, now_ms) || pick(d, now_ms))
		;
	plan_wake(d);
}

/* --- what is known of the nodes --- */

static size_t
list_models(const struct node *n, bool only_held, const char **names)
{
	const struct workload *w = n->world->conf.workload;
	size_t count = 0;

	for (size_t m = 0; m < w->model_count; m++)
		if (!only_held || node_holds(n, (int)m))
			names[count++] = w->models[m].name;
	return count;
}

static void
probe(struct drover *d, size_t i)
{
	struct backend *b = sched_backend(d->sched, i);
	const char *names[MOST_MODELS];
	size_t count;

	backend_saw_probe(b, true, world_now_ms(d->world));
	count = list_models(&d->world->nodes[i], false, names);
	backend_set_models(b, names, count);
	count = list_models(&d->world->nodes[i], true, names);
	backend_set_loaded(b, names, count);
}

static void
on_probe(void *arg, uint64_t i)
{
	struct drover *d = arg;

	probe(d, (size_t)i);
	events_plan(&d->world->events, d->world->events.now_us + PROBE_US, on_probe, d, i);
	pump(d);
}

static void
add_backend(struct drover *d, size_t i)
{
	const struct node *n = &d->world->nodes[i];
	bool all = d->world->conf.all_resident;
	struct backend_conf conf = {
	    .name = n->spec->name,
	    .weight = n->spec->weight,
	    .parallel = n->parallel,
	    .max_loaded = all ? MOST_MODELS : n->max_loaded,
	    .slots = all ? n->parallel : n->parallel * n->max_loaded,
	};

	sched_add_backend(d->sched, &conf);
	probe(d, i);
	events_plan(&d->world->events, PROBE_US, on_probe, d, i);
}

static void *
create(struct world *w)
{
	static const struct sched_conf conf = {
	    .queue_size = QUEUE_SIZE,
	    .per_key = PER_KEY,
	    .aging_ms = AGING_MS,
	    .loads_by_orders = true,
	    .load_ms = 900000,
	    .health = {.down_after = 3,
	               .up_after = 2,
	               .breaker_failures = 5,
	               .breaker_window_ms = 30000,
	               .breaker_open_ms = 5000,
	               .breaker_max_open_ms = 60000},
	    .retry_attempts = 3,
	    .retry_budget_percent = 10,
	};
	struct drover *d = NEW(struct drover);

	d->world = w;
	d->wake_us = INT64_MAX;
	d->sched = sched_create(&conf);
	for (size_t i = 0; i < w->node_count; i++)
		add_backend(d, i);
	return d;
}

static void
destroy(void *state)
{
	struct drover *d = state;

	assert(sched_waiting(d->sched) == 0 && sched_running(d->sched) == 0);
	sched_destroy(&d->sched);
	free(d);
}

/* --- requests --- */

static void
arrive(void *state, struct request *r)
{
	struct drover *d = state;
	const struct workload *w = d->world->conf.workload;
	const char *model = w->models[r->model].name;
	int64_t now_ms = world_now_ms(d->world);

	r->job.key = w->keys[r->key];
	r->job.conversation = (uint64_t)r->session; /* as by X-Drover-Session */
	r->job.prompt_tokens = r->prompt_tokens;
	r->job.deadline_ms = r->deadline_ms > 0 ? now_ms + r->deadline_ms : 0;
	if (sched_submit(d->sched, &r->job, model, now_ms) == SCHED_QUEUED) {
		pump(d);
		return;
	}
	sched_end(d->sched, &r->job, JOB_REFUSED, now_ms);
	world_refuse(d->world, r);
}

/* The scheduler knows the deadline too, and it has passed. */
static void
overdue(void *state, struct request *r)
{
	pump(state);
	assert(r->state == REQUEST_LATE);
}

static void
freed(void *state, struct request *r)
{
	struct drover *d = state;
	int64_t now_ms = world_now_ms(d->world);

	if (r->state == REQUEST_DONE) {
		backend_saw_answer(r->job.backend, now_ms);
		sched_saw_tokens(d->sched, &r->job, r->prompt_tokens, r->output_tokens);
	}
	sched_end(d->sched, &r->job, r->state == REQUEST_DONE ? JOB_DONE : JOB_DEADLINE, now_ms);
	pump(d);
}

static void
ordered(void *state, struct node *n)
{
	struct drover *d = state;

	sched_saw_order(d->sched, &d->orders[n->index], ORDER_DONE, world_now_ms(d->world));
	pump(d);
}

const struct policy policy_drover = {.create = create,
                                     .destroy = destroy,
                                     .arrive = arrive,
                                     .overdue = overdue,
                                     .freed = freed,
                                     .ordered = ordered};
