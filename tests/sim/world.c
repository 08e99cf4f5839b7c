/* The random world: its events, and the pump that follows each. */
#include "world.h"

#include "core/warm.h"
#include "core/watchdog.h"
#include "node.h"
#include "oracle.h"
#include "sched_impl.h"
#include "world_nodes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const model_names[MODELS] = {"m0", "m1", "m2", "m3", "m4", "ghost"};

static const char *const key_names[KEYS] = {NULL, "k1", "k2", "k3"};
static const int key_weights[KEYS] = {0, 1, 3, 11};

const char *
world_model(int model)
{
	return model_names[model];
}

void
sim_fail(const struct world *w, const char *what, const char *file, int line)
{
	fprintf(stderr, "seed %" PRIu64 ", event %ld, at %" PRId64 " ms: not true: %s (%s:%d)\n",
	        w->seed, w->events, w->now, what, file, line);
	exit(1);
}

static uint32_t
script_next(struct world *w)
{
	if (w->script_left == 0)
		return 0;
	w->script_left--;
	return *w->script++;
}

/* splitmix64 */
static uint32_t
random_next(struct world *w)
{
	uint64_t z = w->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (uint32_t)(z >> 33);
}

uint32_t
world_below(struct world *w, uint32_t bound)
{
	uint32_t n;

	if (w->script_left == 0)
		return random_next(w) % bound;
	n = script_next(w);
	return (bound > 256 ? n << 8 | script_next(w) : n) % bound;
}

void
world_note(struct world *w, uint64_t what)
{
	w->trace = (w->trace ^ what) * 0x100000001b3;
}

/* --- choosing --- */

/* A job in that state, or NULL. */
static struct sim_job *
any_job(struct world *w, enum job_state state)
{
	uint32_t first = world_below(w, MOST_JOBS);

	for (uint32_t i = 0; i < MOST_JOBS; i++) {
		struct sim_job *j = &w->jobs[(first + i) % MOST_JOBS];

		if (j->alive && j->job.state == state)
			return j;
	}
	return NULL;
}

static struct sim_job *
free_job(struct world *w)
{
	for (int i = 0; i < MOST_JOBS; i++)
		if (!w->jobs[i].alive)
			return &w->jobs[i];
	return NULL;
}

/* --- the life of a job --- */

static struct sim_job *
sim_job_of(struct job *j)
{
	return LIST_ENTRY(j, struct sim_job, job);
}

static void
buried(struct world *w, struct sim_job *j)
{
	SIM_CHECK(w, j->alive && j->job.state == JOB_ENDED);
	SIM_CHECK(w, j->job.backend == NULL && j->job.variant == NULL && j->job.lane == NULL);
	j->alive = false;
	ledger_leaves(w, j);
	w->ended[j->job.end]++;
	world_note(w, j->job.sequence << 8 | j->job.end);
}

static void
end(struct world *w, struct sim_job *j, enum job_end why)
{
	bool waited = j->job.state == JOB_QUEUED;

	sched_end(w->sched, &j->job, why, w->now);
	SIM_CHECK(w, j->job.end == why);
	if (waited)
		ledger_gives_up(w, j);
	buried(w, j);
}

static void
started(struct world *w, struct sim_job *j)
{
	ledger_starts(w, j);
	w->talked[j->job.conversation] = j->job.backend;
}

/* A newcomer at the bound lets the others go first: those that it made start, in that order, are
 * not the next pick's decision. */
static void
mark_settled(struct world *w)
{
	struct job *job;

	LIST_FOR_EACH (job, &w->sched->started, struct job, queue_link) {
		struct sim_job *j = sim_job_of(job);

		/* The newcomer itself is not counted yet. */
		if (!j->alive || j->settled)
			continue;
		j->settled = true;
		started(w, j);
	}
}

static void
take_displaced(struct world *w, const struct sim_job *newcomer)
{
	struct job *displaced = sched_take_displaced(w->sched);
	struct sim_job *j;

	if (displaced == NULL)
		return;
	j = sim_job_of(displaced);
	SIM_CHECK(w, displaced->end == JOB_REFUSED && sched_take_displaced(w->sched) == NULL);
	oracle_check_displaced(w, newcomer, j);
	ledger_gives_up(w, j);
	buried(w, j);
	w->displaced++;
}

static void
ask_for_context(struct world *w, struct job *j)
{
	if (!w->mixed || world_chance(w, 50))
		return;
	j->unify = world_chance(w, 60);
	variant_options_set(&j->options, OPTION_NUM_CTX, 2048 << world_below(w, 4));
}

static bool
is_outlook(const struct world *w, const struct sim_job *j, enum sched_answer answer)
{
	return w->mixed || oracle_outlook(w, j) == answer;
}

