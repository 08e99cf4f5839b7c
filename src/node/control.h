/*
 * The routes under /sim/, which Ollama does not have: what a test controls and
 * watches. They are answered whatever the node's other rules say.
 *
 *   POST /sim/fault      {"kind": K, "count": 1, "route": GLOB, "after_tokens": N, ...}
 *   POST /sim/gate       {"name": G, "at": "before_first_token"}
 *   POST /sim/gate/open  {"name": G, "times": N}; without times for ever
 *   POST /sim/reset      opens all gates, forgets faults, the log and the counters
 *   GET  /sim/state      what is loaded, who waits, all counters
 *   GET  /sim/log        the requests so far; ?after=NUMBER the later ones
 *   GET  /sim/wait       ?event=COUNTER&count=N answers when the counter is at least N, or with
 *                        &most=N at most N; 408 after &timeout=30s
 */
#ifndef NODE_CONTROL_H
#define NODE_CONTROL_H

#include "base/buf.h"

#include <stdint.h>

struct node;
struct visit;
struct watch;

/* What /sim/state shows and /sim/wait waits for. The first group is of now, the rest ever since
 * the last reset. */
struct counts {
	int64_t open;    /* requests to routes that run a model, not ended */
	int64_t running; /* of them, those that have their slot */
	int64_t waiting; /* for a load or a slot */
	int64_t gated;   /* held at gates */
	int64_t loading; /* 1 while a model is being loaded */
	int64_t connections;
	int64_t requests; /* all that are not for /sim */
	int64_t started;  /* got their slot */
	int64_t finished; /* answered to the end, whatever the status */
	int64_t aborted;  /* whose client left */
	int64_t refused;  /* answered with an error */
	int64_t faulted;  /* hit by a fault */
	int64_t tokens;   /* pieces made */
	int64_t loads;
	int64_t failed_loads;
	int64_t unloads;
	int64_t most_open;
	int64_t most_running;
};

/* How many requests of one model are, and were at most, under way. */
struct flight {
	int64_t open;
	int64_t running;
	int64_t most_open;
	int64_t most_running;
};

/* A visit to /sim whose body is there. */
void control_handle(struct visit *v);
/* A count may have changed: answers the watches that have what they wait for. */
void control_look(struct node *n);
void watch_destroy(struct watch **w);
/* A request of the model enters or leaves; `slot`: a slot instead. */
void control_count(struct node *n, const char *model, bool slot, int change);
void control_finish(struct node *n);

#endif
