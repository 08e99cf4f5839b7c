/* How a random world is made. */
#include "world.h"

static bool
chance(struct world *w, uint32_t percent)
{
	return world_below(w, 100) < percent;
}

struct sched_conf
world_random_conf(struct world *w)
{
	static const int sizes[] = {0, 1, 5, 20, 80};
	static const int64_t agings[] = {0, 1000, 5000, 30000};

	return (struct sched_conf){
	    .queue_size = sizes[world_below(w, 5)],
	    .per_key = (int)world_below(w, 20),
	    .loads_by_orders = chance(w, 40),
	    .load_ms = 3000,
	    .max_wait_ms = chance(w, 30) ? 5000 : 600000,
	    .aging_ms = agings[world_below(w, 4)],
	    .health =
	        {
	            .down_after = 1 + (int)world_below(w, 3),
	            .up_after = 1 + (int)world_below(w, 2),
	            .grace_ms = chance(w, 50) ? 0 : 5000,
	            .breaker_failures = 1 + (int)world_below(w, 5),
	            .breaker_window_ms = 30000,
	            .breaker_open_ms = 1000,
	            .breaker_max_open_ms = 8000,
	        },
	    .retry_attempts = 1 + (int)world_below(w, 4),
	    .retry_budget_percent = (int)world_below(w, 30),
	};
}

/* All limits at one in every other world: there the mistakes are. */
void
world_configure(struct world *w, struct sim_node *node, const char **globs)
{
	uint32_t most = w->tiny ? 1 : 4;

	node->conf = (struct backend_conf){
	    .name = node->name,
	    .weight = 1 + (int)world_below(w, most),
	    .parallel = 1 + (int)world_below(w, most),
	    .max_loaded = 1 + (int)world_below(w, w->tiny ? 1 : 3),
	    .slots = 1 + (int)world_below(w, w->tiny ? 1 : 8),
	    .models = globs,
	};
	for (int m = 0; m < MODELS; m++) {
		node->allowed[m] = chance(w, 75);
		if (node->allowed[m])
			globs[node->conf.model_count++] = world_model(m);
	}
	for (int m = 0; m < MODELS; m++) { /* no globs: everything */
		node->allowed[m] |= node->conf.model_count == 0;
		node->lists[m] = node->listing[m] && node->allowed[m];
	}
}

/* A name that no other has; one that was retired may have it. */
static void
name(struct world *w, struct sim_node *node)
{
	char number = '0';

	for (int n = 0; n < w->node_count; n++)
		if (w->nodes[n].name[1] == number) {
			number++;
			n = -1;
		}
	node->name[0] = 'n';
	node->name[1] = number;
}

void
world_add_node(struct world *w)
{
	struct sim_node *node = &w->nodes[w->node_count];
	const char *globs[MODELS];

	*node = (struct sim_node){0};
	name(w, node);
	w->node_count++;
	world_configure(w, node, globs);
	node->backend = sched_add_backend(w->sched, &node->conf);
}

static void
build(struct world *w)
{
	uint32_t nodes;

	w->now = 1000;
	w->conf = world_random_conf(w);
	w->most_attempts = w->conf.retry_attempts;
	w->most_budget_percent = w->conf.retry_budget_percent;
	w->sched = sched_create(&w->conf);
	nodes = 1 + world_below(w, MOST_NODES);
	w->tiny = chance(w, 50);
	for (uint32_t n = 0; n < nodes; n++)
		world_add_node(w);
	w->mixed = chance(w, 20);
}

void
world_open(struct world *w, uint64_t seed)
{
	*w = (struct world){.seed = seed, .random = seed};
	build(w);
}

void
world_open_script(struct world *w, const uint8_t *script, size_t size)
{
	*w = (struct world){.script = script, .script_left = size};
	build(w);
}
