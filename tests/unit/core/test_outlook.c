/* Whether a request may wait, or is told at once why not; and when those that wait give up. */
#include "desk.h"

static struct desk d;

static int
set_up(void **state)
{
	struct sched_conf conf = desk_conf();

	desk_open(&d, &conf);
	return 0;
}

static int
tear_down(void **state)
{
	desk_close(&d);
	return 0;
}

static struct backend *
add_with(const char *name, const char *model)
{
	struct backend *b = desk_add(&d, node_conf(name));

	list_models(b, model, NULL, NULL);
	return b;
}

static enum sched_answer
ask(const char *model)
{
	struct job *j = desk_new(&d, CLASS_NORMAL);
	enum sched_answer outlook = sched_outlook(d.sched, j, model);

	assert_int_equal(desk_submit(&d, j, model), outlook);
	return outlook;
}

static void
bring_down(struct backend *b)
{
	backend_saw_fault(b, FAULT_CONNECT, d.now);
}

static void
without_nodes_there_is_no_backend(void **state)
{
	assert_int_equal(ask("a"), SCHED_NO_BACKEND);
}

static void
waits_for_a_node_that_was_not_asked(void **state)
{
	struct backend *unknown = desk_add_unknown(&d, node_conf("n1"));

	assert_int_equal(ask("a"), SCHED_QUEUED);
	assert_null(desk_pick(&d));
	/* Up is not enough: its listing comes next. */
	backend_saw_probe(unknown, true, d.now);
	assert_null(sched_take_hopeless(d.sched, d.now));
	assert_int_equal(ask("b"), SCHED_QUEUED);
	list_models(unknown, "a", NULL, NULL);
	assert_non_null(sched_take_hopeless(d.sched, d.now));
	assert_null(sched_take_hopeless(d.sched, d.now));
	assert_non_null(desk_pick(&d));
}

static void
does_not_wait_for_a_node_that_may_not_run_it(void **state)
{
	static const char *const globs[] = {"b*"};
	struct backend_conf conf = node_conf("n1");

	conf.models = globs;
	conf.model_count = 1;
	desk_add_unknown(&d, conf);
	assert_int_equal(ask("a"), SCHED_UNKNOWN_MODEL);
	assert_int_equal(ask("b"), SCHED_QUEUED);
}

static void
is_unknown_when_every_node_lacks_it(void **state)
{
	add_with("n1", "a");
	add_with("n2", "b");
	assert_int_equal(ask("a"), SCHED_QUEUED);
	assert_int_equal(ask("z"), SCHED_UNKNOWN_MODEL);
}

static void
has_no_backend_when_those_that_have_it_are_down(void **state)
{
	bring_down(add_with("n1", "a"));
	add_with("n2", "b");
	assert_int_equal(ask("a"), SCHED_NO_BACKEND);
	assert_int_equal(ask("b"), SCHED_QUEUED);
	assert_int_equal(ask("z"), SCHED_UNKNOWN_MODEL);
}

static void
has_no_backend_when_one_is_down_that_never_listed(void **state)
{
	add_with("n1", "a");
	bring_down(desk_add_unknown(&d, node_conf("n2")));
	assert_int_equal(ask("z"), SCHED_NO_BACKEND);
}

static void
waits_for_nodes_that_drain_or_pause(void **state)
{
	backend_set_draining(add_with("n1", "a"), true);
	backend_saw_fault(add_with("n2", "b"), FAULT_HANG, d.now);
	backend_saw_fault(add_with("n3", "c"), FAULT_BUSY, d.now);
	assert_int_equal(ask("a"), SCHED_QUEUED);
	assert_int_equal(ask("b"), SCHED_QUEUED);
	assert_int_equal(ask("c"), SCHED_QUEUED);
	assert_null(sched_take_hopeless(d.sched, d.now));
}

static void
gives_up_when_the_last_node_goes_down(void **state)
{
	struct backend *first = add_with("n1", "a");
	struct backend *second = add_with("n2", "a");
	struct job *running = desk_queue(&d, "a", CLASS_NORMAL);
	struct job *waits;

	desk_queue(&d, "a", CLASS_NORMAL);
	assert_int_equal(desk_pick_all(&d), 2);
	waits = desk_queue(&d, "a", CLASS_NORMAL);
	bring_down(first);
	assert_null(sched_take_hopeless(d.sched, d.now));
	bring_down(second);
	assert_ptr_equal(sched_take_hopeless(d.sched, d.now), waits);
	assert_int_equal(waits->state, JOB_ENDED);
	assert_int_equal(waits->end, JOB_REFUSED);
	assert_null(sched_take_hopeless(d.sched, d.now));
	/* What runs is its owner's to end. */
	assert_int_equal(running->state, JOB_RUNNING);
}

static void
gives_up_when_the_model_is_deleted(void **state)
{
	struct backend *b = add_with("n1", "a");
	struct job *waits[2];

	desk_queue(&d, "a", CLASS_NORMAL);
	desk_pick_all(&d);
	waits[0] = desk_queue(&d, "a", CLASS_LOW);
	waits[1] = desk_queue(&d, "a", CLASS_HIGH);
	list_models(b, "b", NULL, NULL);
	assert_ptr_equal(sched_take_hopeless(d.sched, d.now), waits[0]);
	assert_ptr_equal(sched_take_hopeless(d.sched, d.now), waits[1]);
	assert_null(sched_take_hopeless(d.sched, d.now));
	assert_int_equal(sched_outlook(d.sched, waits[0], "a"), SCHED_UNKNOWN_MODEL);
}

static void
a_chosen_node_is_the_only_one_asked(void **state)
{
	struct backend *chosen = add_with("n1", "a");
	struct job *j = desk_new(&d, CLASS_NORMAL);

	add_with("n2", "b");
	j->only = chosen;
	assert_int_equal(desk_submit(&d, j, "b"), SCHED_UNKNOWN_MODEL);
	bring_down(chosen);
	assert_int_equal(desk_submit(&d, j, "a"), SCHED_NO_BACKEND);
	assert_int_equal(desk_submit(&d, j, "b"), SCHED_UNKNOWN_MODEL);
}

static void
a_slotless_job_needs_any_node_that_is_allowed(void **state)
{
	struct backend *b = add_with("n1", "a");
	struct job *j = desk_new(&d, CLASS_NORMAL);

	j->slotless = true;
	assert_int_equal(sched_outlook(d.sched, j, "z:cloud"), SCHED_QUEUED);
	bring_down(b);
	assert_int_equal(sched_outlook(d.sched, j, "z:cloud"), SCHED_NO_BACKEND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(without_nodes_there_is_no_backend),
	    TEST(waits_for_a_node_that_was_not_asked),
	    TEST(does_not_wait_for_a_node_that_may_not_run_it),
	    TEST(is_unknown_when_every_node_lacks_it),
	    TEST(has_no_backend_when_those_that_have_it_are_down),
	    TEST(has_no_backend_when_one_is_down_that_never_listed),
	    TEST(waits_for_nodes_that_drain_or_pause),
	    TEST(gives_up_when_the_last_node_goes_down),
	    TEST(gives_up_when_the_model_is_deleted),
	    TEST(a_chosen_node_is_the_only_one_asked),
	    TEST(a_slotless_job_needs_any_node_that_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
