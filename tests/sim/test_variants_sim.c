/*
 * Variants in random worlds: jobs with random options, nodes that load what they are told, and
 * now and then what others tell them.
 *
 *   test_variants_sim [WORLDS [FIRST_SEED]]
 *
 * After every step: a node holds at most one variant of a model, and no more than it may; a job
 * runs with no less than it asks for, and with exactly that where it may not share. In the end
 * everybody was served, and nothing but what is listed is remembered.
 */
#include "core/sched.h"
#include "node.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORLDS = 200, STEPS = 1500, NODES = 2, MODELS = 3, JOBS = 40, OWN_CONTEXT = 4096 };

static const char *const models[MODELS] = {"a", "b", "c"};
static const int32_t contexts[] = {0, 0, 1000, 3000, 5000, 6000, 20000, 40000};

/* What a node really holds. */
struct truth {
	struct backend *backend;
	int32_t held[MODELS]; /* the context of each model; 0: not loaded */
	bool ordered;
	struct order order;
	int64_t order_end_ms;
};

struct world {
	uint64_t seed;
	uint64_t random;
	int64_t now;
	bool by_orders; /* else nodes load what they are sent, and tell nothing */
	bool others;    /* load models too, behind the gateway's back */
	bool meddled;   /* they did */
	bool found;     /* something was loaded when the gateway came */
	bool tells;     /* what contexts are loaded, as newer servers do */
	int32_t most;
	struct sched *sched;
	struct truth nodes[NODES];
	struct job jobs[JOBS];
	int model[JOBS];
	int served;
};

static struct world w;

_Noreturn static void
fail(const char *what, int line)
{
	fprintf(stderr, "seed %" PRIu64 ", line %d, at %lld ms: not true: %s\n", w.seed, line,
	        (long long)w.now, what);
	exit(1);
}

#define CHECK(what) ((what) ? (void)0 : fail(#what, __LINE__))

static uint32_t
below(uint32_t bound)
{
	w.random = w.random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(w.random >> 33) % bound;
}

static int
model_of(const char *name)
{
	return name[0] - 'a';
}

static int32_t
context_in(const struct variant_options *v)
{
	return variant_options_has(v, OPTION_NUM_CTX) ? v->values[OPTION_NUM_CTX] : OWN_CONTEXT;
}

/* --- what must be true --- */

static void
check_node(const struct truth *n)
{
	int resident = 0;

	for (int m = 0; m < MODELS; m++) {
		struct variant *base = variant_find(n->backend->fleet, models[m]), *v;
		int of_model = base->places[n->backend->index].residency != ABSENT;

		LIST_FOR_EACH (v, &base->siblings, struct variant, sibling_link)
			of_model += v->places[n->backend->index].residency != ABSENT;
		CHECK(of_model <= 1);
		resident += of_model;
	}
	CHECK(resident == n->backend->resident);
}

/* What it asks for, as far as it may. */
static int32_t
clamp(const struct job *j)
{
	int32_t wanted = j->options.values[OPTION_NUM_CTX];

	return j->most_num_ctx > 0 && wanted > j->most_num_ctx ? j->most_num_ctx : wanted;
}

static void
check_job(const struct job *j)
{
	const struct variant_options *runs = sched_options(j);

	if (!j->unify) {
		CHECK(memcmp(runs, &j->options, sizeof(*runs)) == 0);
		return;
	}
	/* What others loaded may have been taken for the node's own. */
	CHECK(w.meddled || w.found || context_in(runs) >= clamp(j));
	CHECK(runs->values[OPTION_NUM_BATCH] == j->options.values[OPTION_NUM_BATCH]);
}

static void
check(void)
{
	for (int n = 0; n < NODES; n++)
		check_node(&w.nodes[n]);
	for (int i = 0; i < JOBS; i++)
		if (w.jobs[i].state == JOB_RUNNING || w.jobs[i].state == JOB_QUEUED)
			check_job(&w.jobs[i]);
}

/* --- what happens --- */

static struct truth *
truth_of(const struct backend *b)
{
	return &w.nodes[b->index];
}

