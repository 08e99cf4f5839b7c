/* Token buckets. */
#include "../check.h"
#include "bucket.h"

static int64_t
take_all(struct bucket *b, int64_t now_ms)
{
	int64_t n = 0;

	while (bucket_wait_ms(b, 1, now_ms) == 0) {
		bucket_take(b, 1, now_ms);
		n++;
	}
	return n;
}

static void
begins_full_and_holds_no_more(void **state)
{
	struct bucket b;

	bucket_init(&b, 60, 5, 1000);
	assert_int_equal(bucket_left(&b, 1000), 5);
	assert_int_equal(take_all(&b, 1000), 5);
	assert_int_equal(take_all(&b, INT64_MAX / 2), 5);
}

static void
refills_with_time_not_with_calls(void **state)
{
	struct bucket asked, left_alone;

	bucket_init(&asked, 7, 3, 0);
	bucket_init(&left_alone, 7, 3, 0);
	(void)take_all(&asked, 0);
	(void)take_all(&left_alone, 0);
	for (int64_t t = 0; t < 20000; t++)
		(void)bucket_left(&asked, t);
	assert_int_equal(bucket_reset_ms(&asked, 20000), bucket_reset_ms(&left_alone, 20000));
	assert_int_equal(bucket_left(&asked, 20000), 2);
}

static void
other_bounds_leave_what_was_taken_taken(void **state)
{
	struct bucket b;

	bucket_init(&b, 60, 20, 0);
	bucket_take(&b, 8, 0);
	bucket_reshape(&b, 60, 100, 0);
	assert_int_equal(bucket_left(&b, 0), 92);
	bucket_reshape(&b, 60, 10, 0);
	assert_int_equal(bucket_left(&b, 0), 2);
	bucket_reshape(&b, 60, 5, 0);
	assert_int_equal(bucket_left(&b, 0), 0);
	assert_int_equal(bucket_wait_ms(&b, 1, 0), 1000);
}

static void
other_bounds_count_from_what_the_old_ones_refilled(void **state)
{
	struct bucket b;

	bucket_init(&b, 60, 4, 0);
	bucket_take(&b, 4, 0);
	bucket_reshape(&b, 600, 4, 2000);
	assert_int_equal(bucket_left(&b, 2000), 2);
	assert_int_equal(bucket_left(&b, 2100), 3);
}

static void
what_is_owed_stays_owed_and_no_bound_forgets_all(void **state)
{
	struct bucket b;

	bucket_init(&b, 60, 4, 0);
	bucket_take(&b, 6, 0);
	bucket_reshape(&b, 60, 2, 0);
	assert_int_equal(bucket_wait_ms(&b, 1, 0), 3000);
	bucket_reshape(&b, 0, 1, 0);
	assert_int_equal(bucket_wait_ms(&b, 1, 0), 0);
	bucket_reshape(&b, 60, 3, 0);
	assert_int_equal(bucket_left(&b, 0), 3);
}

/* Seven a minute is one in 8571.4 ms: where a rounded interval would drift, the sum is exact. */
static void
what_was_refused_is_there_at_the_told_time_and_not_before(void **state)
{
	struct bucket b;
	int64_t now = 0, taken = 0;

	bucket_init(&b, 7, 1, 0);
	for (; now <= 3600000; taken++) {
		int64_t wait = bucket_wait_ms(&b, 1, now);

		if (wait > 0)
			assert_true(bucket_wait_ms(&b, 1, now + wait - 1) == 1);
		now += wait;
		assert_int_equal(bucket_wait_ms(&b, 1, now), 0);
		bucket_take(&b, 1, now);
	}
	assert_int_equal(taken, 1 + 7 * 60 + 1); /* the last one after the hour */
}

static void
what_is_taken_beyond_it_is_owed(void **state)
{
	struct bucket b;

	bucket_init(&b, 60, 10, 0);
	bucket_take(&b, 25, 0);
	assert_int_equal(bucket_left(&b, 0), 0);
	assert_int_equal(bucket_wait_ms(&b, 1, 0), 16000);
	assert_int_equal(bucket_reset_ms(&b, 0), 25000);
	bucket_give(&b, 20, 0);
	assert_int_equal(bucket_left(&b, 0), 5);
}

static void
giving_back_never_overfills_it(void **state)
{
	struct bucket b;

	bucket_init(&b, 60, 10, 0);
	bucket_take(&b, 4, 0);
	bucket_give(&b, 4, 3000);
	assert_int_equal(take_all(&b, 3000), 10);
}

static void
more_than_it_holds_is_to_be_had_when_it_is_full(void **state)
{
	struct bucket b;

	bucket_init(&b, 60, 10, 0);
	assert_int_equal(bucket_wait_ms(&b, 1000, 0), 0);
	bucket_take(&b, 1, 0);
	assert_int_equal(bucket_wait_ms(&b, 1000, 0), 1000);
}

static void
without_a_rate_there_is_no_bound(void **state)
{
	struct bucket b;

	bucket_init(&b, 0, 1, 0);
	bucket_take(&b, 1000000, 0);
	assert_int_equal(bucket_wait_ms(&b, 1000000, 0), 0);
	assert_int_equal(bucket_reset_ms(&b, 0), 0);
}

static void
no_number_overflows_it(void **state)
{
	struct bucket b;

	bucket_init(&b, BUCKET_MOST, BUCKET_MOST, 0);
	for (int i = 0; i < 5000; i++)
		bucket_take(&b, INT64_MAX, 0);
	assert_true(bucket_wait_ms(&b, BUCKET_MOST, 0) > 0);
	for (int i = 0; i < 5000; i++)
		bucket_give(&b, INT64_MAX, INT64_MAX / 2);
	assert_int_equal(bucket_left(&b, INT64_MAX / 2), BUCKET_MOST);
}

static void
time_that_goes_back_changes_nothing(void **state)
{
	struct bucket b;

	bucket_init(&b, 60, 10, 5000);
	bucket_take(&b, 10, 5000);
	assert_int_equal(bucket_left(&b, 0), 0);
	assert_int_equal(bucket_left(&b, 6000), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(begins_full_and_holds_no_more),
	    cmocka_unit_test(refills_with_time_not_with_calls),
	    cmocka_unit_test(other_bounds_leave_what_was_taken_taken),
	    cmocka_unit_test(other_bounds_count_from_what_the_old_ones_refilled),
	    cmocka_unit_test(what_is_owed_stays_owed_and_no_bound_forgets_all),
	    cmocka_unit_test(what_was_refused_is_there_at_the_told_time_and_not_before),
	    cmocka_unit_test(what_is_taken_beyond_it_is_owed),
	    cmocka_unit_test(giving_back_never_overfills_it),
	    cmocka_unit_test(more_than_it_holds_is_to_be_had_when_it_is_full),
	    cmocka_unit_test(without_a_rate_there_is_no_bound),
	    cmocka_unit_test(no_number_overflows_it),
	    cmocka_unit_test(time_that_goes_back_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
