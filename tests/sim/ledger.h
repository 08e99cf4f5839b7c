/*
 * Virtual time once more, naively: told what happened, in that order, it counts by itself who
 * is there and who waits, from the jobs' own word.
 */
#ifndef TESTS_SIM_LEDGER_H
#define TESTS_SIM_LEDGER_H

#include "core/job.h"

#include <stdbool.h>
#include <stdint.h>

enum { KEYS = 4 };

struct world;
struct sim_job;

struct ledger {
	int64_t key_time[KEYS];
	int64_t key_floor;
	int64_t class_time[CLASSES];
	int64_t class_floor;
};

/* It comes; it is not counted among the alive yet. */
void ledger_arrives(struct world *w, const struct sim_job *j);
/* It begins to wait, first or again. */
void ledger_waits(struct world *w, const struct sim_job *j);
/* It waits no longer, for it started, or for another reason. */
void ledger_starts(struct world *w, struct sim_job *j);
void ledger_gives_up(struct world *w, const struct sim_job *j);
/* What it is charged changed. */
void ledger_corrected(struct world *w, struct sim_job *j);
/* It is no longer counted among the alive. */
void ledger_leaves(struct world *w, const struct sim_job *j);
/* Whose turn is first by class, then key, then arrival; and without regard to class. */
bool ledger_goes_before(const struct world *w, const struct sim_job *a, const struct sim_job *b);
bool ledger_key_goes_before(const struct world *w, const struct sim_job *a,
                            const struct sim_job *b);
/* The class whose turn it is, of those that wait and of that job. */
enum job_class ledger_class_in_turn(const struct world *w, const struct sim_job *also);

#endif