static void
take_order(const struct order *o)
{
	struct truth *n = truth_of(o->backend);

	CHECK(!n->ordered);
	n->ordered = true;
	n->order = *o;
	n->order_end_ms = w.now + 1 + below(3000);
}

static void
end_order(struct truth *n)
{
	struct order o = n->order;
	int m = model_of(o.model);

	n->ordered = false;
	n->held[m] = o.kind == ORDER_LOAD ? context_in(&o.options) : 0;
	sched_saw_order(w.sched, &o, ORDER_DONE, w.now);
}

/* What Ollama does when it is sent what it does not hold: only without orders. */
static void
start(const struct job *j)
{
	struct truth *n = truth_of(j->backend);
	int m = w.model[j - w.jobs];
	int32_t named = sched_context(w.sched, j), context = named > 0 ? named : OWN_CONTEXT;

	CHECK(!w.by_orders || w.meddled || w.found || n->held[m] == context);
	CHECK(!j->unify || w.meddled || context >= clamp(j));
	/* The node would wait with the reload for what runs. */
	for (int i = 0; i < JOBS; i++)
		CHECK(w.jobs[i].state != JOB_RUNNING || w.jobs[i].backend != j->backend ||
		      w.model[i] != m || w.jobs[i].variant == j->variant);
	n->held[m] = context;
}

static void
pump(void)
{
	struct order o;
	bool was_loaded, again = true;

	while (sched_take_expired(w.sched, w.now) != NULL)
		continue;
	while (again) {
		struct job *j;

		again = w.by_orders && sched_take_order(w.sched, w.now, &o);
		if (again)
			take_order(&o);
		j = sched_pick(w.sched, w.now, &was_loaded);
		if (j != NULL)
			start(j);
		again = again || j != NULL;
	}
}

static void
submit(void)
{
	int i = (int)below(JOBS);
	struct job *j = &w.jobs[i];
	int32_t context = contexts[below(sizeof(contexts) / sizeof(contexts[0]))];

	if (j->state != JOB_ENDED)
		return;
	job_init(j, (enum job_class)below(CLASSES));
	w.model[i] = (int)below(MODELS);
	/* Who cannot name a context shows whether what was found is the node's own: too late for those
	 * that run. */
	j->unify = w.found || below(4) > 0;
	j->most_num_ctx = j->unify ? w.most : 0;
	if (context > 0)
		variant_options_set(&j->options, OPTION_NUM_CTX, context);
	if (below(8) == 0)
		variant_options_set(&j->options, OPTION_NUM_BATCH, 256);
	if (sched_submit(w.sched, j, models[w.model[i]], w.now) != SCHED_QUEUED)
		job_finish(j, JOB_REFUSED);
}

static void
end_some(void)
{
	struct job *j = &w.jobs[below(JOBS)];

	if (j->state == JOB_QUEUED && below(4) == 0) {
		sched_end(w.sched, j, JOB_CLIENT_GONE, w.now);
	} else if (j->state == JOB_RUNNING && (below(8) > 0 || !sched_retry(w.sched, j, w.now))) {
		w.served++;
		sched_saw_tokens(w.sched, j, 10, 10);
		sched_end(w.sched, j, JOB_DONE, w.now);
	}
}

static void
probe(struct truth *n)
{
	const char *names[MODELS];
	size_t count = 0;

	for (int m = 0; m < MODELS; m++)
		if (n->held[m] > 0)
			names[count++] = models[m];
	backend_saw_probe(n->backend, true, w.now);
	backend_set_loaded(n->backend, names, count);
	for (int m = 0; m < MODELS && w.tells; m++)
		if (n->held[m] > 0)
			backend_saw_context(n->backend, models[m], n->held[m]);
}

static bool
is_used(const struct truth *n, int m)
{
	for (int i = 0; i < JOBS; i++)
		if (w.jobs[i].state == JOB_RUNNING && w.jobs[i].backend == n->backend && w.model[i] == m)
			return true;
	return n->ordered && model_of(n->order.model) == m;
}

/* Somebody else loads an idle model with another context, or has it unloaded. */
static void
meddle(struct truth *n)
{
	int m = (int)below(MODELS);

	w.meddled = true;
	if (!is_used(n, m))
		n->held[m] = n->held[m] > 0 && below(2) == 0 ? 0 : contexts[2 + below(6)];
}

