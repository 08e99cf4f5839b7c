/*
 * Nodes come, go and change, and bounds change, while jobs wait and run (sched.h). Nothing in
 * flight is lost: a node that goes takes no new job, those that wait find another one or no
 * hope, and those that run on it end as they would.
 */
#ifndef CORE_RESHAPE_H
#define CORE_RESHAPE_H

#include "core/sched.h"

/* Other bounds from now on, but loads_by_orders. Who waits already stays in a queue that is
 * shorter now. */
void sched_reconfigure(struct sched *s, const struct sched_conf *conf);
/* The same node with another share, other slots or other models; its name stays. What is in flight
 * beyond its slots ends there, and is not replaced. */
void sched_reshape_backend(struct sched *s, struct backend *b, const struct backend_conf *conf);

/* It goes: what it lists and holds counts no more. It has no order under way (report it before),
 * and nothing is reported of it any more but of the jobs that run there. */
void sched_retire_backend(struct sched *s, struct backend *b);
/* One that was retired and is not taken yet is back, with what runs there. What it lists is not
 * known. */
void sched_restore_backend(struct sched *s, struct backend *b);
/* A retired backend on which nothing runs any more; NULL: none. It is the caller's now, who frees
 * it once no job names it: it knows its name and nothing else. */
struct backend *sched_take_retired(struct sched *s);
void backend_free(struct backend **b);

#endif
