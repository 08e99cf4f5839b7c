/*
 * A run over time, in at most 600 slots: when it gets longer than they hold, two
 * become one. And a fair sample of single requests, for the plots.
 */
#ifndef LOAD_SERIES_H
#define LOAD_SERIES_H

#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SERIES_SLOTS = 600, SERIES_SAMPLES = 3000 };

struct slot {
	int64_t started;
	int64_t whole;
	int64_t failed;
	int64_t tokens;
	int64_t most_running;
};

/* Times are since the start of the run. */
struct sample {
	int64_t at_us; /* its end */
	int64_t e2e_us;
	int64_t ttft_us; /* -1: none */
	bool whole;
};

struct series {
	int64_t slot_us;
	struct slot slots[SERIES_SLOTS];
	size_t slot_count; /* used so far */
	int64_t running;   /* now: what a slot in which none begins has nevertheless */
	struct sample samples[SERIES_SAMPLES];
	size_t sample_count;
	int64_t seen; /* of which the samples are a choice */
	struct rng rng;
};

void series_init(struct series *s);
/* The slot of a moment, which may shift all others. */
struct slot *series_at(struct series *s, int64_t at_us);
void series_sample(struct series *s, const struct sample *it);

#endif
