/*
 * What happens to nodes in the random world.
 */
#ifndef TESTS_SIM_WORLD_NODES_H
#define TESTS_SIM_WORLD_NODES_H

#include "world.h"

bool world_chance(struct world *w, uint32_t percent);
struct sim_node *world_any_node(struct world *w);
/* Its order, if it has one, comes to its end. */
void world_carry_out(struct world *w, struct sim_node *node);
/* It lists each model with that chance. */
void world_set_models(struct world *w, struct sim_node *node, uint32_t percent);
/* Its own word on what it holds, which may be old, or wrong, or of somebody else's doing. */
void world_set_loaded(struct world *w, struct sim_node *node);
void world_node_event(struct world *w);

/* Another configuration: nodes come, go, come back or change, or other bounds hold. */
void world_reload(struct world *w);
/* After each pump: nodes that were taken out, and on which nothing runs any more, are freed. */
void world_bury(struct world *w);

#endif
