/* The measured drain rate. */
#include "../check.h"
#include "pace.h"

static void
is_a_second_a_job_before_anything_was_measured(void **state)
{
	struct pace p = {0};

	assert_int_equal(pace_estimate_ms(&p, 7, 0), 7000);
}

static void
follows_a_steady_rate_exactly(void **state)
{
	struct pace p = {0};
	int64_t now = 0;

	pace_saw_queue(&p, true, now);
	for (int i = 0; i < 50; i++)
		pace_saw_end(&p, now += 250);
	assert_int_equal(pace_estimate_ms(&p, 8, now), 2000);
}

static void
comes_near_a_new_rate(void **state)
{
	struct pace p = {0};
	int64_t now = 0;

	pace_saw_queue(&p, true, now);
	for (int i = 0; i < 10; i++)
		pace_saw_end(&p, now += 100);
	for (int i = 0; i < 50; i++)
		pace_saw_end(&p, now += 1000);
	assert_in_range(pace_estimate_ms(&p, 1, now), 980, 1000);
}

static void
counts_slots_given_back_at_once_as_several(void **state)
{
	struct pace p = {0};
	int64_t now = 0;

	pace_saw_queue(&p, true, now);
	for (int i = 0; i < 100; i++) {
		now += i % 4 == 0 ? 4000 : 0;
		pace_saw_end(&p, now);
	}
	/* Four each four seconds; the average swings within a burst. */
	assert_in_range(pace_estimate_ms(&p, 100, now), 70000, 130000);
}

static void
idle_time_does_not_count(void **state)
{
	struct pace p = {0};

	pace_saw_queue(&p, true, 0);
	pace_saw_end(&p, 500);
	pace_saw_queue(&p, false, 500);
	pace_saw_end(&p, 900);
	pace_saw_queue(&p, true, 1000000);
	assert_int_equal(pace_estimate_ms(&p, 1, 1000000), 500);
	pace_saw_end(&p, 1000500);
	assert_int_equal(pace_estimate_ms(&p, 1, 1000500), 500);
}

static void
a_standstill_shows_before_it_ends(void **state)
{
	struct pace p = {0};

	pace_saw_queue(&p, true, 0);
	pace_saw_end(&p, 500);
	assert_int_equal(pace_estimate_ms(&p, 2, 60500), 120000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(is_a_second_a_job_before_anything_was_measured),
	    cmocka_unit_test(follows_a_steady_rate_exactly),
	    cmocka_unit_test(comes_near_a_new_rate),
	    cmocka_unit_test(counts_slots_given_back_at_once_as_several),
	    cmocka_unit_test(idle_time_does_not_count),
	    cmocka_unit_test(a_standstill_shows_before_it_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
