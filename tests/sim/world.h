/*
 * A random world around the scheduler: nodes with faults, clients that come and go, a clock
 * that jumps. Everything follows from the seed. What the world knows of nodes and jobs it
 * keeps for itself, naively, so that the oracle can count again what the scheduler says.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "core/sched.h"
#include "ledger.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MOST_NODES = 5,
	MODELS = 6,         /* the last is listed by no node at first */
	TALKS = 12,         /* conversations; 0 is none */
	MOST_JOBS = 160,    /* alive at once */
	MOST_RETIRED = 8,   /* nodes that were taken out, */
	MOST_HUSKS = 64,    /* and of those on which nothing runs, while a job may name them */
	SERVICE_MS = 20000, /* in quiet times every job is done after so long at most, */
	ORDER_MS = 5000,    /* and every order carried out */
};

struct sim_job {
	struct job job;
	int model;
	int key;
	int64_t charged_before;
	bool alive;   /* submitted and not ended */
	bool settled; /* started by a later submit, before the pump */
	int64_t done_at_ms;
};

struct sim_node {
	struct backend *backend;
	struct backend_conf conf; /* but its globs */
	char name[4];
	bool allowed[MODELS];
	bool listing[MODELS]; /* its last one */
	bool lists[MODELS];   /* and allowed */
	int busy_seen;       /* when it was checked last: more than it may have now, where it shrank, */
	int models_seen;     /* with slots in use, */
	int on_seen[MODELS]; /* and of each */
	bool has_listed;
	bool ordered; /* an order is being carried out: */
	struct order order;
	int64_t order_end_ms;
	const struct sim_job *trial; /* what went last while its breaker was not closed */
	uint64_t trial_sequence;
};

struct world {
	uint64_t seed;
	uint64_t random;
	const uint8_t *script; /* a fuzzer's bytes, which come before random numbers; not owned */
	size_t script_left;
	uint64_t trace; /* hash of everything that happened */
	long events;
	int64_t now;
	struct sched_conf conf;
	struct sched *sched;
	int node_count;
	struct sim_node nodes[MOST_NODES]; /* in the order of the fleet */
	bool tiny;                         /* their limits are all at one */
	int retired_count;
	struct backend *retired[MOST_RETIRED];
	int husk_count;
	struct backend *husks[MOST_HUSKS];
	int most_attempts; /* retry_attempts and retry_budget_percent at their highest */
	int most_budget_percent;
	struct sim_job jobs[MOST_JOBS];
	struct ledger ledger;
	const struct backend *talked[TALKS]; /* where each conversation was served last */
	/* Jobs ask for contexts of their own, so that a model has several variants: the oracle counts,
	 * and waits for everybody's turn, but does not decide again who goes where. */
	bool mixed;
	bool calm;  /* healed: orders are carried out */
	bool quiet; /* all is well, and jobs end in time */

	/* Kept by the oracle: */
	const struct sim_job *oldest; /* in quiet times: the longest waiting, */
	int64_t oldest_since_ms;      /* and since when it is that and starves */
	long submitted;
	long refused;
	long ended[JOB_DEADLINE + 1];
	long started;
	long retried;
	long displaced;
	long orders;
	long backfilled;
	long reloads;
};

/* Prints seed and event, and ends the program. */
#define SIM_CHECK(w, what) ((what) ? (void)0 : sim_fail((w), #what, __FILE__, __LINE__))
_Noreturn void sim_fail(const struct world *w, const char *what, const char *file, int line);

void world_open(struct world *w, uint64_t seed);
/* As the bytes say; what comes after their end follows from seed 0. */
void world_open_script(struct world *w, const uint8_t *script, size_t size);
/* One event, and the pump after it. */
void world_step(struct world *w);
/* Nodes recover, traffic goes on; then it stops, and everything must come to its end. */
void world_heal(struct world *w, long steps);
void world_drain(struct world *w);
void world_close(struct world *w);

/* Makes a node, as random as the first ones. */
void world_add_node(struct world *w);
/* What is configured of it, anew; its name stays. `globs` has room for all models. */
void world_configure(struct world *w, struct sim_node *node, const char **globs);
struct sched_conf world_random_conf(struct world *w);
const char *world_model(int model);
uint32_t world_below(struct world *w, uint32_t bound);
void world_note(struct world *w, uint64_t what);

#endif
