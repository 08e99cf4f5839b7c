/* Ollama's rules; see node.h. */
#include "node.h"

#include "policy.h"
#include "world.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { MOST_PENDING = 512, UNLOAD_US = 1000000 };

#define SLOWER_BY_EACH 0.25
/* Of progress, so that rounding to microseconds leaves no rest. */
#define NEARLY 1e-9

static int64_t
now_us(const struct node *n)
{
	return n->world->events.now_us;
}

static void
runner_clear(struct runner *u, int model)
{
	*u = (struct runner){.model = model};
	list_init(&u->waiting);
}

void
node_init(struct node *n, struct world *w, int index, bool all_resident)
{
	const struct workload *workload = w->conf.workload;

	*n = (struct node){.world = w, .spec = &workload->nodes[index], .index = index};
	n->parallel = workload->parallel;
	n->max_loaded = workload->max_loaded;
	for (int i = 0; i < MOST_MODELS; i++)
		runner_clear(&n->runners[i], NO_MODEL);
	if (all_resident)
		runner_clear(&n->runners[0], ANY_MODEL);
	list_init(&n->pending);
	list_init(&n->active);
}

static struct runner *
find_runner(struct node *n, int model)
{
	for (int i = 0; i < MOST_MODELS; i++)
		if (n->runners[i].model == model || n->runners[i].model == ANY_MODEL)
			return &n->runners[i];
	return NULL;
}

/* --- the slots --- */

static double
rate(const struct node *n)
{
	int others = n->running > 1 ? n->running - 1 : 0;

	return n->spec->speed / (1 + SLOWER_BY_EACH * others);
}

/* To be called before `running` changes: the rate holds since the last call. */
static void
advance(struct node *n)
{
	if (n->running > 0)
		n->progress += (double)(now_us(n) - n->progress_us) * 1e-6 * rate(n);
	n->progress_us = now_us(n);
}

static void on_end(void *arg, uint64_t version);

static void
plan_end(struct node *n)
{
	double due = INFINITY;
	struct request *r;

	n->version++;
	LIST_FOR_EACH (r, &n->active, struct request, link)
		due = fmin(due, r->due);
	if (n->running > 0) {
		double us = fmax(0, ceil((due - n->progress) / rate(n) * 1e6));

		events_plan(&n->world->events, now_us(n) + (int64_t)us, on_end, n, n->version);
	}
}

/* The slot that holds the conversation, else the one that was used longest ago. */
static int
choose_slot(const struct node *n, const struct runner *u, int session, bool *holds)
{
	int best = -1;

	*holds = false;
	for (int i = 0; i < n->parallel; i++) {
		const struct slot *s = &u->slots[i];

		if (s->busy)
			continue;
		if (session != 0 && s->session == session) {
			*holds = true;
			return i;
		}
		if (best < 0 || s->used_us < u->slots[best].used_us)
			best = i;
	}
	assert(best >= 0);
	return best;
}

static void
start(struct node *n, struct runner *u, struct request *r)
{
	const struct model_spec *m = &n->world->conf.workload->models[r->model];
	bool holds;
	double prefill_s;

	advance(n);
	r->slot = choose_slot(n, u, r->session, &holds);
	u->slots[r->slot] = (struct slot){.busy = true, .session = r->session, .used_us = now_us(n)};
	u->running++;
	n->running++;
	prefill_s = (holds ? r->fresh_tokens : r->prompt_tokens) / m->prefill;
	r->due = n->progress + prefill_s + r->output_tokens / m->decode;
	r->state = REQUEST_RUNNING;
	r->start_us = now_us(n);
	r->first_us = r->start_us + (int64_t)(prefill_s / rate(n) * 1e6);
	list_remove(&r->link);
	list_add_last(&n->active, &r->link);
	plan_end(n);
}

static void
fill_slots(struct node *n, struct runner *u)
{
	struct request *r;

	while (!u->loading && u->running < n->parallel &&
	       (r = LIST_FIRST(&u->waiting, struct request, link)) != NULL)
		start(n, u, r);
}

