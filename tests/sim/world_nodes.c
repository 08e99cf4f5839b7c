/* What happens to nodes: probes, listings, orders that end, operators. */
#include "world_nodes.h"

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
