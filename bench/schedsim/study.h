/*
 * Runs of a workload by those who compete, over several seeds: all meet the same requests.
 */
#ifndef SCHEDSIM_STUDY_H
#define SCHEDSIM_STUDY_H

#include "metrics.h"
#include "workload.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOST_SEEDS = 32, MOST_RESULTS = 1024 };

enum contender_id {
	WRR,
	LEASTCONN,
	LEASTCONN_CACHED,
	FIFO,
	HAPROXY,
	PINNED, /* the best of all pinnings, by the mean */
	BOUND,
	DROVER,
	CONTENDERS,
};

struct contender {
	const char *name;
	const char *about;
	const struct policy *policy;
	bool all_resident;
	bool cached;
	bool searched; /* over pinnings */
};

struct seeds {
	uint64_t of[MOST_SEEDS];
	size_t count;
};

struct result {
	const struct workload *workload;
	double rate;
	enum contender_id who;
	struct metrics mean; /* over the seeds */
};

struct study {
	struct seeds seeds;
	bool checked;
	struct result results[MOST_RESULTS];
	size_t count;
	double capacity[CONTENDERS]; /* of the workload that has a bound; NAN: not looked for */
};

const struct contender *contender_of(enum contender_id id);
/* CONTENDERS when there is none of that name. */
enum contender_id contender_find(const char *name);
/* Whether it differs from the others on this workload at all. */
bool contender_applies(enum contender_id id, const struct workload *w);

/* False when the requests cannot be made. */
bool study_run(const struct study *s, const struct workload *w, double rate, enum contender_id who,
               struct metrics *out);
/* Runs it and keeps the result. */
bool study_add(struct study *s, const struct workload *w, double rate, enum contender_id who);
/* NULL: it was not run. */
const struct metrics *study_find(const struct study *s, const char *workload, double rate,
                                 enum contender_id who);
/* The highest rate at which 95 of 100 requests of class high are answered within the bound that
 * the workload names, to a hundredth of it; 0 when none is, or the requests cannot be made. */
double study_capacity(const struct study *s, const struct workload *w, enum contender_id who);

#endif
