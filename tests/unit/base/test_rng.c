/* Random numbers: equal seeds, equal numbers; and they have the shape that they promise. */
#include "base/rng.h"

#include "../check.h"

#include <math.h>

enum { MANY = 200000 };

static void
equal_seeds_give_equal_numbers_and_lanes_differ(void **state)
{
	struct rng a, b, other;
	int same = 0;

	rng_init(&a, 7, 1);
	rng_init(&b, 7, 1);
	rng_init(&other, 7, 2);
	for (int i = 0; i < 100; i++) {
		double x = rng_unit(&a);

		assert_true(x == rng_unit(&b));
		same += x == rng_unit(&other);
	}
	assert_int_equal(same, 0);
}

static void
gaps_of_a_poisson_process_have_their_mean_and_spread(void **state)
{
	double sum = 0, squares = 0, mean;
	struct rng r;

	rng_init(&r, 1, 0);
	for (int i = 0; i < MANY; i++) {
		double gap = rng_exponential(&r, 0.5);

		assert_true(gap >= 0);
		sum += gap;
		squares += gap * gap;
	}
	mean = sum / MANY;
	assert_true(fabs(mean - 0.5) < 0.01);
	assert_true(fabs(sqrt(squares / MANY - mean * mean) - 0.5) < 0.01);
}

static void
weights_decide_how_often_an_index_comes(void **state)
{
	const double weights[] = {3, 0, 1};
	int count[3] = {0};
	struct rng r;

	rng_init(&r, 1, 0);
	for (int i = 0; i < MANY; i++)
		count[rng_weighted(&r, weights, 3)]++;
	assert_int_equal(count[1], 0);
	assert_true(fabs((double)count[0] / MANY - 0.75) < 0.01);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equal_seeds_give_equal_numbers_and_lanes_differ),
	    cmocka_unit_test(gaps_of_a_poisson_process_have_their_mean_and_spread),
	    cmocka_unit_test(weights_decide_how_often_an_index_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
