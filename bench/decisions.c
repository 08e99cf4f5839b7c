/*
 * What a decision costs: 16 nodes that hold three models each, 64 models, about 512 jobs waiting,
 * all slots taken. Jobs end and come, 200 of each a second, and after each the scheduler is asked
 * as the program asks it: for orders, then for jobs that start.
 *
 *   bench-decisions [MOST_NS]
 *
 * Prints nanoseconds of one call: the mean, the 99th and the 99.9th percentile of the best round,
 * for other programs may run beside it; and the instructions, where the processor counts them. With
 * MOST_NS it fails if a mean is larger.
 *
 * Most calls of sched_take_order find nothing to weigh; the percentiles are of those that do.
 */
#include "core/sched.h"

#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	NODES = 16,
	MODELS = 64,
	WAITING = 512,
	JOBS = 2048,
	ROUNDS = 7,
	EVENTS = 4000, /* a round */
	STEP_MS = 5,   /* between an end and an arrival */
	LOAD_MS = 30000,
	UNLOAD_MS = 1000,
	MOST_CALLS = 32 * EVENTS,
};

enum call { TAKE_ORDER, PICK, CALLS };

static const char *const call_names[CALLS] = {"sched_take_order", "sched_pick"};

/* One kind of calls in one round. */
struct tally {
	int count;
	int64_t ns[MOST_CALLS];
};

struct house {
	struct sched *sched;
	bool by_orders;
	int64_t now_ms;
	struct job jobs[JOBS]; /* each asks for one model, again and again */
	struct job *running[JOBS];
	int running_count;
	unsigned asked; /* keys and classes take turns */
	struct order orders[NODES];
	int64_t order_ends_ms[NODES]; /* 0: it has none */
	bool counts;                  /* instructions, not time */
};

static struct tally tallies[CALLS];
static char names[MODELS][16];
static int counter = -1; /* of instructions; -1: the processor has none */

/* --- measuring --- */

static void
open_counter(void)
{
	struct perf_event_attr a = {
	    .type = PERF_TYPE_HARDWARE,
	    .size = sizeof(a),
	    .config = PERF_COUNT_HW_INSTRUCTIONS,
	    .disabled = 1,
	    .exclude_kernel = 1,
	    .exclude_hv = 1,
	};

	counter = (int)syscall(SYS_perf_event_open, &a, 0, -1, -1, 0);
}

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return INT64_C(1000000000) * t.tv_sec + t.tv_nsec;
}

/* Of looking at the clock. */
static int64_t
clock_ns(void)
{
	int64_t least = INT64_MAX;

	for (int i = 0; i < 1000; i++) {
		int64_t began = now_ns(), took = now_ns() - began;

		least = took < least ? took : least;
	}
	return least;
}

static int64_t
begin_call(const struct house *h)
{
	if (h->counts)
		ioctl(counter, PERF_EVENT_IOC_ENABLE, 0);
	return now_ns();
}

static void
end_call(const struct house *h, enum call call, int64_t began_ns)
{
	int64_t ended_ns = now_ns();
	struct tally *t = &tallies[call];

	if (h->counts)
		ioctl(counter, PERF_EVENT_IOC_DISABLE, 0);
	if (t->count < MOST_CALLS)
		t->ns[t->count++] = ended_ns - began_ns;
}

/* --- the house --- */

static void
open_nodes(struct sched *s)
{
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
}

static void
carry_out(struct house *h)
{
	for (int n = 0; n < NODES; n++) {
		if (h->order_ends_ms[n] == 0 || h->now_ms < h->order_ends_ms[n])
			continue;
		h->order_ends_ms[n] = 0;
		sched_saw_order(h->sched, &h->orders[n], ORDER_DONE, h->now_ms);
	}
}

static void
note_order(struct house *h, const struct order *o)
{
	int n = 0;

	while (sched_backend(h->sched, (size_t)n) != o->backend)
		n++;
	h->orders[n] = *o;
	h->order_ends_ms[n] = h->now_ms + (o->kind == ORDER_LOAD ? LOAD_MS : UNLOAD_MS);
}

static bool
order(struct house *h)
{
	struct order o;
	int64_t began;
	bool any;

	if (!h->by_orders)
		return false;
	began = begin_call(h);
	any = sched_take_order(h->sched, h->now_ms, &o);
	end_call(h, TAKE_ORDER, began);
	if (any)
		note_order(h, &o);
	return any;
}

static bool
pick(struct house *h)
{
	bool was_loaded;
	int64_t began = begin_call(h);
	struct job *j = sched_pick(h->sched, h->now_ms, &was_loaded);

	end_call(h, PICK, began);
	if (j == NULL)
		return false;
	h->running[h->running_count++] = j;
	return true;
}

static void
pump(struct house *h)
{
	carry_out(h);
	while (order(h) || pick(h))
		;
}

