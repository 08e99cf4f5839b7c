/* The last hour in points. */
#include "../check.h"
#include "core/history.h"

enum { STEP_MS = 1000, COUNT = 5 };

static const struct history_point *
last(const struct history *h)
{
	return history_point(h, history_now(h) - 1);
}

static void
what_is_told_belongs_to_the_point_under_way(void **state)
{
	struct history *h = history_create(500, STEP_MS, COUNT);

	history_saw_tokens(h, 7);
	history_advance(h, 1499);
	assert_int_equal(history_now(h), 0);
	history_saw_tokens(h, 5);
	history_saw_cache(h, 4, 3);
	history_saw_end(h, 0);
	history_saw_end(h, 1);
	history_advance(h, 1500);
	assert_int_equal(history_now(h), 1);
	assert_int_equal(last(h)->tokens, 12);
	assert_int_equal(last(h)->asked, 4);
	assert_int_equal(last(h)->hits, 3);
	assert_int_equal(last(h)->ended, 2);
	assert_int_equal(last(h)->failed, 1);
	history_advance(h, 2500);
	assert_int_equal(last(h)->tokens, 0);
	assert_int_equal(last(h)->ended, 0);
	history_destroy(&h);
}

static void
the_most_that_waited_and_ran_is_kept(void **state)
{
	struct history *h = history_create(0, STEP_MS, COUNT);

	history_saw_load(h, 3, 1);
	history_saw_load(h, 9, 0);
	history_saw_load(h, 2, 4);
	history_advance(h, STEP_MS);
	assert_int_equal(last(h)->waiting, 9);
	assert_int_equal(last(h)->running, 4);
	history_destroy(&h);
}

static void
only_the_last_points_are_kept(void **state)
{
	struct history *h = history_create(0, STEP_MS, COUNT);

	for (int i = 0; i < 3 * COUNT; i++) {
		history_saw_tokens(h, i);
		history_advance(h, (i + 1) * STEP_MS);
		assert_int_equal(history_now(h) - history_first(h), i < COUNT ? i + 1 : COUNT);
	}
	for (uint64_t n = history_first(h); n < history_now(h); n++)
		assert_int_equal(history_point(h, n)->tokens, n);
	history_destroy(&h);
}

static void
a_pause_is_points_in_which_nothing_happened(void **state)
{
	struct history *h = history_create(0, STEP_MS, COUNT);

	history_saw_tokens(h, 8);
	history_advance(h, 3 * STEP_MS + 1);
	assert_int_equal(history_now(h), 3);
	assert_int_equal(history_point(h, 0)->tokens, 8);
	assert_int_equal(history_point(h, 2)->tokens, 0);
	history_destroy(&h);
}

static void
what_is_taken_back_leaves_no_point_below_nothing(void **state)
{
	struct history *h = history_create(0, STEP_MS, COUNT);

	history_saw_tokens(h, 5);
	history_advance(h, STEP_MS);
	history_saw_tokens(h, -2);
	history_advance(h, 2 * STEP_MS);
	assert_int_equal(last(h)->tokens, 0);
	history_saw_tokens(h, 9);
	history_advance(h, 3 * STEP_MS);
	assert_int_equal(last(h)->tokens, 7);
	history_destroy(&h);
}

static void
percentiles_are_of_the_streams_of_that_point_alone(void **state)
{
	struct history *h = history_create(0, STEP_MS, COUNT);

	history_advance(h, STEP_MS);
	assert_int_equal(last(h)->first_p50_ms, -1);
	for (int ms = 1; ms <= 10; ms++)
		history_saw_first_token(h, ms);
	history_advance(h, 2 * STEP_MS);
	assert_int_equal(last(h)->first_p50_ms, 5);
	assert_int_equal(last(h)->first_p95_ms, 10);
	history_advance(h, 3 * STEP_MS);
	assert_int_equal(last(h)->first_p95_ms, -1);
	history_destroy(&h);
}

static void
a_percentile_is_within_a_sixteenth_of_the_true_one(void **state)
{
	struct history *h = history_create(0, STEP_MS, COUNT);
	int64_t end = 0;

	for (int64_t ms = 0; ms < 8000000; ms += 1 + ms / 50) {
		int64_t off;

		history_saw_first_token(h, ms);
		history_advance(h, end += STEP_MS);
		off = last(h)->first_p50_ms - ms;
		assert_true((off < 0 ? -off : off) <= ms / 16);
		assert_int_equal(last(h)->first_p50_ms, last(h)->first_p95_ms);
	}
	history_destroy(&h);
}

static void
no_time_is_too_long_or_too_short_to_count(void **state)
{
	struct history *h = history_create(0, STEP_MS, COUNT);

	history_saw_first_token(h, -5);
	history_advance(h, STEP_MS);
	assert_int_equal(last(h)->first_p50_ms, 0);
	history_saw_first_token(h, INT64_MAX);
	history_advance(h, 2 * STEP_MS);
	assert_true(last(h)->first_p50_ms > 4 * 3600 * 1000);
	history_destroy(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_told_belongs_to_the_point_under_way),
	    cmocka_unit_test(the_most_that_waited_and_ran_is_kept),
	    cmocka_unit_test(only_the_last_points_are_kept),
	    cmocka_unit_test(a_pause_is_points_in_which_nothing_happened),
	    cmocka_unit_test(what_is_taken_back_leaves_no_point_below_nothing),
	    cmocka_unit_test(percentiles_are_of_the_streams_of_that_point_alone),
	    cmocka_unit_test(a_percentile_is_within_a_sixteenth_of_the_true_one),
	    cmocka_unit_test(no_time_is_too_long_or_too_short_to_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
