/*
 * One run: a workload's requests, a gateway of some policy, nodes, and the clock. In front
 * of the policy there may be a cache of whole answers, which also joins equal requests.
 *
 * Invariant: every request ends exactly once, as done, refused or late.
 */
#ifndef SCHEDSIM_WORLD_H
#define SCHEDSIM_WORLD_H

#include "events.h"
#include "node.h"
#include "workload.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct policy;

struct world_conf {
	const struct workload *workload;
	const struct policy *policy;
	bool all_resident; /* no node ever loads */
	bool cached;
	unsigned pins[MOST_MODELS]; /* policy_pinned: bits of the nodes that serve the model */
};

struct cached {
	bool known;
	struct request *leader; /* under way */
};

struct world {
	struct world_conf conf;
	struct events events;
	struct requests *requests; /* not owned */
	struct node nodes[MOST_NODES];
	size_t node_count;
	void *policy;         /* state of conf.policy */
	struct cached *cache; /* owned; by content */
	size_t unsettled;     /* requests that have not ended */
	long cache_hits;
	bool checked; /* count everything again after every event */
};

void world_run(struct world *w, const struct world_conf *conf, struct requests *requests,
               bool checked);
void world_finish(struct world *w);
int64_t world_now_ms(const struct world *w);

/* How requests end; said by nodes and policies. */
void world_refuse(struct world *w, struct request *r);
void world_give_up(struct world *w, struct request *r);
void world_done(struct world *w, struct request *r);

#endif
