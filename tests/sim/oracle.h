/*
 * What must be true, worked out the slow and obvious way from the world's own records.
 *
 * Promises of RELIABILITY: 1 (every job ends once), 2 (slots = jobs in flight), 4 (no
 * eligible job waits while an eligible slot is free), 5 (nobody starves).
 */
#ifndef TESTS_SIM_ORACLE_H
#define TESTS_SIM_ORACLE_H

#include "core/warm.h"
#include "world.h"

/* What the scheduler should answer, the bound of the queue aside. */
enum sched_answer oracle_outlook(const struct world *w, const struct sim_job *j);
/* Before a pick: what is about to be decided on. */
void oracle_before_pick(const struct world *w);
/* The pick was right: nobody who goes before could have started, no better node was free. */
void oracle_check_pick(struct world *w, const struct sim_job *picked, bool was_loaded);
/* That one had to give way to the newcomer. */
void oracle_check_displaced(const struct world *w, const struct sim_job *newcomer,
                            const struct sim_job *gone);
/* The newcomer was refused as the queue was full of jobs that cannot start, or since it had a
 * deadline; nor can it start. */
void oracle_check_refused(const struct world *w, const struct sim_job *j, enum sched_answer why);
/* The node had none, and is drained of what it shall unload. */
void oracle_check_order(const struct world *w, const struct order *o);
/* What nobody asked for puts out nothing that anybody uses or waits for. */
void oracle_check_warm(const struct world *w, const struct warm_wish *wish, enum warm_answer answer,
                       const struct backend *where);
/* After the pump. */
void oracle_check(struct world *w);

#endif
