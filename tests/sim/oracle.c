/* The oracle of the simulation: counts again, decides again, compares. */
#include "oracle.h"

#include "facts.h"
#include "node.h"

#include <string.h>

/* A swap under way, a quantum by the prior of loads that were never measured, its own swap. */
enum { BY_ORDERS_MS = 2 * (SERVICE_MS + 2 * ORDER_MS) + 4 * 60000 };

/* As it was before the pick. */
static struct count before;
static bool held_before[MOST_NODES][MODELS];
static bool usable_before[MOST_NODES];
static enum breaker_state breaker_before[MOST_NODES];

/* How many lanes of jobs past the aging bound there are at most. */
static int
count_aged(const struct world *w)
{
	int aged = 0;

	for (int i = 0; i < MOST_JOBS; i++)
		aged += w->jobs[i].alive && w->jobs[i].job.state == JOB_QUEUED && is_aged(w, &w->jobs[i]);
	return aged;
}

/* Promise 4. A node may be kept from a job, but no more nodes than there are aged jobs. */
static void
check_nobody_waits_for_nothing(const struct world *w, const struct count *c, const bool *usable)
{
	bool kept[MOST_NODES] = {false};
	int nodes_kept = 0;

	for (int i = 0; i < MOST_JOBS && !w->mixed; i++) {
		const struct sim_job *j = &w->jobs[i];

		if (!j->alive || j->job.state != JOB_QUEUED)
			continue;
		for (int n = 0; n < w->node_count; n++) {
			if (!can_start(w, n, j, c, usable))
				continue;
			SIM_CHECK(w, !j->job.slotless && is_excused(w, n, j, c, usable));
			nodes_kept += !kept[n];
			kept[n] = true;
		}
	}
	SIM_CHECK(w, nodes_kept == 0 || nodes_kept <= count_aged(w));
}

/* --- picks --- */

void
oracle_before_pick(const struct world *w)
{
	before = count_again(w);
	see_usable(w, usable_before);
	for (int n = 0; n < w->node_count; n++) {
		breaker_before[n] = backend_breaker(w->nodes[n].backend);
		for (int m = 0; m < MODELS; m++)
			held_before[n][m] = backend_holds_model(w->nodes[n].backend, world_model(m));
	}
}

/* Before the pick, when `picked` waited still. */
static bool
goes_before(const struct world *w, const struct sim_job *a, const struct sim_job *picked)
{
	enum job_class lead = ledger_class_in_turn(w, picked);
	bool lifted_a = is_aged(w, a) || a->job.class == lead;
	bool lifted_b = is_aged(w, picked) || picked->job.class == lead;

	if (is_starving(w, a) != is_starving(w, picked))
		return is_starving(w, a);
	if (is_starving(w, a))
		return a->job.sequence < picked->job.sequence;
	if (lifted_a != lifted_b)
		return lifted_a;
	return lifted_a ? ledger_key_goes_before(w, a, picked) : ledger_goes_before(w, a, picked);
}

static void
check_nobody_was_passed_over(const struct world *w, const struct sim_job *picked)
{
	for (int i = 0; i < MOST_JOBS; i++) {
		const struct sim_job *k = &w->jobs[i];

		if (!k->alive || k->job.state != JOB_QUEUED || !goes_before(w, k, picked))
			continue;
		for (int n = 0; n < w->node_count; n++)
			if (can_start(w, n, k, &before, usable_before))
				SIM_CHECK(w, is_excused(w, n, k, &before, usable_before));
	}
}

/* The node of the conversation, one that holds the model, one with a place left, any. */
static int
worth(const struct world *w, int n, const struct sim_job *j)
{
	int held = 0;

	if (j->job.slotless)
		return w->nodes[n].lists[j->model];
	for (int m = 0; m < MODELS; m++)
		held += held_before[n][m];
	if (!held_before[n][j->model])
		return held < w->nodes[n].conf.max_loaded;
	return j->job.conversation != 0 && w->talked[j->job.conversation] == w->nodes[n].backend ? 3
	                                                                                         : 2;
}

static bool
is_better_node(const struct world *w, int a, int b, const struct sim_job *j)
{
	int by_worth = worth(w, a, j) - worth(w, b, j);
	const int *load = j->job.slotless ? before.remote : before.busy;
	int by_load = (load[a] + 1) * w->nodes[b].conf.weight - (load[b] + 1) * w->nodes[a].conf.weight;

	if (by_worth != 0)
		return by_worth > 0;
	return by_load < 0 || (by_load == 0 && a < b);
}

