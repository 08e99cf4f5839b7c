/* Trying again: elsewhere first, in the old place, and not without end. */
#include "desk.h"

static struct desk d;
static struct backend *first, *second;

static int
set_up(void **state)
{
	struct sched_conf conf = desk_conf();

	desk_open(&d, &conf);
	first = desk_add(&d, node_conf("first"));
	second = desk_add(&d, node_conf("second"));
	return 0;
}

static int
tear_down(void **state)
{
	desk_close(&d);
	return 0;
}

static struct job *
run(void)
{
	struct job *j = desk_queue(&d, "a", CLASS_NORMAL);

	assert_ptr_equal(desk_pick(&d), j);
	return j;
}

static bool
retry(struct job *j)
{
	return sched_retry(d.sched, j, d.now);
}

static void
goes_to_another_node(void **state)
{
	struct job *j = run();

	assert_ptr_equal(j->backend, first);
	assert_true(retry(j));
	assert_int_equal(j->state, JOB_QUEUED);
	assert_null(j->backend);
	assert_int_equal(backend_busy(first), 0);
	assert_ptr_equal(desk_pick(&d), j);
	assert_ptr_equal(j->backend, second);
	assert_int_equal(j->attempts, 2);
}

static void
waits_for_the_other_node_while_it_is_busy(void **state)
{
	struct job *j = run();
	struct job *other = run();

	assert_true(retry(j));
	assert_null(desk_pick(&d));
	/* The node that it avoids is free for others. */
	assert_ptr_equal(run()->backend, first);
	desk_end(&d, other);
	assert_ptr_equal(desk_pick(&d), j);
	assert_ptr_equal(j->backend, second);
}

static void
goes_back_to_the_same_node_when_no_other_is_usable(void **state)
{
	struct job *j = run();

	backend_set_draining(second, true);
	assert_true(retry(j));
	assert_ptr_equal(desk_pick(&d), j);
	assert_ptr_equal(j->backend, first);
}

static void
keeps_its_place(void **state)
{
	struct job *j = run();
	struct job *later, *urgent;

	run();
	later = desk_queue(&d, "a", CLASS_NORMAL);
	urgent = desk_queue(&d, "a", CLASS_HIGH);
	assert_true(retry(j));
	assert_int_equal(sched_position(d.sched, urgent), 0);
	assert_int_equal(sched_position(d.sched, j), 1);
	assert_int_equal(sched_position(d.sched, later), 2);
}

static void
keeps_its_place_among_others_that_failed(void **state)
{
	struct backend_conf conf = node_conf("wide");
	struct job *jobs[3];

	conf.parallel = conf.slots = 3;
	backend_set_draining(first, true);
	backend_set_draining(second, true);
	desk_add(&d, conf);
	for (int i = 0; i < 3; i++)
		jobs[i] = run();
	assert_true(retry(jobs[2]));
	assert_true(retry(jobs[0]));
	assert_true(retry(jobs[1]));
	for (int i = 0; i < 3; i++)
		assert_ptr_equal(desk_pick(&d), jobs[i]);
}

static void
does_not_wait_for_a_place_in_the_queue(void **state)
{
	struct sched_conf conf = desk_conf();
	struct job *j;

	desk_close(&d);
	conf.queue_size = 1;
	desk_open(&d, &conf);
	desk_add(&d, node_conf("n1"));
	j = run();
	desk_queue(&d, "a", CLASS_NORMAL);
	assert_true(retry(j));
	assert_int_equal(sched_waiting(d.sched), 2);
	assert_ptr_equal(desk_pick(&d), j);
}

static void
ends_after_the_attempts(void **state)
{
	struct job *j = run();

	assert_true(retry(j));
	assert_ptr_equal(desk_pick(&d), j);
	assert_true(retry(j));
	assert_ptr_equal(desk_pick(&d), j);
	assert_int_equal(j->attempts, 3);
	assert_false(retry(j));
	assert_int_equal(j->state, JOB_RUNNING);
	assert_int_equal(backend_busy(j->backend), 1);
}

static void
ends_when_no_node_is_left(void **state)
{
	struct job *j = run();

	backend_saw_fault(second, FAULT_CONNECT, d.now);
	backend_saw_fault(first, FAULT_CONNECT, d.now);
	assert_false(retry(j));
	assert_int_equal(j->state, JOB_RUNNING);
	assert_int_equal(sched_outlook(d.sched, j, "a"), SCHED_NO_BACKEND);
}

static void
all_retries_together_are_bounded(void **state)
{
	int allowed = 0;

	for (int i = 0; i < 30; i++) {
		struct job *j = run();

		allowed += retry(j);
		desk_end(&d, j);
	}
	/* Ten are free, and three are a tenth of thirty. */
	assert_int_equal(allowed, 13);
}

static void
a_job_that_is_tried_again_still_expires(void **state)
{
	struct job *j = run();

	run();
	d.now += 600000;
	assert_true(retry(j));
	assert_ptr_equal(sched_take_expired(d.sched, d.now), j);
	assert_int_equal(j->end, JOB_DEADLINE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(goes_to_another_node),
	    TEST(waits_for_the_other_node_while_it_is_busy),
	    TEST(goes_back_to_the_same_node_when_no_other_is_usable),
	    TEST(keeps_its_place),
	    TEST(keeps_its_place_among_others_that_failed),
	    TEST(does_not_wait_for_a_place_in_the_queue),
	    TEST(ends_after_the_attempts),
	    TEST(ends_when_no_node_is_left),
	    TEST(all_retries_together_are_bounded),
	    TEST(a_job_that_is_tried_again_still_expires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
