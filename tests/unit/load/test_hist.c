/* The histogram, beside a sorted list of the same values. */
#include "hist.h"

#include "base/mem.h"
#include "base/rng.h"

#include "../check.h"

#include <math.h>
#include <stdlib.h>

enum { MANY = 100000 };

static int
by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
assert_near(int64_t got, int64_t wanted)
{
	if (llabs(got - wanted) * 1000 > wanted)
		fail_msg("%lld, wanted %lld", (long long)got, (long long)wanted);
}

/* From a microsecond to hours. */
static void
every_quantile_is_within_a_thousandth_of_the_true_one(void **state)
{
	static const double quantiles[] = {0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1};
	int64_t *all = mem_alloc(MANY * sizeof(*all));
	struct hist h = {0};
	struct rng rng;

	rng_init(&rng, 3, 0);
	for (int i = 0; i < MANY; i++) {
		all[i] = (int64_t)exp(rng_unit(&rng) * 23);
		hist_add(&h, all[i]);
	}
	qsort(all, MANY, sizeof(*all), by_value);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		size_t rank = (size_t)ceil(quantiles[i] * MANY);

		assert_near(hist_quantile_us(&h, quantiles[i]), all[rank == 0 ? 0 : rank - 1]);
	}
	assert_int_equal(h.min_us, all[0]);
	assert_int_equal(h.max_us, all[MANY - 1]);
	free(all);
	hist_finish(&h);
}

static void
a_rare_slow_one_is_seen_in_p999_and_not_before(void **state)
{
	struct hist h = {0};

	for (int i = 0; i < 9980; i++)
		hist_add(&h, 1000);
	for (int i = 0; i < 20; i++)
		hist_add(&h, 5 * 1000 * 1000);
	assert_int_equal(hist_quantile_us(&h, 0.99), 1000);
	assert_int_equal(hist_quantile_us(&h, 0.998), 1000);
	assert_near(hist_quantile_us(&h, 0.999), 5 * 1000 * 1000);
	hist_finish(&h);
}

static void
small_values_are_exact(void **state)
{
	struct hist h = {0};

	for (int64_t us = 0; us < 2048; us++)
		hist_add(&h, us);
	for (int64_t us = 0; us < 2048; us++) {
		assert_int_equal(hist_count_below(&h, us), us);
		assert_int_equal(hist_quantile_us(&h, (double)(us + 1) / 2048), us);
	}
	hist_finish(&h);
}

static void
mean_and_deviation_are_those_of_the_values(void **state)
{
	struct hist h = {0};

	assert_true(hist_deviation_us(&h) == 0);
	hist_add(&h, 2000000);
	assert_true(hist_deviation_us(&h) == 0);
	hist_add(&h, 4000000);
	hist_add(&h, 6000000);
	assert_true(fabs(h.mean_us - 4e6) < 1);
	assert_true(fabs(hist_deviation_us(&h) - 2e6) < 1);
	hist_finish(&h);
}

static void
an_empty_one_says_nothing(void **state)
{
	struct hist h = {0};

	assert_int_equal(hist_quantile_us(&h, 0.5), 0);
	assert_int_equal(hist_count_below(&h, 1000), 0);
	assert_int_equal(h.count, 0);
	hist_finish(&h);
}

static void
what_is_out_of_range_is_kept_at_the_edge(void **state)
{
	struct hist h = {0};

	hist_add(&h, -5);
	hist_add(&h, INT64_MAX);
	assert_int_equal(h.count, 2);
	assert_int_equal(h.min_us, 0);
	assert_true(hist_quantile_us(&h, 1) > INT64_C(86400) * 1000000 * 12);
	hist_finish(&h);
}

/* The steps that people read begin where a step of the histogram does, or next to it. */
static void
counts_below_a_step_people_read_are_right(void **state)
{
	static const int64_t steps[] = {100000, 500000, 1000000, 5000000, 10000000, 60000000};
	struct hist h = {0};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		hist_add(&h, steps[i] - steps[i] / 500);
		hist_add(&h, steps[i] + steps[i] / 500);
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		assert_int_equal(hist_count_below(&h, steps[i]), 2 * i + 1);
	hist_finish(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_quantile_is_within_a_thousandth_of_the_true_one),
	    cmocka_unit_test(a_rare_slow_one_is_seen_in_p999_and_not_before),
	    cmocka_unit_test(small_values_are_exact),
	    cmocka_unit_test(mean_and_deviation_are_those_of_the_values),
	    cmocka_unit_test(an_empty_one_says_nothing),
	    cmocka_unit_test(what_is_out_of_range_is_kept_at_the_edge),
	    cmocka_unit_test(counts_below_a_step_people_read_are_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