static void
submit(struct world *w)
{
	struct sim_job *j = free_job(w);
	int waiting = sched_waiting(w->sched);
	enum sched_answer answer;

	if (j == NULL)
		return;
	*j = (struct sim_job){.model = (int)world_below(w, MODELS)};
	job_init(&j->job, (enum job_class)world_below(w, CLASSES));
	j->key = (int)world_below(w, KEYS);
	j->job.key = key_names[j->key];
	j->job.weight = key_weights[j->key];
	j->job.conversation = world_below(w, TALKS);
	j->job.prompt_tokens = (int)world_below(w, 1000);
	j->job.most_output_tokens = world_chance(w, 30) ? 1 + (int)world_below(w, 500) : 0;
	j->job.slotless = world_chance(w, 5);
	j->job.unloads = world_chance(w, 3);
	if (world_chance(w, 10))
		j->job.deadline_ms = w->now + 1 + world_below(w, 20000);
	if (world_chance(w, 10))
		j->job.only = world_any_node(w)->backend;
	ask_for_context(w, &j->job);
	if (is_outlook(w, j, SCHED_QUEUED))
		ledger_arrives(w, j);
	answer = sched_submit(w->sched, &j->job, model_names[j->model], w->now);
	world_note(w, answer);
	mark_settled(w);
	take_displaced(w, j);
	if (answer == SCHED_FULL || answer == SCHED_TOO_LATE) {
		SIM_CHECK(w, is_outlook(w, j, SCHED_QUEUED));
		oracle_check_refused(w, j, answer);
		ledger_leaves(w, j);
	} else {
		SIM_CHECK(w, is_outlook(w, j, answer));
	}
	if (answer != SCHED_QUEUED) {
		SIM_CHECK(w, j->job.state == JOB_NEW && j->job.variant == NULL);
		w->refused++;
		return;
	}
	SIM_CHECK(w, sched_waiting(w->sched) <=
	                 (waiting > w->conf.queue_size ? waiting : w->conf.queue_size));
	j->alive = true;
	ledger_waits(w, j);
	mark_settled(w);
	w->submitted++;
}

static void
pick_one(struct world *w, struct job *picked, bool was_loaded)
{
	struct sim_job *j = sim_job_of(picked);

	if (!j->settled) {
		oracle_check_pick(w, j, was_loaded);
		started(w, j);
	}
	j->settled = false;
	j->done_at_ms = w->now + 1 + world_below(w, SERVICE_MS - 1000);
	w->started++;
	world_note(w, picked->sequence);
	world_note(w, (uint64_t)backend_name(picked->backend)[1]);
}

static struct sim_node *
sim_node_of(struct world *w, const struct backend *b)
{
	for (int n = 0; n < w->node_count; n++)
		if (w->nodes[n].backend == b)
			return &w->nodes[n];
	sim_fail(w, "an order for a node that is none", __FILE__, __LINE__);
}

static void
take_orders(struct world *w)
{
	struct order o;

	while (w->conf.loads_by_orders && sched_take_order(w->sched, w->now, &o)) {
		struct sim_node *node = sim_node_of(w, o.backend);

		oracle_check_order(w, &o);
		node->ordered = true;
		node->order = o;
		node->order_end_ms = w->now + 1 + world_below(w, ORDER_MS - 1000);
		w->orders++;
		world_note(w, o.kind);
	}
}

/* What a node takes while it drains is no promise: as jobs age another one is asked whether it
 * fits. */
static bool
is_backfill(const struct job *j)
{
	return !j->slotless && j->backend->swap.out == j->variant;
}

static int
pick_all(struct world *w)
{
	int picked = 0;
	struct job *j;
	bool was_loaded;

	oracle_before_pick(w);
	while ((j = sched_pick(w->sched, w->now, &was_loaded)) != NULL) {
		w->backfilled += is_backfill(j);
		picked++;
		pick_one(w, j, was_loaded);
		oracle_before_pick(w);
	}
	return picked;
}

/* How many jobs it moved, backfill aside. */
static int
pump(struct world *w)
{
	int moved = 0, picked;
	long backfilled = w->backfilled;
	struct job *j;

	for (; (j = sched_take_expired(w->sched, w->now)) != NULL; moved++) {
		SIM_CHECK(w, w->now - j->queued_at_ms >= w->conf.max_wait_ms ||
		                 (j->deadline_ms > 0 && w->now >= j->deadline_ms));
		SIM_CHECK(w, j->end == JOB_DEADLINE);
		ledger_gives_up(w, sim_job_of(j));
		buried(w, sim_job_of(j));
	}
	for (; (j = sched_take_hopeless(w->sched, w->now)) != NULL; moved++) {
		SIM_CHECK(w, w->mixed || oracle_outlook(w, sim_job_of(j)) != SCHED_QUEUED);
		SIM_CHECK(w, j->end == JOB_REFUSED);
		ledger_gives_up(w, sim_job_of(j));
		buried(w, sim_job_of(j));
	}
	do {
		take_orders(w);
		picked = pick_all(w);
		moved += picked;
	} while (picked > 0);
	return moved - (int)(w->backfilled - backfilled);
}

