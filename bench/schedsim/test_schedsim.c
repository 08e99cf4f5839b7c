/*
 * The simulator itself: the same seed gives the same result, nothing is lost or counted twice
 * whatever the policy, files are read as they are meant, and the baselines do what a second,
 * independent simulation of the same rules in Python did with the same requests.
 */
#include "../../tests/unit/check.h"
#include "study.h"
#include "workload.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const workload_names[] = {"W1", "W2", "W2-batch", "W3", "W4", "W5"};

static void
read_file(struct workload *w, const char *dir, const char *name)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s/%s.conf", SCHEDSIM_DIR, dir, name);
	assert_true(workload_read(w, path));
}

static void
run(const struct workload *w, enum contender_id who, uint64_t seed, bool checked,
    struct metrics *out)
{
	struct study s = {.seeds = {.of = {seed}, .count = 1}, .checked = checked};

	memset(out, 0, sizeof(*out));
	assert_true(study_run(&s, w, w->rates[0], who, out));
}

static bool
is_same(const struct metrics *a, const struct metrics *b)
{
	for (int m = 0; m < METRICS; m++)
		if (a->of[m] != b->of[m] && !(isnan(a->of[m]) && isnan(b->of[m])))
			return false;
	return true;
}

static void
the_same_seed_gives_the_same_result(void **state)
{
	struct workload w;
	struct metrics first, again, other;

	read_file(&w, "workloads", "W1");
	for (int c = 0; c < CONTENDERS; c++) {
		run(&w, (enum contender_id)c, 11, false, &first);
		run(&w, (enum contender_id)c, 11, false, &again);
		run(&w, (enum contender_id)c, 12, false, &other);
		assert_true(is_same(&first, &again));
		assert_false(is_same(&first, &other));
	}
}

/* A run aborts by itself when slots or queues of a node do not add up, or somebody waits for
 * ever. */
static void
every_request_ends_once_and_slots_add_up(void **state)
{
	struct workload w;
	struct metrics m;

	for (size_t i = 0; i < sizeof(workload_names) / sizeof(*workload_names); i++) {
		read_file(&w, "workloads", workload_names[i]);
		w.horizon_s = w.horizon_s < 420 ? w.horizon_s : 420;
		for (int c = 0; c < CONTENDERS; c++) {
			if (!contender_applies((enum contender_id)c, &w))
				continue;
			run(&w, (enum contender_id)c, 7, true, &m);
			assert_true(m.of[METRIC_DONE] > 0);
			assert_true(m.of[METRIC_REQUESTS] ==
			            m.of[METRIC_DONE] + m.of[METRIC_REFUSED] + m.of[METRIC_LATE]);
		}
	}
}

static void
nothing_is_loaded_where_everything_is_resident(void **state)
{
	struct workload w;
	struct metrics m;

	read_file(&w, "workloads", "W1");
	run(&w, BOUND, 3, false, &m);
	assert_true(m.of[METRIC_LOADS] == 0);
	run(&w, DROVER, 3, false, &m);
	assert_true(m.of[METRIC_LOADS] >= 3);
}

static void
equal_requests_are_answered_by_the_cache(void **state)
{
	struct workload w;
	struct metrics with, without;

	read_file(&w, "workloads", "W4");
	run(&w, LEASTCONN_CACHED, 3, false, &with);
	run(&w, LEASTCONN, 3, false, &without);
	assert_true(without.of[METRIC_CACHE_HITS] == 0);
	assert_true(with.of[METRIC_CACHE_HITS] > 0.2 * with.of[METRIC_REQUESTS]);
	assert_true(with.of[METRIC_MEAN] < without.of[METRIC_MEAN]);
}

/* Measured by the reference in Python, on the requests of traces/one-node.csv and
 * traces/two-nodes.csv. It pins A to node one, C to node two, B to both. */
static const struct figure {
	const char *workload;
	enum contender_id who;
	double makespan_s, mean_s, high_p95_s, loads;
} figures[] = {
    {"two-nodes", WRR, 4692.784, 1183.968, 2682.404, 96},
    {"two-nodes", LEASTCONN, 4937.517, 974.942, 2752.757, 89},
    {"two-nodes", HAPROXY, 6410.751, 2128.964, 4588.375, 120},
    {"two-nodes", PINNED, 2139.743, 146.063, 371.741, 35},
    {"one-node", WRR, 1851.941, 66.190, 136.982, 24},
    {"one-node", LEASTCONN, 1851.941, 66.190, 136.982, 24},
    {"one-node", HAPROXY, 3110.826, 705.143, 1239.164, 48},
};

static void
assert_near(double got, double wanted)
{
	/* The two keep time in other units: rounding may turn a tie. */
	if (fabs(got - wanted) > 0.001 * wanted)
		fail_msg("%g, the reference has %g", got, wanted);
}

static void
baselines_agree_with_the_reference(void **state)
{
	struct workload w;
	struct metrics m;

	for (size_t i = 0; i < sizeof(figures) / sizeof(*figures); i++) {
		const struct figure *f = &figures[i];

		read_file(&w, "traces", f->workload);
		run(&w, f->who, 1, true, &m);
		assert_near(m.of[METRIC_MAKESPAN], f->makespan_s);
		assert_near(m.of[METRIC_MEAN], f->mean_s);
		assert_near(m.of[METRIC_HIGH_P95], f->high_p95_s);
		assert_true(m.of[METRIC_LOADS] == f->loads);
	}
}

/* What the scheduler is for, with room to spare: the goals are measured over more seeds. Copies
 * that came too late once made it worse than plain least connections. */