static void
check_node(const struct world *w, const struct sim_job *picked, int chosen)
{
	SIM_CHECK(w, can_start(w, chosen, picked, &before, usable_before) ||
	                 (w->conf.loads_by_orders &&
	                  (picked->job.unloads || is_loaded(w, chosen, picked->model, true))));
	for (int n = 0; n < w->node_count; n++)
		if (n != chosen && can_start(w, n, picked, &before, usable_before) &&
		    is_better_node(w, n, chosen, picked))
			SIM_CHECK(w, is_excused(w, n, picked, &before, usable_before));
}

/* While the breaker is not closed, one at a time. */
static void
check_trial(struct world *w, const struct sim_job *picked, int n)
{
	struct sim_node *node = &w->nodes[n];

	if (breaker_before[n] == BREAKER_TRYING && node->trial != NULL && node->trial != picked)
		SIM_CHECK(w, node->trial->job.sequence != node->trial_sequence ||
		                 node->trial->job.backend != node->backend);
	node->trial = breaker_before[n] == BREAKER_CLOSED ? NULL : picked;
	node->trial_sequence = picked->job.sequence;
}

/* A model that the node did not hold takes the place of idle ones. */
static void
check_eviction(const struct world *w, const struct sim_job *picked, int n)
{
	int held = 0;

	for (int m = 0; m < MODELS; m++)
		held += backend_holds_model(w->nodes[n].backend, world_model(m));
	if (!picked->job.slotless && !held_before[n][picked->model])
		SIM_CHECK(w, held <= w->nodes[n].conf.max_loaded);
}

void
oracle_check_pick(struct world *w, const struct sim_job *picked, bool was_loaded)
{
	int n = node_of(w, picked->job.backend);

	SIM_CHECK(w, n >= 0);
	SIM_CHECK(w, picked->alive && picked->job.state == JOB_RUNNING);
	SIM_CHECK(w, picked->job.attempts <= w->most_attempts);
	SIM_CHECK(w, !was_loaded || picked->job.slotless || held_before[n][picked->model]);
	SIM_CHECK(w, picked->job.slotless ||
	                 backend_holds_model(w->nodes[n].backend, world_model(picked->model)));
	if (!w->mixed) {
		check_eviction(w, picked, n);
		check_nobody_was_passed_over(w, picked);
		check_node(w, picked, n);
	}
	check_trial(w, picked, n);
}

/* --- when the queue is full --- */

static int
held_by(const struct world *w, int key, const struct sim_job *also)
{
	int held = also != NULL && also->key == key;

	for (int i = 0; i < MOST_JOBS; i++)
		held += w->jobs[i].alive && w->jobs[i].job.state == JOB_QUEUED && w->jobs[i].key == key;
	return held;
}

static bool
has_its_share(const struct world *w, const struct sim_job *j, const struct count *c)
{
	return w->conf.per_key > 0 && 2 * c->waiting >= w->conf.queue_size &&
	       held_by(w, j->key, NULL) >= w->conf.per_key;
}

/* Whether a gives way rather than b: of a lower class, of a key that holds more, newer. */
static bool
gives_way_before(const struct world *w, const struct sim_job *a, const struct sim_job *b,
                 const struct sim_job *gone)
{
	int more = held_by(w, a->key, gone) - held_by(w, b->key, gone);

	if (a->job.class != b->job.class)
		return a->job.class > b->job.class;
	return more != 0 ? more > 0 : a->job.sequence > b->job.sequence;
}

/* Who had to give way to a newcomer, if `gone` waited still. NULL: nobody. */
static const struct sim_job *
find_displaced(const struct world *w, const struct sim_job *newcomer, const struct sim_job *gone)
{
	const struct sim_job *found = gone;

	for (int i = 0; i < MOST_JOBS; i++) {
		const struct sim_job *j = &w->jobs[i];

		if (j != newcomer && j->alive && j->job.state == JOB_QUEUED &&
		    (found == NULL || gives_way_before(w, j, found, gone)))
			found = j;
	}
	if (found == NULL || found->job.class < newcomer->job.class)
		return NULL;
	if (found->job.class > newcomer->job.class)
		return found;
	return held_by(w, found->key, gone) > held_by(w, newcomer->key, gone) + 1 ? found : NULL;
}

