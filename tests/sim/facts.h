/*
 * The facts of a world, for the oracle: counted again from the jobs' own word, and who could start
 * where, the slow and obvious way.
 */
#ifndef TESTS_SIM_FACTS_H
#define TESTS_SIM_FACTS_H

#include "world.h"

/* Slots in use by the jobs' own word. */
struct count {
	int busy[MOST_NODES];
	int on[MOST_NODES][MODELS];
	int models[MOST_NODES]; /* with slots in use */
	int remote[MOST_NODES];
	int retired[MOST_RETIRED]; /* jobs on nodes that were taken out */
	int waiting;
	int waiting_in[CLASSES];
	int running;
};

/* -1: it was taken out. */
int node_of(const struct world *w, const struct backend *b);
struct count count_again(const struct world *w);
void see_usable(const struct world *w, bool *usable);
/* Whether the node may run it at all. */
bool serves(const struct world *w, int n, const struct sim_job *j);
/* By orders jobs go where their model is loaded, and to a node that drains only who fits. */
bool is_loaded(const struct world *w, int n, int model, bool draining_too);
/* Whether it could start there, by the state in `c`. */
bool can_start(const struct world *w, int n, const struct sim_job *j, const struct count *c,
               const bool *usable);
bool is_aged(const struct world *w, const struct sim_job *j);
bool is_starving(const struct world *w, const struct sim_job *j);
/* Whether a lane that is older may have the node kept from it. */
bool is_excused(const struct world *w, int n, const struct sim_job *j, const struct count *c,
                const bool *usable);

#endif