/* --- events --- */

static void
finish_job(struct world *w, struct sim_job *j)
{
	backend_saw_answer(j->job.backend, w->now);
	if (!j->job.slotless && world_chance(w, 70)) {
		int output = (int)world_below(w, 1000);

		sched_saw_tokens(w->sched, &j->job, j->job.prompt_tokens, output);
		SIM_CHECK(w, j->job.charged == j->job.prompt_tokens + 4L * output);
		ledger_corrected(w, j);
	}
	end(w, j, JOB_DONE);
}

static void
fault(struct world *w)
{
	struct sim_job *j = any_job(w, JOB_RUNNING);
	struct backend *b;
	enum backend_fault what = (enum backend_fault)world_below(w, FAULT_HANG + 1);

	if (j == NULL)
		return;
	b = j->job.backend;
	world_note(w, what);
	if (watchdog_is_stuck(&j->job, w->now))
		watchdog_saw_stuck(&j->job, w->now);
	backend_saw_fault(b, what, w->now);
	SIM_CHECK(w, what != FAULT_CONNECT || backend_state(b) == BACKEND_DOWN);
	SIM_CHECK(w, what != FAULT_HANG || !backend_is_usable(b, w->now));
	SIM_CHECK(w, what != FAULT_BUSY || !backend_is_usable(b, w->now));
	if (world_chance(w, 70) && sched_retry(w->sched, &j->job, w->now)) {
		SIM_CHECK(w, j->job.state == JOB_QUEUED && j->job.attempts < w->conf.retry_attempts);
		SIM_CHECK(w, j->job.avoid == b && is_outlook(w, j, SCHED_QUEUED));
		j->done_at_ms = 0;
		ledger_waits(w, j);
		w->retried++;
		return;
	}
	SIM_CHECK(w, j->job.state == JOB_RUNNING);
	end(w, j, JOB_BACKEND_ERROR);
}

/* Time goes on, in the steps that the scheduler asks for. Shortly before each of them
 * nothing may be due yet, and after it there must be a later one. */
static void
advance(struct world *w, int64_t ms)
{
	int64_t until = w->now + ms;

	for (;;) {
		int64_t next = sched_next_ms(w->sched, w->now);

		SIM_CHECK(w, next > w->now);
		if (next > until)
			break;
		w->now = next - 1;
		SIM_CHECK(w, pump(w) == 0);
		w->now = next;
		pump(w);
	}
	w->now = until;
	SIM_CHECK(w, pump(w) == 0);
}

static void
end_due(struct world *w)
{
	for (int i = 0; i < MOST_JOBS; i++) {
		struct sim_job *j = &w->jobs[i];

		if (j->alive && j->job.state == JOB_RUNNING && j->done_at_ms <= w->now)
			finish_job(w, j);
	}
	for (int n = 0; n < w->node_count; n++)
		if (w->nodes[n].order_end_ms <= w->now)
			world_carry_out(w, &w->nodes[n]);
}

/* What was under way through a long rest says nothing of how long such things take. */
static void
end_overslept(struct world *w)
{
	for (int i = 0; i < MOST_JOBS; i++)
		if (w->jobs[i].alive && w->jobs[i].job.state == JOB_RUNNING)
			end(w, &w->jobs[i], JOB_CLIENT_GONE);
	for (int n = 0; n < w->node_count; n++) {
		struct sim_node *node = &w->nodes[n];

		if (node->ordered)
			sched_saw_order(w->sched, &node->order, ORDER_LOST, w->now);
		node->ordered = false;
	}
}

/* Now and then after so long a rest that what is loaded may be replaced. */
static void
warm(struct world *w)
{
	struct warm_wish wish = {.model = model_names[world_below(w, MODELS)]};
	bool rests = world_chance(w, 25);
	struct backend *where;
	enum warm_answer answer;

	if (world_chance(w, 50))
		wish.only = world_any_node(w)->backend;
	if (rests)
		advance(w, 400000);
	answer = sched_warm(w->sched, &wish, w->now, &where);
	oracle_check_warm(w, &wish, answer, where);
	world_note(w, answer);
	if (rests)
		end_overslept(w);
}

