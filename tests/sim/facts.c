/* The facts of a world, counted again. */
#include "facts.h"

#include "node.h"
#include "oracle.h"

int
node_of(const struct world *w, const struct backend *b)
{
	for (int n = 0; n < w->node_count; n++)
		if (w->nodes[n].backend == b)
			return n;
	return -1;
}

static int
retired_of(const struct world *w, const struct backend *b)
{
	for (int n = 0; n < w->retired_count; n++)
		if (w->retired[n] == b)
			return n;
	sim_fail(w, "a job runs on a node that is none", __FILE__, __LINE__);
}

static void
count_running(const struct world *w, const struct sim_job *j, struct count *c)
{
	int n = node_of(w, j->job.backend);

	c->running++;
	if (n < 0) {
		c->retired[retired_of(w, j->job.backend)]++;
		return;
	}
	if (j->job.slotless) {
		c->remote[n]++;
		return;
	}
	c->busy[n]++;
	if (c->on[n][j->model]++ == 0)
		c->models[n]++;
}

struct count
count_again(const struct world *w)
{
	struct count c = {0};

	for (int i = 0; i < MOST_JOBS; i++) {
		const struct sim_job *j = &w->jobs[i];

		if (!j->alive)
			continue;
		if (j->job.state == JOB_RUNNING)
			count_running(w, j, &c);
		if (j->job.state == JOB_QUEUED) {
			c.waiting++;
			c.waiting_in[j->job.class]++;
		}
	}
	return c;
}

bool
serves(const struct world *w, int n, const struct sim_job *j)
{
	const struct sim_node *node = &w->nodes[n];

	if (j->job.only != NULL && j->job.only != node->backend)
		return false;
	return j->job.slotless ? node->allowed[j->model] : node->lists[j->model];
}

/* By orders: it failed to load there, and may not be tried. */
static bool
cannot_load(const struct world *w, int n, const struct sim_job *j)
{
	const struct backend *b = w->nodes[n].backend;
	const struct variant *v = variant_find(b->fleet, world_model(j->model));
	const struct place *p = v == NULL ? NULL : &v->places[b->index];

	return p != NULL && !j->job.slotless && p->residency != LOADED && p->residency != LOADING &&
	       w->now < p->quarantine_end_ms;
}

static bool
is_given_up(const struct world *w, const struct backend *b)
{
	return backend_state(b) == BACKEND_DOWN &&
	       (!b->was_up || w->conf.health.grace_ms == 0 || b->given_up);
}

enum sched_answer
oracle_outlook(const struct world *w, const struct sim_job *j)
{
	bool down = j->job.only != NULL && node_of(w, j->job.only) < 0, failed = false;

	for (int n = 0; n < w->node_count; n++) {
		const struct sim_node *node = &w->nodes[n];
		bool may = serves(w, n, j) || (!node->has_listed && node->allowed[j->model] &&
		                               (j->job.only == NULL || j->job.only == node->backend));

		if (may && !is_given_up(w, node->backend)) {
			if (!cannot_load(w, n, j))
				return SCHED_QUEUED;
			failed = true;
		}
		down |= may;
	}
	if (failed)
		return SCHED_LOAD_FAILED;
	return down ? SCHED_NO_BACKEND : SCHED_UNKNOWN_MODEL;
}

/* --- who could start where, by the state in `c` --- */

/* By orders jobs go where their model is loaded, and to a node that drains only who fits. */
bool
is_loaded(const struct world *w, int n, int model, bool draining_too)
{
	const struct backend *b = w->nodes[n].backend;
	const struct variant *v = variant_find(b->fleet, world_model(model));

	return v->places[b->index].residency == LOADED && !backend_holds_breath(b) &&
	       (b->swap.out != v || (draining_too && b->swap.step == SWAP_DRAINING));
}

static bool
is_avoided(const struct world *w, int n, const struct sim_job *j, const bool *usable)
{
	if (j->job.avoid != w->nodes[n].backend)
		return false;
	for (int other = 0; other < w->node_count; other++)
		if (other != n && usable[other] && serves(w, other, j) &&
		    (!w->conf.loads_by_orders ||
		     backend_holds_model(w->nodes[other].backend, world_model(j->model))))
			return true;
	return false;
}

static bool
may_run(const struct world *w, int n, const struct sim_job *j, const bool *usable)
{
	return usable[n] && serves(w, n, j) && !is_avoided(w, n, j, usable);
}

static bool
has_slot(const struct world *w, int n, int model, const struct count *c)
{
	const struct backend_conf *conf = &w->nodes[n].conf;

	if (w->conf.loads_by_orders)
		return c->busy[n] < conf->slots && c->on[n][model] < conf->parallel &&
		       is_loaded(w, n, model, false);
	return c->busy[n] < conf->slots && c->on[n][model] < conf->parallel &&
	       (c->on[n][model] > 0 || c->models[n] < conf->max_loaded);
}

bool
can_start(const struct world *w, int n, const struct sim_job *j, const struct count *c,
          const bool *usable)
{
	return may_run(w, n, j, usable) && (j->job.slotless || has_slot(w, n, j->model, c));
}

bool
is_aged(const struct world *w, const struct sim_job *j)
{
	return w->conf.aging_ms > 0 && w->now - j->job.queued_at_ms >= w->conf.aging_ms;
}

bool
is_starving(const struct world *w, const struct sim_job *j)
{
	return w->conf.aging_ms > 0 && w->now - j->job.queued_at_ms >= 4 * w->conf.aging_ms;
}

/* Whether a node may be kept for a waiting job: it is past the aging bound, and there are none
 * but other models in flight wherever it may run. */
static bool
needs_a_dry_node(const struct world *w, const struct sim_job *k, const struct count *c,
                 const bool *usable)
{
	if (w->conf.loads_by_orders || !is_aged(w, k) || k->job.slotless)
		return false;
	for (int n = 0; n < w->node_count; n++)
		if (may_run(w, n, k, usable) &&
		    (c->on[n][k->model] > 0 || c->models[n] < w->nodes[n].conf.max_loaded))
			return false;
	return true;
}

static bool
same_lane(const struct sim_job *a, const struct sim_job *b)
{
	return a->model == b->model && a->job.only == b->job.only && a->job.avoid == b->job.avoid &&
	       a->job.slotless == b->job.slotless;
}

/* Since when its like wait, by number of arrival. */
static uint64_t
oldest_of_lane(const struct world *w, const struct sim_job *j)
{
	uint64_t oldest = j->job.sequence;

	for (int i = 0; i < MOST_JOBS; i++) {
		const struct sim_job *k = &w->jobs[i];

		if (k->alive && k->job.state == JOB_QUEUED && same_lane(k, j) && k->job.sequence < oldest)
			oldest = k->job.sequence;
	}
	return oldest;
}

/* Whether a lane that is older may have the node kept from it. */
bool
is_excused(const struct world *w, int n, const struct sim_job *j, const struct count *c,
           const bool *usable)
{
	uint64_t since = oldest_of_lane(w, j);

	for (int i = 0; i < MOST_JOBS; i++) {
		const struct sim_job *k = &w->jobs[i];

		if (!k->alive || k->job.state != JOB_QUEUED)
			continue;
		if (k->model != j->model && k->job.sequence < since && may_run(w, n, k, usable) &&
		    needs_a_dry_node(w, k, c, usable))
			return true;
	}
	return false;
}

void
see_usable(const struct world *w, bool *usable)
{
	for (int n = 0; n < w->node_count; n++)
		usable[n] = backend_is_usable(w->nodes[n].backend, w->now);
}
