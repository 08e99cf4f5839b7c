/*
 * The scheduler in many random worlds: each is run wild, healed, and drained to nothing.
 *
 *   test_sched_sim [WORLDS [FIRST_SEED]]
 *
 * World k has seed FIRST_SEED + k; a failure prints its seed, and `test_sched_sim 1 SEED`
 * runs that world alone. A million events and more, if nothing else is said.
 */
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WORLDS = 320, WILD_STEPS = 2000, CALM_STEPS = 300 };

static uint64_t
run_world(uint64_t seed, struct world *w)
{
	world_open(w, seed);
	for (int i = 0; i < WILD_STEPS; i++)
		world_step(w);
	world_heal(w, CALM_STEPS);
	world_drain(w);
	world_close(w);
	return w->trace;
}

static bool
check_same_seed_same_trace(uint64_t seed)
{
	static struct world w;
	uint64_t first = run_world(seed, &w);

	if (run_world(seed, &w) == first && run_world(seed + 1, &w) != first)
		return true;
	fprintf(stderr, "seed %" PRIu64 ": a second run differs\n", seed);
	return false;
}

int
main(int argc, char **argv)
{
	static struct world w;
	long worlds = argc > 1 ? strtol(argv[1], NULL, 10) : WORLDS;
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	long events = 0, submitted = 0, refused = 0, started = 0, retried = 0, reloads = 0,
	     ended[JOB_DEADLINE + 1] = {0};

	for (long i = 0; i < worlds; i++) {
		run_world(first + (uint64_t)i, &w);
		events += w.events;
		submitted += w.submitted;
		refused += w.refused;
		started += w.started;
		retried += w.retried;
		reloads += w.reloads;
		for (int e = 0; e <= JOB_DEADLINE; e++)
			ended[e] += w.ended[e];
	}
	printf("seeds %" PRIu64 " to %" PRIu64 ": %ld events, %ld accepted, %ld refused, %ld started, "
	       "%ld tried again, %ld reloads\n",
	       first, first + (uint64_t)worlds - 1, events, submitted, refused, started, retried,
	       reloads);
	/* Everything is counted again after each. */
	printf("  events a second: %.0f\n", (double)events * CLOCKS_PER_SEC / (double)clock());
	for (int e = JOB_DONE; e <= JOB_DEADLINE; e++)
		printf("  %s: %ld\n", job_end_name((enum job_end)e), ended[e]);
	return check_same_seed_same_trace(first) ? 0 : 1;
}
