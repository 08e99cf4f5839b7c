#include "../check.h"

#include "base/clock.h"

static int64_t
later_than(int64_t us)
{
	int64_t now_us;

	while ((now_us = clock_now_us()) <= us)
		continue;
	return now_us;
}

static void
a_held_clock_stands_still(void **state)
{
	int64_t held_us;

	clock_hold();
	held_us = clock_now_us();
	for (int i = 0; i < 100000; i++)
		assert_int_equal(clock_now_us(), held_us);
	assert_int_equal(clock_now_ms(), held_us / 1000);
	clock_release();
	assert_true(later_than(held_us) > held_us);
}

static void
a_clock_that_is_held_again_is_read_again(void **state)
{
	int64_t first_us, second_us;

	clock_hold();
	first_us = clock_now_us();
	clock_release();
	(void)later_than(first_us);
	clock_hold();
	second_us = clock_now_us();
	clock_release();
	assert_true(second_us > first_us);
}

static void
each_clock_is_held_by_itself(void **state)
{
	int64_t coarse_ms, wall_ms;

	clock_hold();
	coarse_ms = clock_coarse_ms();
	assert_true(coarse_ms <= clock_now_ms());
	wall_ms = clock_wall_ms();
	assert_true(wall_ms > clock_now_ms());
	assert_int_equal(clock_wall_ms(), wall_ms);
	assert_int_equal(clock_coarse_ms(), coarse_ms);
	clock_release();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_held_clock_stands_still),
	    cmocka_unit_test(a_clock_that_is_held_again_is_read_again),
	    cmocka_unit_test(each_clock_is_held_by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