static const struct guard {
	const char *dir, *workload;
	int rate; /* index */
	enum metric metric;
	enum contender_id against;
	double most; /* times theirs */
} guards[] = {
    {"workloads", "W1", 2, METRIC_MAKESPAN, BOUND, 1.1},
    {"workloads", "W1", 2, METRIC_LOADS, LEASTCONN, 0.2},
    {"workloads", "W2", 2, METRIC_MEAN, LEASTCONN, 1.3},
    {"workloads", "W2-batch", 0, METRIC_MAKESPAN, LEASTCONN, 1.1},
    {"workloads", "W3", 0, METRIC_WATCHED_P95, FIFO, 0.05},
    {"workloads", "W4", 0, METRIC_MEAN, LEASTCONN_CACHED, 1.1},
    {"workloads", "W4", 1, METRIC_MEAN, LEASTCONN_CACHED, 1.1},
    {"more", "tight", 0, METRIC_MEAN, BOUND, 5},
    {"more", "tight", 0, METRIC_LOADS, FIFO, 0.3},
    {"more", "tight", 1, METRIC_MEAN, FIFO, 0.1},
};

static void
the_scheduler_is_worth_its_while(void **state)
{
	struct study s = {.seeds = {.of = {1, 2, 3}, .count = 3}};
	struct metrics ours, theirs;
	struct workload w;

	for (size_t i = 0; i < sizeof(guards) / sizeof(*guards); i++) {
		const struct guard *g = &guards[i];
		double rate;

		read_file(&w, g->dir, g->workload);
		rate = w.rates[g->rate];
		assert_true(study_run(&s, &w, rate, DROVER, &ours));
		assert_true(study_run(&s, &w, rate, g->against, &theirs));
		if (ours.of[g->metric] > g->most * theirs.of[g->metric])
			fail_msg("%s at %g: %g, against %g", g->workload, rate, ours.of[g->metric],
			         theirs.of[g->metric]);
	}
}

static void
a_mooncake_trace_is_replayed_with_its_conversations(void **state)
{
	static const int sessions[] = {1, 2, 1, 3, 1};
	static const int fresh[] = {2100, 1400, 2700 - 4 * 512, 1400, 3300 - 5 * 512};
	struct workload w;
	struct requests r;

	read_file(&w, "traces", "mooncake");
	assert_true(requests_make(&r, &w, 1, 1));
	assert_int_equal(r.count, 5);
	for (size_t i = 0; i < r.count; i++) {
		assert_int_equal(r.all[i].session, sessions[i]);
		assert_int_equal(r.all[i].fresh_tokens, fresh[i]);
	}
	assert_int_equal(r.all[4].at_us, 61000000);
	assert_int_equal(r.all[4].output_tokens, 60);
	requests_finish(&r);
}

static void
a_burstgpt_trace_is_replayed_without_what_failed(void **state)
{
	static const int models[] = {0, 0, 1, 1}; /* GPT-4 is not described: the mix says B */
	struct workload w;
	struct requests r;

	read_file(&w, "traces", "burstgpt");
	assert_true(requests_make(&r, &w, 2, 1));
	assert_int_equal(r.count, 4);
	for (size_t i = 0; i < r.count; i++)
		assert_int_equal(r.all[i].model, models[i]);
	assert_int_equal(r.all[0].class, CLASS_HIGH);
	assert_int_equal(r.all[3].class, CLASS_LOW);
	assert_int_equal(r.all[3].prompt_tokens, 1360);
	/* Twice as fast as recorded. */
	assert_int_equal(r.all[3].at_us, 65000000);
	requests_finish(&r);
}

static bool
reads(const char *text)
{
	const char *path = "test_schedsim.conf";
	struct workload w;
	FILE *f = fopen(path, "w");
	bool good;

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	good = workload_read(&w, path);
	remove(path);
	return good;
}

#define NODE_AND_MODEL "workload w\nnode n 1 1\nmodel A 30 60 1500\n"

static void
a_file_that_is_no_workload_is_refused(void **state)
{
	assert_true(reads(NODE_AND_MODEL "stream s\npoisson 1\nmodels A 1\n"));
	assert_false(reads(NODE_AND_MODEL));
	assert_false(reads(NODE_AND_MODEL "stream s\npoisson 1\n"));
	assert_false(reads(NODE_AND_MODEL "stream s\nmodels A 1\n"));
	assert_false(reads(NODE_AND_MODEL "stream s\npoisson 1\nmodels B 1\n"));
	assert_false(reads(NODE_AND_MODEL "stream s\npoisson -1\nmodels A 1\n"));
	assert_false(reads(NODE_AND_MODEL "stream s\npoisson 1\nmodels A 1\nclasses urgent 1\n"));
	assert_false(reads(NODE_AND_MODEL "stream s\npoisson 1\nmodels A 1\ncolour red\n"));
	assert_false(reads(NODE_AND_MODEL "poisson 1\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same_seed_gives_the_same_result),
	    cmocka_unit_test(every_request_ends_once_and_slots_add_up),
	    cmocka_unit_test(nothing_is_loaded_where_everything_is_resident),
	    cmocka_unit_test(equal_requests_are_answered_by_the_cache),
	    cmocka_unit_test(baselines_agree_with_the_reference),
	    cmocka_unit_test(the_scheduler_is_worth_its_while),
	    cmocka_unit_test(a_mooncake_trace_is_replayed_with_its_conversations),
	    cmocka_unit_test(a_burstgpt_trace_is_replayed_without_what_failed),
	    cmocka_unit_test(a_file_that_is_no_workload_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