static void
join(struct node *n, struct runner *u, struct request *r)
{
	r->runner = u;
	u->refs++;
	list_add_last(&u->waiting, &r->link);
	fill_slots(n, u);
}

/* A running request leaves its slot; `advance` comes before. */
static void
leave_slot(struct node *n, struct request *r)
{
	struct runner *u = r->runner;

	list_remove(&r->link);
	u->slots[r->slot].busy = false;
	u->slots[r->slot].used_us = now_us(n);
	u->running--;
	u->refs--;
	n->running--;
	n->inflight--;
}

/* --- loading and unloading --- */

static void handle_pending(struct node *n);
static void unload_idle_victims(struct node *n);

static void
report_order(struct node *n)
{
	if (!n->ordered)
		return;
	n->ordered = false;
	n->world->conf.policy->ordered(n->world->policy, n);
}

static void
on_unloaded(void *arg, uint64_t tag)
{
	struct node *n = arg;

	n->unloading--;
	unload_idle_victims(n);
	handle_pending(n);
	report_order(n);
}

static void
unload_idle_victims(struct node *n)
{
	for (int i = 0; i < MOST_MODELS && n->unloading == 0; i++) {
		struct runner *u = &n->runners[i];

		if (!u->leaving || u->refs > 0 || u->loading)
			continue;
		runner_clear(u, NO_MODEL);
		n->unloading++;
		events_plan(&n->world->events, now_us(n) + UNLOAD_US, on_unloaded, n, 0);
	}
}

static void
on_loaded(void *arg, uint64_t i)
{
	struct node *n = arg;
	struct runner *u = &n->runners[i];

	u->loading = false;
	fill_slots(n, u);
	handle_pending(n);
	unload_idle_victims(n);
	report_order(n);
}

static struct runner *
load(struct node *n, int model)
{
	struct runner *u = find_runner(n, NO_MODEL);
	double load_s = n->world->conf.workload->models[model].load_s;

	runner_clear(u, model);
	u->loading = true;
	u->order = n->next_order++;
	n->loads++;
	events_plan(&n->world->events, now_us(n) + (int64_t)(load_s * 1e6), on_loaded, n,
	            (uint64_t)(u - n->runners));
	return u;
}

/* An idle one before a busy one, then who was loaded first. */
static struct runner *
choose_victim(struct node *n)
{
	struct runner *best = NULL;

	for (int i = 0; i < MOST_MODELS; i++) {
		struct runner *u = &n->runners[i];

		if (u->model == NO_MODEL)
			continue;
		if (best == NULL || (u->refs == 0) > (best->refs == 0) ||
		    ((u->refs == 0) == (best->refs == 0) && u->order < best->order))
			best = u;
	}
	return best;
}

static int
count_runners(const struct node *n)
{
	int count = 0;

	for (int i = 0; i < MOST_MODELS; i++)
		count += n->runners[i].model != NO_MODEL;
	return count;
}

static int
count_loading(const struct node *n)
{
	int count = 0;

	for (int i = 0; i < MOST_MODELS; i++)
		count += n->runners[i].loading;
	return count;
}

/* Whether the head was dealt with, so that the next one's turn has come. */
static bool
handle_head(struct node *n)
{
	struct runner *u = find_runner(n, n->head->model);
	struct request *r = n->head;

	if (n->unloading > 0 || (u == NULL ? count_loading(n) > 0 : u->loading))
		return false;
	if (u == NULL && count_runners(n) >= n->max_loaded) {
		choose_victim(n)->leaving = true;
		unload_idle_victims(n);
		return false;
	}
	n->head = NULL;
	join(n, u != NULL ? u : load(n, r->model), r);
	return true;
}

static void
handle_pending(struct node *n)
{
	do {
		if (n->head == NULL && !list_empty(&n->pending)) {
			n->head = LIST_FIRST(&n->pending, struct request, link);
			list_remove(&n->head->link);
			n->pending_count--;
		}
	} while (n->head != NULL && handle_head(n));
}

