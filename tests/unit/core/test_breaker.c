/* The breaker by itself. */
#include "../check.h"
#include "breaker.h"

static const struct health_conf conf = {
    .breaker_failures = 3,
    .breaker_window_ms = 1000,
    .breaker_open_ms = 100,
    .breaker_max_open_ms = 350,
};

static struct breaker k;

static int
set_up(void **state)
{
	breaker_init(&k, &conf);
	return 0;
}

static int
tear_down(void **state)
{
	breaker_finish(&k);
	return 0;
}

static void
open_at(int64_t now_ms)
{
	assert_true(breaker_trip(&k, now_ms));
	assert_int_equal(k.state, BREAKER_OPEN);
}

static void
opens_at_the_limit_within_the_window(void **state)
{
	assert_false(breaker_saw_failure(&k, 0));
	assert_false(breaker_saw_failure(&k, 900));
	/* The first of the three is too old by now. */
	assert_false(breaker_saw_failure(&k, 1001));
	assert_true(breaker_admits(&k, 1001));
	assert_true(breaker_saw_failure(&k, 1900));
	assert_int_equal(k.state, BREAKER_OPEN);
	assert_false(breaker_admits(&k, 1999));
	assert_true(breaker_admits(&k, 2000));
}

static void
successes_do_not_wipe_out_failures(void **state)
{
	assert_false(breaker_saw_failure(&k, 0));
	assert_false(breaker_saw_success(&k));
	assert_false(breaker_saw_failure(&k, 1));
	assert_false(breaker_saw_success(&k));
	assert_true(breaker_saw_failure(&k, 2));
}

static void
a_limit_of_one_opens_at_the_first(void **state)
{
	struct health_conf one = conf;

	one.breaker_failures = 1;
	breaker_finish(&k);
	breaker_init(&k, &one);
	assert_true(breaker_saw_failure(&k, 0));
}

static void
lets_exactly_one_trial_through(void **state)
{
	assert_false(breaker_let_through(&k)); /* closed: no trial */
	open_at(0);
	assert_true(breaker_let_through(&k));
	assert_int_equal(k.state, BREAKER_TRYING);
	assert_false(breaker_admits(&k, 100000));
	breaker_lost_trial(&k);
	assert_true(breaker_admits(&k, 100000));
	assert_int_equal(k.state, BREAKER_TRYING);
}

static void
an_answer_closes_it_only_when_a_trial_is_due(void **state)
{
	open_at(0);
	assert_false(breaker_saw_success(&k));
	assert_false(breaker_admits(&k, 50));
	breaker_let_through(&k);
	assert_true(breaker_saw_success(&k));
	assert_int_equal(k.state, BREAKER_CLOSED);
	assert_true(breaker_admits(&k, 50));
}

static void
pauses_double_up_to_the_most_and_start_anew_once_closed(void **state)
{
	static const int64_t pauses[] = {100, 200, 350, 350};
	int64_t now = 0;

	open_at(now);
	for (int i = 0; i < 4; i++) {
		assert_false(breaker_admits(&k, now + pauses[i] - 1));
		assert_true(breaker_admits(&k, now + pauses[i]));
		now += pauses[i];
		breaker_let_through(&k);
		if (i < 3)
			assert_true(breaker_saw_failure(&k, now));
	}
	assert_true(breaker_saw_success(&k));
	open_at(now);
	assert_true(breaker_admits(&k, now + 100));
}

static void
failures_of_earlier_work_do_not_lengthen_a_pause(void **state)
{
	open_at(0);
	assert_false(breaker_saw_failure(&k, 50));
	assert_false(breaker_trip(&k, 60));
	assert_true(breaker_admits(&k, 100));
	assert_false(breaker_saw_failure(&k, 100));
	assert_true(breaker_admits(&k, 100));
}

static void
a_hang_seen_after_the_pause_starts_it_again(void **state)
{
	open_at(0);
	assert_false(breaker_trip(&k, 500)); /* open before and after */
	assert_false(breaker_admits(&k, 599));
	assert_true(breaker_admits(&k, 600));
}

static void
failures_before_it_opened_are_forgotten_when_it_closes(void **state)
{
	assert_false(breaker_saw_failure(&k, 0));
	assert_false(breaker_saw_failure(&k, 0));
	open_at(0);
	breaker_let_through(&k);
	assert_true(breaker_saw_success(&k));
	assert_false(breaker_saw_failure(&k, 1));
	assert_false(breaker_saw_failure(&k, 1));
	assert_true(breaker_saw_failure(&k, 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static struct health_conf
with_limit(int failures)
{
	struct health_conf other = conf;

	other.breaker_failures = failures;
	return other;
}

static void
another_limit_counts_with_what_was_seen_before(void **state)
{
	struct health_conf five = with_limit(5), two = with_limit(2);

	assert_false(breaker_saw_failure(&k, 0));
	assert_false(breaker_saw_failure(&k, 1));
	breaker_reshape(&k, &five);
	assert_false(breaker_saw_failure(&k, 2));
	assert_false(breaker_saw_failure(&k, 3));
	/* A lower limit alone opens nothing; the next failure does. */
	breaker_reshape(&k, &two);
	assert_int_equal(k.state, BREAKER_CLOSED);
	assert_true(breaker_saw_failure(&k, 4));
}

static void
a_limit_of_one_and_back_forgets_what_does_not_fit(void **state)
{
	struct health_conf single = with_limit(1);

	assert_false(breaker_saw_failure(&k, 0));
	assert_false(breaker_saw_failure(&k, 1));
	breaker_reshape(&k, &single);
	breaker_reshape(&k, &conf);
	assert_false(breaker_saw_failure(&k, 2));
	assert_false(breaker_saw_failure(&k, 3));
	assert_true(breaker_saw_failure(&k, 4));
}

static void
a_pause_that_runs_stays_and_the_next_is_as_told(void **state)
{
	struct health_conf longer = conf;

	open_at(0);
	longer.breaker_open_ms = 200;
	breaker_reshape(&k, &longer);
	assert_true(breaker_admits(&k, 100));
	assert_true(breaker_let_through(&k));
	assert_true(breaker_saw_success(&k));
	open_at(1000);
	assert_false(breaker_admits(&k, 1199));
	assert_true(breaker_admits(&k, 1200));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(opens_at_the_limit_within_the_window),
	    TEST(successes_do_not_wipe_out_failures),
	    TEST(a_limit_of_one_opens_at_the_first),
	    TEST(lets_exactly_one_trial_through),
	    TEST(an_answer_closes_it_only_when_a_trial_is_due),
	    TEST(pauses_double_up_to_the_most_and_start_anew_once_closed),
	    TEST(failures_of_earlier_work_do_not_lengthen_a_pause),
	    TEST(a_hang_seen_after_the_pause_starts_it_again),
	    TEST(failures_before_it_opened_are_forgotten_when_it_closes),
	    TEST(another_limit_counts_with_what_was_seen_before),
	    TEST(a_limit_of_one_and_back_forgets_what_does_not_fit),
	    TEST(a_pause_that_runs_stays_and_the_next_is_as_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