void
oracle_check_displaced(const struct world *w, const struct sim_job *newcomer,
                       const struct sim_job *gone)
{
	struct count c = count_again(w);

	c.waiting++;
	SIM_CHECK(w, c.waiting >= w->conf.queue_size);
	SIM_CHECK(w, !has_its_share(w, newcomer, &c));
	SIM_CHECK(w, find_displaced(w, newcomer, gone) == gone);
}

void
oracle_check_refused(const struct world *w, const struct sim_job *j, enum sched_answer why)
{
	struct count c = count_again(w);
	bool usable[MOST_NODES] = {false};

	see_usable(w, usable);
	SIM_CHECK(w, why == SCHED_FULL || j->job.deadline_ms > 0);
	if (why == SCHED_FULL && !has_its_share(w, j, &c))
		SIM_CHECK(w, c.waiting >= w->conf.queue_size && find_displaced(w, j, NULL) == NULL);
	check_nobody_waits_for_nothing(w, &c, usable);
	for (int n = 0; n < w->node_count && !w->mixed; n++)
		if (can_start(w, n, j, &c, usable))
			SIM_CHECK(w, is_excused(w, n, j, &c, usable));
}

/* Variants of the model that the node holds or loads. */
static int
count_variants(const struct backend *b, const char *model)
{
	int count = 0;

	for (int i = 0; i < b->resident; i++)
		count += strcmp(b->residents[i].variant->model, model) == 0;
	return count;
}

void
oracle_check_order(const struct world *w, const struct order *o)
{
	int n = node_of(w, o->backend);
	int held = 0;

	SIM_CHECK(w, n >= 0);
	SIM_CHECK(w, !w->nodes[n].ordered && (o->limit_ms > 0 || o->kind == ORDER_LOAD));
	for (int m = 0; m < MODELS; m++) {
		struct count c = count_again(w);

		held += backend_holds_model(o->backend, world_model(m));
		SIM_CHECK(w, c.on[n][m] == 0 || o->kind == ORDER_LOAD ||
		                 strcmp(world_model(m), o->model) != 0);
	}
	SIM_CHECK(w, o->kind == ORDER_UNLOAD || held <= w->nodes[n].conf.max_loaded);
	/* Snapshots that come between may say otherwise. */
	SIM_CHECK(w, !w->calm || o->kind == ORDER_UNLOAD || count_variants(o->backend, o->model) == 1);
}

/* Somebody runs it there, or waits for it. */
static bool
is_in_use(const struct world *w, const struct variant *v, const struct backend *b)
{
	for (int i = 0; i < MOST_JOBS; i++) {
		const struct job *j = &w->jobs[i].job;

		if (w->jobs[i].alive && !j->slotless && j->variant == v &&
		    (j->state == JOB_QUEUED || j->backend == b))
			return true;
	}
	return false;
}

void
oracle_check_warm(const struct world *w, const struct warm_wish *wish, enum warm_answer answer,
                  const struct backend *where)
{
	SIM_CHECK(w, wish->only == NULL || where == wish->only);
	SIM_CHECK(w, answer != WARM_LOADED || backend_holds_model(where, wish->model));
	if (answer == WARM_LOADING && where->swap.warm && where->swap.step == SWAP_DRAINING)
		SIM_CHECK(w, !is_in_use(w, where->swap.out, where));
}

/* --- after the pump --- */

/* Where a node shrank, what is beyond its bounds runs dry. */
static bool
is_within(int count, int most, int *seen)
{
	bool within = count <= most || count <= *seen;

	*seen = count;
	return within;
}

static void
check_slots(struct world *w, const struct count *c)
{
	for (int n = 0; n < w->node_count; n++) {
		struct sim_node *node = &w->nodes[n];

		SIM_CHECK(w, sched_find_backend(w->sched, node->name) == node->backend);
		SIM_CHECK(w, backend_busy(node->backend) == c->busy[n]);
		SIM_CHECK(w, is_within(c->busy[n], node->conf.slots, &node->busy_seen));
		SIM_CHECK(w, is_within(c->models[n], node->conf.max_loaded, &node->models_seen) ||
		                 w->conf.loads_by_orders);
		for (int m = 0; m < MODELS; m++) {
			SIM_CHECK(w, is_within(c->on[n][m], node->conf.parallel, &node->on_seen[m]));
			SIM_CHECK(w, backend_has_model(node->backend, world_model(m)) == node->lists[m]);
			SIM_CHECK(w, c->on[n][m] == 0 || backend_holds_model(node->backend, world_model(m)));
		}
	}
}

