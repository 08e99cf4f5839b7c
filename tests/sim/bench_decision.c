/*
 * What a decision costs: 16 nodes, 64 models, about 512 jobs waiting, all nodes busy.
 * Processor time, the best of several rounds: other programs may run beside it.
 */
#include "core/sched.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { NODES = 16, MODELS = 64, WAITING = 512, JOBS = 2048, ROUNDS = 10, EVENTS = 20000 };

static struct job jobs[JOBS];
static struct job *running[JOBS];
static int running_count;
static char names[MODELS][16];

static int64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return INT64_C(1000000000) * t.tv_sec + t.tv_nsec;
}

static struct sched *
open_house(void)
{
	const struct sched_conf conf = {
	    .queue_size = JOBS,
	    .aging_ms = 300000,
	    .health = {.down_after = 1, .up_after = 1, .breaker_failures = 1},
	    .retry_attempts = 1,
	};
	struct sched *s = sched_create(&conf);
	const char *listed[MODELS];

	for (int m = 0; m < MODELS; m++) {
		snprintf(names[m], sizeof(names[m]), "model%d:latest", m);
		listed[m] = names[m];
	}
	for (int n = 0; n < NODES; n++) {
		struct backend *b = sched_add_backend(
		    s,
		    &(struct backend_conf){
		        .name = "node", .weight = 1 + n % 3, .parallel = 4, .max_loaded = 3, .slots = 12});

		backend_saw_probe(b, true, 0);
		backend_set_models(b, listed, MODELS);
	}
	return s;
}

static int
pump(struct sched *s, int64_t now_ms)
{
	bool was_loaded;
	struct job *j;
	int calls = 1;

	for (; (j = sched_pick(s, now_ms, &was_loaded)) != NULL; calls++)
		running[running_count++] = j;
	return calls;
}

static void
submit(struct sched *s, struct job *j, unsigned n, int64_t now_ms)
{
	job_init(j, (enum job_class)(n % CLASSES));
	if (sched_submit(s, j, names[n * 7 % MODELS], now_ms) != SCHED_QUEUED)
		abort();
}

/* A job ends, what can start starts, another one comes, what can start starts. Returns the
 * time of one decision. */
static int64_t
round_of(struct sched *s, int64_t now_ms)
{
	int64_t began = cpu_ns();
	int decisions = 0;

	for (unsigned n = 0; n < EVENTS; n++) {
		int k = (int)(n * 2654435761u % (unsigned)running_count);
		struct job *j = running[k];

		running[k] = running[--running_count];
		sched_end(s, j, JOB_DONE, now_ms);
		decisions += pump(s, now_ms);
		submit(s, j, n, now_ms);
		decisions += pump(s, now_ms);
	}
	return (cpu_ns() - began) / decisions;
}

static int64_t
best_round(struct sched *s, int64_t now_ms)
{
	int64_t best = INT64_MAX;

	for (int i = 0; i < ROUNDS; i++) {
		int64_t ns = round_of(s, now_ms);

		best = ns < best ? ns : best;
	}
	return best;
}

int
main(void)
{
	struct sched *s = open_house();
	int used = 0;

	while (sched_waiting(s) < WAITING) {
		submit(s, &jobs[used], (unsigned)used, 0);
		used++;
		pump(s, 0);
	}
	printf("%d nodes, %d models, %d waiting, %d running\n", NODES, MODELS, sched_waiting(s),
	       sched_running(s));
	printf("a decision: %lld ns\n", (long long)best_round(s, 0));
	printf("a decision when many wait past the aging bound: %lld ns\n",
	       (long long)best_round(s, 300000));
	for (int i = 0; i < used; i++)
		sched_end(s, &jobs[i], JOB_DONE, 300000);
	sched_destroy(&s);
	return 0;
}
