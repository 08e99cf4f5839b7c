/*
 * A node by the rules of Ollama's own scheduler:
 *
 * - A request for a loaded model goes straight to that model and waits there for a slot, in
 *   order of arrival, without bound.
 * - Any other waits in one bounded queue, whose head is handled alone: it waits while anything
 *   loads or unloads, and on a full node until a victim (an idle model first) has nothing
 *   left to do; new requests for the victim keep it alive.
 * - c answers at once on a node go 1/(1 + 0.25(c - 1)) as fast each.
 *
 * Invariant: inflight = requests submitted that neither ended nor were aborted.
 */
#ifndef SCHEDSIM_NODE_H
#define SCHEDSIM_NODE_H

#include "base/list.h"
#include "request.h"
#include "workload.h"

#include <stdbool.h>
#include <stdint.h>

struct world;

enum { ANY_MODEL = -1, NO_MODEL = -2 };

struct slot {
	bool busy;
	int session;
	int64_t used_us;
};

/* A loaded model. */
struct runner {
	int model; /* NO_MODEL: the entry is free; ANY_MODEL: everything is resident */
	bool loading;
	bool leaving; /* a victim: goes as soon as it has nothing to do */
	uint64_t order;
	int refs;            /* requests that wait for it or run on it */
	int running;         /* slots in use */
	struct list waiting; /* of struct request, by link */
	struct slot slots[MOST_SLOTS];
};

struct node {
	struct world *world;
	const struct node_spec *spec;
	int index;
	int parallel;
	int max_loaded;
	struct runner runners[MOST_MODELS];
	struct list pending; /* of struct request, by link: wait for a load */
	int pending_count;
	struct request *head; /* being handled; in no list */
	struct list active;   /* of struct request, by link: run */
	int running;
	int inflight;
	int unloading;
	double progress; /* seconds of work that each slot has done since the beginning */
	int64_t progress_us;
	uint64_t version; /* of the plan for the next end */
	uint64_t next_order;
	bool ordered; /* by a gateway: it is told when what goes on has ended */
	int loads;
};

void node_init(struct node *n, struct world *w, int index, bool all_resident);
/* Takes the request, or refuses it (world_refuse) when too many wait for a load. */
void node_submit(struct node *n, struct request *r);
/* Its client went away. */
void node_abort(struct node *n, struct request *r);
/* What a gateway does by an empty request and by one with keep_alive 0: loads a model on a node
 * that has room for it, unloads one that has nothing to do. One order at a time; its end is told
 * to the policy (ordered). */
void node_order_load(struct node *n, int model);
void node_order_unload(struct node *n, int model);
/* Loaded and ready, as /api/ps tells. */
bool node_holds(const struct node *n, int model);
/* Loaded, or being loaded. */
bool node_expects(const struct node *n, int model);
/* Aborts the program unless its figures agree with each other. */
void node_check(const struct node *n);

#endif