static void
step(void)
{
	w.now += below(400);
	for (int n = 0; n < NODES; n++)
		if (w.nodes[n].ordered && w.now >= w.nodes[n].order_end_ms)
			end_order(&w.nodes[n]);
	switch (below(8)) {
	case 0:
	case 1:
	case 2: submit(); break;
	case 3:
		if (w.by_orders)
			probe(&w.nodes[below(NODES)]);
		break;
	case 4:
		if (w.others)
			meddle(&w.nodes[below(NODES)]);
		break;
	default: end_some(); break;
	}
	pump();
	check();
}

/* --- a world --- */

static bool
is_over(void)
{
	for (int i = 0; i < JOBS; i++)
		if (w.jobs[i].state != JOB_ENDED)
			return false;
	for (int n = 0; n < NODES; n++)
		if (w.nodes[n].ordered)
			return false;
	return true;
}

static void
open_world(uint64_t seed)
{
	struct sched_conf conf = {.queue_size = 30,
	                          .aging_ms = 30000,
	                          .retry_attempts = 3,
	                          .retry_budget_percent = 50,
	                          .health = {.down_after = 3,
	                                     .up_after = 1,
	                                     .breaker_failures = 5,
	                                     .breaker_window_ms = 30000,
	                                     .breaker_open_ms = 1000,
	                                     .breaker_max_open_ms = 1000}};

	w = (struct world){.seed = seed, .random = seed * 2 + 1, .now = 1000};
	w.by_orders = below(4) > 0;
	w.others = w.by_orders && below(3) == 0;
	w.found = w.by_orders && below(2) == 0;
	w.tells = below(3) > 0;
	w.most = below(2) == 0 ? 0 : 10000;
	conf.loads_by_orders = w.by_orders;
	w.sched = sched_create(&conf);
	for (int n = 0; n < NODES; n++) {
		struct backend_conf backend = {.name = n == 0 ? "n1" : "n2", .weight = 1, .parallel = 2};

		backend.max_loaded = 1 + (int)below(2);
		backend.slots = 2 * backend.max_loaded;
		w.nodes[n].backend = sched_add_backend(w.sched, &backend);
		backend_saw_probe(w.nodes[n].backend, true, w.now);
		backend_set_models(w.nodes[n].backend, models, MODELS);
		w.nodes[n].held[below(MODELS)] = w.found ? contexts[2 + below(6)] : 0;
		if (w.by_orders)
			probe(&w.nodes[n]);
	}
	for (int i = 0; i < JOBS; i++) {
		job_init(&w.jobs[i], CLASS_NORMAL);
		job_finish(&w.jobs[i], JOB_DONE);
	}
}

static size_t
count_variants(void)
{
	return map_count(&w.nodes[0].backend->fleet->variants);
}

/* No more come: those that are there are all served. */
static void
drain(void)
{
	w.others = false;
	for (long i = 0; !is_over(); i++) {
		CHECK(i < 200000);
		w.now += 100;
		for (int n = 0; n < NODES; n++)
			if (w.nodes[n].ordered && w.now >= w.nodes[n].order_end_ms)
				end_order(&w.nodes[n]);
		end_some();
		if (w.by_orders && i % 50 == 0)
			probe(&w.nodes[below(NODES)]);
		pump();
		check();
	}
	for (int n = 0; n < NODES; n++) {
		backend_set_loaded(w.nodes[n].backend, NULL, 0);
		backend_set_loaded(w.nodes[n].backend, NULL, 0);
	}
	CHECK(count_variants() == MODELS);
	sched_destroy(&w.sched);
}

int
main(int argc, char **argv)
{
	long worlds = argc > 1 ? strtol(argv[1], NULL, 10) : WORLDS;
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	long served = 0;

	for (long i = 0; i < worlds; i++) {
		open_world(first + (uint64_t)i);
		for (int k = 0; k < STEPS; k++)
			step();
		drain();
		served += w.served;
	}
	printf("%ld worlds from seed %" PRIu64 ": %ld jobs served\n", worlds, first, served);
	return served > 0 ? 0 : 1;
}
