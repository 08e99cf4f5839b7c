/*
 * The inside of the scheduler, for the files that make it up.
 */
#ifndef CORE_SCHED_PRIVATE_H
#define CORE_SCHED_PRIVATE_H

#include "affinity.h"
#include "budget.h"
#include "core/sched.h"
#include "fleet.h"
#include "pace.h"
#include "place.h"
#include "queue.h"

struct sched {
	struct sched_conf conf;
	struct fleet fleet;
	struct queue queue;
	struct list started;   /* of struct job, by queue_link: JOB_RUNNING, not picked yet */
	struct list displaced; /* of struct job, by queue_link: out of the queue, not taken yet */
	struct survey survey;  /* scratch of a decision */
	struct budget budget;  /* of retries */
	struct pace pace;
	struct affinity affinity;
	int running;
	uint64_t next_sequence;
	uint64_t changes_weighed; /* fleet.changes when no waiting job was hopeless */
	int64_t now_ms;           /* the latest that was told */
};

#endif
