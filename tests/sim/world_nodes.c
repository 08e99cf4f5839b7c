/* What happens to nodes: probes, listings, orders that end, operators. */
#include "world_nodes.h"

#include "core/reshape.h"
#include "node.h"

#include <string.h>

bool
world_chance(struct world *w, uint32_t percent)
{
	return world_below(w, 100) < percent;
}

struct sim_node *
world_any_node(struct world *w)
{
	return &w->nodes[world_below(w, (uint32_t)w->node_count)];
}

void
world_carry_out(struct world *w, struct sim_node *node)
{
	if (!node->ordered)
		return;
	node->ordered = false;
	sched_saw_order(
	    w->sched, &node->order,
	    (enum order_end)(w->calm || world_chance(w, 80) ? ORDER_DONE : 2 * world_below(w, 2)),
	    w->now);
}

void
world_set_models(struct world *w, struct sim_node *node, uint32_t percent)
{
	const char *names[MODELS];
	size_t count = 0;

	for (int m = 0; m < MODELS; m++) {
		bool listed = world_chance(w, percent);

		node->listing[m] = listed;
		node->lists[m] = listed && node->allowed[m];
		if (listed)
			names[count++] = world_model(m);
	}
	node->has_listed = true;
	backend_set_models(node->backend, names, count);
}

void
world_set_loaded(struct world *w, struct sim_node *node)
{
	const char *names[MODELS];
	size_t count = 0;

	for (int m = 0; m < MODELS; m++)
		if (world_chance(w, 30))
			names[count++] = world_model(m);
	backend_set_loaded(node->backend, names, count);
}

void
world_node_event(struct world *w)
{
	struct sim_node *node = world_any_node(w);
	uint32_t kind = world_below(w, 10);

	world_note(w, kind);
	if (world_chance(w, 50))
		world_carry_out(w, world_any_node(w));
	if (kind < 4)
		backend_saw_probe(node->backend, world_chance(w, 80), w->now);
	else if (kind < 6)
		world_set_models(w, node, 70);
	else if (kind < 9)
		world_set_loaded(w, node);
	else if (world_chance(w, 70))
		backend_set_draining(node->backend, world_chance(w, 30));
	else if (world_chance(w, 50))
		backend_saw_unload(node->backend, world_model((int)world_below(w, MODELS)));
	else
		backend_saw_change(node->backend, world_model((int)world_below(w, MODELS)));
}

/* --- reloads --- */

static void
take_out(struct world *w, int n)
{
	struct sim_node *node = &w->nodes[n];
	size_t behind = (size_t)(w->node_count - n - 1);

	if (node->ordered)
		sched_saw_order(w->sched, &node->order, ORDER_LOST, w->now);
	sched_retire_backend(w->sched, node->backend);
	w->retired[w->retired_count++] = node->backend;
	memmove(node, node + 1, behind * sizeof(*node));
	w->node_count--;
}

/* What runs there at the next check may be more than it has slots now. */
static void
forget_seen(struct sim_node *node)
{
	node->busy_seen = node->models_seen = MOST_JOBS;
	for (int m = 0; m < MODELS; m++)
		node->on_seen[m] = MOST_JOBS;
}

/* It has its former place among the others. */
static void
bring_back(struct world *w)
{
	int which = (int)world_below(w, (uint32_t)w->retired_count), n = 0;
	struct backend *b = w->retired[which];
	struct sim_node node = {.backend = b};
	const char *globs[MODELS];

	if (sched_find_backend(w->sched, backend_name(b)) != NULL)
		return;
	memcpy(node.name, backend_name(b), 2);
	sched_restore_backend(w->sched, b);
	w->retired[which] = w->retired[--w->retired_count];
	while (n < w->node_count && w->nodes[n].backend->index < b->index)
		n++;
	memmove(&w->nodes[n + 1], &w->nodes[n], (size_t)(w->node_count - n) * sizeof(node));
	w->node_count++;
	world_configure(w, &node, globs);
	forget_seen(&node);
	w->nodes[n] = node;
	w->nodes[n].conf.name = w->nodes[n].name;
	sched_reshape_backend(w->sched, b, &w->nodes[n].conf);
}

static void
reshape(struct world *w)
{
	struct sim_node *node = world_any_node(w);
	const char *globs[MODELS];

	world_configure(w, node, globs);
	forget_seen(node);
	sched_reshape_backend(w->sched, node->backend, &node->conf);
}

static void
reconfigure(struct world *w)
{
	bool by_orders = w->conf.loads_by_orders;

	w->conf = world_random_conf(w);
	w->conf.loads_by_orders = by_orders;
	if (w->conf.retry_attempts > w->most_attempts)
		w->most_attempts = w->conf.retry_attempts;
	if (w->conf.retry_budget_percent > w->most_budget_percent)
		w->most_budget_percent = w->conf.retry_budget_percent;
	sched_reconfigure(w->sched, &w->conf);
}

void
world_reload(struct world *w)
{
	bool may_go =
	    w->node_count > 1 && w->retired_count < MOST_RETIRED && w->husk_count < MOST_HUSKS;
	uint32_t kind = world_below(w, 10);

	world_note(w, kind);
	w->reloads++;
	if (kind < 3 && may_go)
		take_out(w, (int)world_below(w, (uint32_t)w->node_count));
	else if (kind < 5 && w->node_count < MOST_NODES)
		world_add_node(w);
	else if (kind < 7 && w->retired_count > 0 && w->node_count < MOST_NODES)
		bring_back(w);
	else if (kind < 9)
		reshape(w);
	else
		reconfigure(w);
}

static bool
is_named(const struct world *w, const struct backend *b)
{
	for (int i = 0; i < MOST_JOBS; i++)
		if (w->jobs[i].alive && (w->jobs[i].job.only == b || w->jobs[i].job.avoid == b))
			return true;
	return false;
}

static void
take_husk(struct world *w, struct backend *b)
{
	int n = 0;

	while (n < w->retired_count && w->retired[n] != b)
		n++;
	SIM_CHECK(w, n < w->retired_count);
	w->retired[n] = w->retired[--w->retired_count];
	w->husks[w->husk_count++] = b;
	for (int t = 0; t < TALKS; t++)
		if (w->talked[t] == b)
			w->talked[t] = NULL;
}

void
world_bury(struct world *w)
{
	struct backend *b;

	while ((b = sched_take_retired(w->sched)) != NULL)
		take_husk(w, b);
	for (int n = w->husk_count; n-- > 0;) {
		if (is_named(w, w->husks[n]))
			continue;
		backend_free(&w->husks[n]);
		w->husks[n] = w->husks[--w->husk_count];
	}
}