static void
submit(struct house *h, struct job *j)
{
	static const char *const keys[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
	unsigned n = h->asked++;

	job_init(j, (enum job_class)(n % CLASSES));
	j->key = keys[n / 3 % 8];
	if (sched_submit(h->sched, j, names[(j - h->jobs) * 7 % MODELS], h->now_ms) != SCHED_QUEUED)
		abort();
}

/* A job ends, another one comes. */
static void
event(struct house *h, unsigned n)
{
	int k = (int)(n * 2654435761u % (unsigned)h->running_count);
	struct job *j = h->running[k];

	h->running[k] = h->running[--h->running_count];
	sched_end(h->sched, j, JOB_DONE, h->now_ms);
	pump(h);
	submit(h, j);
	pump(h);
	h->now_ms += STEP_MS;
}

static void
open_house(struct house *h, bool by_orders)
{
	const struct sched_conf conf = {
	    .queue_size = JOBS,
	    .aging_ms = 300000,
	    .loads_by_orders = by_orders,
	    .health = {.down_after = 1, .up_after = 1, .breaker_failures = 1},
	    .retry_attempts = 1,
	};
	int used = 0;

	*h = (struct house){.sched = sched_create(&conf), .by_orders = by_orders};
	open_nodes(h->sched);
	while (sched_waiting(h->sched) < WAITING || h->running_count < NODES * 12) {
		if (sched_waiting(h->sched) < WAITING)
			submit(h, &h->jobs[used++]);
		pump(h);
		h->now_ms += LOAD_MS / 100;
	}
}

static void
close_house(struct house *h)
{
	for (int i = 0; i < JOBS; i++)
		if (h->jobs[i].state == JOB_QUEUED || h->jobs[i].state == JOB_RUNNING)
			sched_end(h->sched, &h->jobs[i], JOB_CLIENT_GONE, h->now_ms);
	sched_destroy(&h->sched);
}

/* --- figures --- */

struct figures {
	int64_t mean_ns;
	int64_t p99_ns;
	int64_t most_ns;
};

static int
compare_ns(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static struct figures
figures_of(struct tally *t, int64_t clock)
{
	struct figures f = {0};
	int64_t sum = 0;
	int kept; /* the longest thousandth is the system's, which interrupts */

	if (t->count == 0)
		return f;
	qsort(t->ns, (size_t)t->count, sizeof(*t->ns), compare_ns);
	kept = t->count - t->count / 1000;
	for (int i = 0; i < kept; i++)
		sum += t->ns[i] - clock;
	f.mean_ns = sum / kept;
	f.p99_ns = t->ns[t->count * 99 / 100] - clock;
	f.most_ns = t->ns[kept - 1] - clock;
	return f;
}

static void
round_of(struct house *h)
{
	for (int c = 0; c < CALLS; c++)
		tallies[c].count = 0;
	for (unsigned n = 0; n < EVENTS; n++)
		event(h, n);
}

/* Of both kinds of calls together: the counter is one. */
static int64_t
count_instructions(struct house *h)
{
	int64_t counted = 0;

	if (counter < 0)
		return 0;
	h->counts = true;
	ioctl(counter, PERF_EVENT_IOC_RESET, 0);
	round_of(h);
	h->counts = false;
	if (read(counter, &counted, sizeof(counted)) != (ssize_t)sizeof(counted))
		return 0;
	return counted / (tallies[TAKE_ORDER].count + tallies[PICK].count);
}

/* Returns the largest mean. */
static int64_t
measure(const char *what, bool by_orders, int64_t later_ms)
{
	static struct house house;
	struct figures best[CALLS] = {0};
	int64_t clock = clock_ns(), instructions, most = 0;

	open_house(&house, by_orders);
	house.now_ms += later_ms;
	for (int i = 0; i < ROUNDS; i++) {
		round_of(&house);
		for (int c = 0; c < CALLS; c++) {
			struct figures f = figures_of(&tallies[c], clock);

			if (i == 0 || f.mean_ns < best[c].mean_ns)
				best[c] = f;
		}
	}
	instructions = count_instructions(&house);
	for (int c = by_orders ? 0 : PICK; c < CALLS; c++) {
		printf("%-28s %-18s %8" PRId64 " %8" PRId64 " %8" PRId64 "\n", what, call_names[c],
		       best[c].mean_ns, best[c].p99_ns, best[c].most_ns);
		most = best[c].mean_ns > most ? best[c].mean_ns : most;
	}
	if (instructions > 0)
		printf("%-28s instructions a call %8" PRId64 "\n", what, instructions);
	close_house(&house);
	return most;
}

int
main(int argc, char **argv)
{
	int64_t bound = argc > 1 ? strtoll(argv[1], NULL, 10) : INT64_MAX, most = 0, its;

	open_counter();
	printf("%d nodes, %d models, %d waiting, %d running; ns a call\n", NODES, MODELS, WAITING,
	       NODES * 12);
	printf("%-28s %-18s %8s %8s %8s\n", "", "", "mean", "p99", "p99.9");
	its = measure("loads by orders", true, 0);
	most = its > most ? its : most;
	its = measure("the same, past the aging", true, 300000);
	most = its > most ? its : most;
	its = measure("nodes load what they are sent", false, 0);
	most = its > most ? its : most;
	if (counter < 0)
		printf("instructions are not counted: no access to the processor's counter. Try\n"
		       "valgrind --tool=callgrind --toggle-collect=sched_pick bench-decisions\n");
	return most <= bound ? 0 : 1;
}
