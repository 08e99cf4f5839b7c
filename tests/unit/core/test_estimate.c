/* Moving averages and their priors. */
#include "../check.h"
#include "estimate.h"

static struct estimate e;
static struct speed fast, slow;
static struct job job;

static int
set_up(void **state)
{
	e = (struct estimate){0};
	fast = slow = (struct speed){0};
	job_init(&job, CLASS_NORMAL);
	return 0;
}

static void
begins_with_a_prior_then_with_the_first_one_seen(void **state)
{
	assert_int_equal(estimate_output(&e, &job), 300);
	estimate_saw_output(&e, CLASS_NORMAL, 50);
	assert_int_equal(estimate_output(&e, &job), 50);
	job.class = CLASS_LOW;
	assert_int_equal(estimate_output(&e, &job), 300);
}

static void
follows_what_is_seen(void **state)
{
	estimate_saw_output(&e, CLASS_NORMAL, 100);
	estimate_saw_output(&e, CLASS_NORMAL, 200);
	assert_int_equal(estimate_output(&e, &job), 110);
	for (int i = 0; i < 100; i++)
		estimate_saw_output(&e, CLASS_NORMAL, 200);
	assert_in_range(estimate_output(&e, &job), 199, 200);
	for (int i = 0; i < 200; i++)
		estimate_saw_output(&e, CLASS_NORMAL, 0);
	assert_in_range(estimate_output(&e, &job), 1, 2);
}

static void
expects_no_more_than_was_asked_for(void **state)
{
	job.most_output_tokens = 7;
	assert_int_equal(estimate_output(&e, &job), 7);
	estimate_saw_output(&e, CLASS_NORMAL, 5);
	assert_int_equal(estimate_output(&e, &job), 5);
}

static void
knows_nodes_apart_and_new_ones_by_the_others(void **state)
{
	estimate_saw_service(&e, &fast, 4000, 4000, true);
	assert_int_equal(estimate_rate_x16(&e, &fast), 16 * 1000);
	assert_int_equal(estimate_rate_x16(&e, &slow), 16 * 1000);
	estimate_saw_service(&e, &slow, 4000, 8000, true);
	assert_int_equal(estimate_rate_x16(&e, &slow), 16 * 500);
	assert_int_equal(estimate_rate_x16(&e, &fast), 16 * 1000);
}

static void
what_the_cost_does_not_explain_was_the_load(void **state)
{
	assert_int_equal(estimate_load_ms(&fast), 60000);
	estimate_saw_service(&e, &fast, 4000, 4000, true);
	estimate_saw_service(&e, &fast, 2000, 62000, false);
	assert_int_equal(estimate_load_ms(&fast), 60000);
	assert_int_equal(estimate_rate_x16(&e, &fast), 16 * 1000);
	assert_int_equal(estimate_load_ms(&slow), 60000);
}

static void
nothing_is_learned_from_nothing(void **state)
{
	estimate_saw_service(&e, &fast, 0, 1000, true);
	estimate_saw_service(&e, &fast, 1000, 0, true);
	assert_int_equal(estimate_rate_x16(&e, &fast), 16 * 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(begins_with_a_prior_then_with_the_first_one_seen, set_up),
	    cmocka_unit_test_setup(follows_what_is_seen, set_up),
	    cmocka_unit_test_setup(expects_no_more_than_was_asked_for, set_up),
	    cmocka_unit_test_setup(knows_nodes_apart_and_new_ones_by_the_others, set_up),
	    cmocka_unit_test_setup(what_the_cost_does_not_explain_was_the_load, set_up),
	    cmocka_unit_test_setup(nothing_is_learned_from_nothing, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