/* --- requests --- */

void
node_submit(struct node *n, struct request *r)
{
	struct runner *u = find_runner(n, r->model);

	assert(r->state == REQUEST_AT_GATEWAY);
	r->node = n;
	if (u == NULL && n->pending_count >= MOST_PENDING) {
		world_refuse(n->world, r);
		return;
	}
	r->state = REQUEST_AT_NODE;
	r->runner = NULL;
	n->inflight++;
	if (u != NULL) {
		join(n, u, r);
		return;
	}
	list_add_last(&n->pending, &r->link);
	n->pending_count++;
	handle_pending(n);
}

void
node_abort(struct node *n, struct request *r)
{
	struct runner *u = r->runner;

	advance(n);
	if (r->state == REQUEST_RUNNING) {
		leave_slot(n, r);
		plan_end(n);
		fill_slots(n, u);
	} else {
		n->inflight--;
		if (u != NULL)
			u->refs--;
		else if (n->head != r)
			n->pending_count--;
		list_remove(&r->link);
	}
	if (n->head == r)
		n->head = NULL;
	unload_idle_victims(n);
	handle_pending(n);
}

static void
on_end(void *arg, uint64_t version)
{
	struct node *n = arg;
	struct list ended;
	struct request *r;

	if (version != n->version)
		return;
	list_init(&ended);
	advance(n);
	LIST_FOR_EACH (r, &n->active, struct request, link)
		if (r->due <= n->progress + NEARLY) {
			leave_slot(n, r);
			list_add_last(&ended, &r->link);
		}
	plan_end(n);
	LIST_FOR_EACH (r, &ended, struct request, link)
		fill_slots(n, r->runner);
	unload_idle_victims(n);
	LIST_FOR_EACH (r, &ended, struct request, link) {
		list_remove(&r->link);
		world_done(n->world, r);
	}
}

/* --- orders --- */

void
node_order_load(struct node *n, int model)
{
	assert(!n->ordered && n->unloading == 0 && count_loading(n) == 0);
	assert(!node_expects(n, model) && count_runners(n) < n->max_loaded);
	n->ordered = true;
	load(n, model);
}

void
node_order_unload(struct node *n, int model)
{
	assert(!n->ordered && n->unloading == 0);
	assert(node_holds(n, model));
	n->ordered = true;
	find_runner(n, model)->leaving = true;
	unload_idle_victims(n);
}

bool
node_holds(const struct node *n, int model)
{
	for (int i = 0; i < MOST_MODELS; i++)
		if (n->runners[i].model == ANY_MODEL ||
		    (n->runners[i].model == model && !n->runners[i].loading))
			return true;
	return false;
}

bool
node_expects(const struct node *n, int model)
{
	for (int i = 0; i < MOST_MODELS; i++)
		if (n->runners[i].model == model || n->runners[i].model == ANY_MODEL)
			return true;
	return false;
}

static int
length_of(const struct list *head)
{
	int length = 0;

	for (const struct list *l = head->next; l != head; l = l->next)
		length++;
	return length;
}

void
node_check(const struct node *n)
{
	int refs = 0, running = 0;

	for (int i = 0; i < MOST_MODELS; i++) {
		const struct runner *u = &n->runners[i];
		int busy = 0;

		for (int k = 0; k < MOST_SLOTS; k++)
			busy += u->slots[k].busy;
		if (busy != u->running || busy > n->parallel || (u->loading && busy > 0))
			abort();
		if (u->refs != u->running + length_of(&u->waiting))
			abort();
		refs += u->refs;
		running += u->running;
	}
	if (running != n->running || running != length_of(&n->active))
		abort();
	if (n->pending_count != length_of(&n->pending))
		abort();
	if (n->inflight != refs + n->pending_count + (n->head != NULL))
		abort();
	if (count_runners(n) > n->max_loaded || count_loading(n) > 1)
		abort();
}