static void
client_leaves(struct world *w, enum job_state state)
{
	struct sim_job *j = any_job(w, state);

	if (j != NULL)
		end(w, j, JOB_CLIENT_GONE);
}

static void
wild_event(struct world *w)
{
	uint32_t kind = world_below(w, 100);
	struct sim_job *j;

	world_note(w, kind);
	if (kind < 34) {
		for (uint32_t n = 1 + world_below(w, 3); n > 0; n--)
			submit(w);
	} else if (kind < 62) {
		j = any_job(w, JOB_RUNNING);
		if (j != NULL)
			finish_job(w, j);
	} else if (kind < 66) {
		client_leaves(w, JOB_QUEUED);
	} else if (kind < 69) {
		client_leaves(w, JOB_RUNNING);
	} else if (kind < 82) {
		advance(w, 1 + world_below(w, world_chance(w, 10) ? 20000 : 500));
	} else if (kind < 88) {
		fault(w);
	} else if (kind < 90 && w->conf.loads_by_orders) {
		warm(w);
	} else {
		world_node_event(w);
	}
	if (world_chance(w, 2))
		world_reload(w);
}

static bool
all_is_well(const struct world *w)
{
	for (int n = 0; n < w->node_count; n++)
		if (!backend_is_usable(w->nodes[n].backend, w->now) ||
		    backend_breaker(w->nodes[n].backend) != BREAKER_CLOSED)
			return false;
	return true;
}

static void
calm_event(struct world *w, bool arrivals)
{
	w->quiet = all_is_well(w);
	for (uint32_t n = world_below(w, 3); arrivals && n > 0; n--)
		submit(w);
	/* By orders nothing but what they say changes what is held. */
	if (world_chance(w, 5) && !w->conf.loads_by_orders)
		world_set_loaded(w, world_any_node(w));
	pump(w);
	advance(w, 1 + world_below(w, 500));
	end_due(w);
}

static void
after_event(struct world *w)
{
	pump(w);
	world_bury(w);
	oracle_check(w);
	w->events++;
}

void
world_step(struct world *w)
{
	wild_event(w);
	after_event(w);
}

void
world_heal(struct world *w, long steps)
{
	w->calm = true;
	if (w->conf.loads_by_orders)
		steps *= 10; /* loads take their time */
	for (int n = 0; n < w->node_count; n++) {
		backend_set_draining(w->nodes[n].backend, false);
		for (int i = 0; i < w->conf.health.up_after; i++)
			backend_saw_probe(w->nodes[n].backend, true, w->now);
		world_set_models(w, &w->nodes[n], 100);
	}
	for (int i = 0; i < MOST_JOBS; i++)
		if (w->jobs[i].job.state == JOB_RUNNING)
			w->jobs[i].done_at_ms = w->now + 1 + world_below(w, SERVICE_MS - 1000);
	for (long i = 0; i < steps; i++) {
		calm_event(w, true);
		after_event(w);
	}
}

void
world_drain(struct world *w)
{
	long most = 40L * MOST_JOBS * SERVICE_MS / 250;

	while (sched_waiting(w->sched) > 0 || sched_running(w->sched) > 0) {
		SIM_CHECK(w, most-- > 0);
		calm_event(w, false);
		after_event(w);
	}
}

void
world_close(struct world *w)
{
	const struct fleet *fleet = w->nodes[0].backend->fleet;
	long ended = 0;

	for (int i = 0; i < MOST_JOBS; i++)
		SIM_CHECK(w, !w->jobs[i].alive);
	/* With nobody waiting no order follows another. */
	for (int n = 0; n < w->node_count; n++)
		for (int i = 0; i < 2; i++) {
			world_carry_out(w, &w->nodes[n]);
			take_orders(w);
		}
	for (int e = JOB_OPEN + 1; e <= JOB_DEADLINE; e++)
		ended += w->ended[e];
	SIM_CHECK(w, ended == w->submitted);
	/* The floor of ten, one a second, and the share of what was dispatched. */
	SIM_CHECK(w, 100 * w->retried <= 1000 + w->now / 10 + w->most_budget_percent * w->started);
	for (int n = 0; n < w->node_count; n++) {
		backend_set_models(w->nodes[n].backend, NULL, 0);
		/* The first snapshot may be older than what was done here; the second is not. */
		backend_set_loaded(w->nodes[n].backend, NULL, 0);
		backend_set_loaded(w->nodes[n].backend, NULL, 0);
	}
	SIM_CHECK(w, map_count(&fleet->variants) == 0);
	SIM_CHECK(w, w->retired_count == 0 && w->husk_count == 0);
	sched_destroy(&w->sched);
}