/* Slots in flight stay counted there too. */
static void
check_retired(const struct world *w, const struct count *c)
{
	for (int n = 0; n < w->retired_count; n++) {
		const struct backend *b = w->retired[n];

		SIM_CHECK(w, b->busy + b->remote == c->retired[n] && c->retired[n] > 0);
		SIM_CHECK(w, !backend_is_usable(b, w->now));
		for (int m = 0; m < MODELS; m++)
			SIM_CHECK(w, !backend_has_model(b, world_model(m)));
	}
}

static void
check_counts(const struct world *w, const struct count *c)
{
	long ended = 0;

	SIM_CHECK(w, sched_running(w->sched) == c->running);
	SIM_CHECK(w, sched_waiting(w->sched) == c->waiting);
	for (int class = 0; class < CLASSES; class ++)
		SIM_CHECK(w, sched_waiting_in(w->sched, (enum job_class) class) == c->waiting_in[class]);
	for (int end = JOB_OPEN + 1; end <= JOB_DEADLINE; end++)
		ended += w->ended[end];
	SIM_CHECK(w, w->submitted == ended + c->waiting + c->running);
	SIM_CHECK(w, w->ended[JOB_OPEN] == 0);
}

static bool
is_quarantined(const struct world *w, const struct sim_job *j)
{
	for (int n = 0; n < w->node_count; n++)
		if (j->job.variant->places[w->nodes[n].backend->index].quarantine_end_ms > w->now)
			return true;
	return false;
}

/* Promise 5: in quiet times the oldest job, once it starves, starts within one service; by orders
 * within what swaps take that are under way, a quantum, and its own swap. */
static void
check_oldest(struct world *w)
{
	const struct sim_job *oldest = NULL;
	int64_t bound;

	for (int i = 0; i < MOST_JOBS; i++)
		if (w->jobs[i].alive && w->jobs[i].job.state == JOB_QUEUED &&
		    (oldest == NULL || w->jobs[i].job.sequence < oldest->job.sequence))
			oldest = &w->jobs[i];
	if (oldest == NULL || !w->quiet || !is_starving(w, oldest) || is_quarantined(w, oldest)) {
		w->oldest = NULL;
		return;
	}
	if (oldest != w->oldest) {
		w->oldest = oldest;
		w->oldest_since_ms = w->now;
	}
	bound = w->conf.loads_by_orders ? BY_ORDERS_MS : SERVICE_MS;
	SIM_CHECK(w, w->now - w->oldest_since_ms <= bound);
}

static void
check_waiting(const struct world *w)
{
	for (int i = 0; i < MOST_JOBS; i++) {
		const struct sim_job *j = &w->jobs[i];

		if (!j->alive || j->job.state != JOB_QUEUED)
			continue;
		SIM_CHECK(w, w->mixed || oracle_outlook(w, j) == SCHED_QUEUED);
		SIM_CHECK(w, w->now - j->job.queued_at_ms < w->conf.max_wait_ms);
		SIM_CHECK(w, j->job.deadline_ms == 0 || w->now < j->job.deadline_ms);
	}
}

/* A breaker whose trial left without an outcome lets another job through. */
static void
check_breakers(const struct world *w, const struct count *c)
{
	for (int n = 0; n < w->node_count; n++) {
		const struct backend *b = w->nodes[n].backend;

		if (b->breaker.state == BREAKER_TRYING && c->busy[n] + c->remote[n] == 0)
			SIM_CHECK(w, breaker_admits(&b->breaker, w->now));
	}
}

void
oracle_check(struct world *w)
{
	struct count c = count_again(w);
	bool usable[MOST_NODES] = {false};

	see_usable(w, usable);
	check_slots(w, &c);
	check_retired(w, &c);
	check_counts(w, &c);
	check_breakers(w, &c);
	check_waiting(w);
	check_nobody_waits_for_nothing(w, &c, usable);
	check_oldest(w);
}
