/* The estimated wait, and deadlines that it already exceeds. */
#include "desk.h"

/* A slot serves 1000 units of cost a second: 250 tokens of an answer. */
enum { COST = 4000, SERVICE_MS = 4000 };

static struct desk d;
static struct backend *node;

static int
set_up(void **state)
{
	struct sched_conf conf = desk_conf();
	struct backend_conf wide = node_conf("n1");

	wide.parallel = wide.slots = 2;
	desk_open(&d, &conf);
	node = desk_add(&d, wide);
	load_models(node, "a", NULL, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	desk_close(&d);
	return 0;
}

static struct job *
queue_one(void)
{
	return desk_queue(&d, "a", CLASS_NORMAL);
}

static void
run_one(void)
{
	struct job *j = queue_one();

	assert_ptr_equal(desk_pick(&d), j);
	d.now += SERVICE_MS;
	sched_saw_tokens(d.sched, j, 0, COST / 4);
	desk_end(&d, j);
}

static int64_t
eta(const struct job *j)
{
	return sched_eta_ms(d.sched, j, d.now);
}

static void
half_of_what_runs_and_all_that_is_ahead(void **state)
{
	struct job *first, *second;

	run_one();
	queue_one();
	queue_one();
	desk_pick_all(&d);
	first = queue_one();
	second = queue_one();
	/* Two slots, two halves. */
	assert_int_equal(eta(first), SERVICE_MS / 2);
	assert_int_equal(eta(second), SERVICE_MS / 2 + SERVICE_MS / 2);
}

static void
a_higher_class_is_not_delayed_by_a_lower_one(void **state)
{
	struct job *high;

	run_one();
	for (int i = 0; i < 10; i++)
		queue_one();
	desk_pick_all(&d);
	/* Nothing is known of the class yet: 300 tokens. */
	high = desk_queue(&d, "a", CLASS_HIGH);
	assert_int_equal(eta(high), 1200 * 1000 / 1000 / 2);
}

static void
another_key_is_delayed_by_no_more_than_its_turns(void **state)
{
	struct job *light;

	run_one();
	for (int i = 0; i < 12; i++)
		queue_one();
	desk_pick_all(&d);
	light = desk_new(&d, CLASS_NORMAL);
	light->key = "light";
	assert_int_equal(desk_submit(&d, light, "a"), SCHED_QUEUED);
	/* Two run; of the ten that wait none goes before a key that was served less. */
	assert_int_equal(eta(light), SERVICE_MS / 2);
}

static void
what_runs_waits_no_longer(void **state)
{
	struct job *j = queue_one();

	desk_pick(&d);
	assert_int_equal(eta(j), 0);
}

static void
a_model_that_is_loaded_nowhere_takes_its_load(void **state)
{
	struct job *j;

	run_one();
	queue_one();
	desk_pick(&d);
	j = desk_queue(&d, "b", CLASS_NORMAL);
	assert_null(desk_pick(&d));
	assert_int_equal(eta(j), 60000);
}

static enum sched_answer
submit_due_in(int64_t ms)
{
	struct job *j = desk_new(&d, CLASS_NORMAL);

	j->deadline_ms = d.now + ms;
	return desk_submit(&d, j, "a");
}

static void
a_deadline_that_cannot_be_met_is_refused_at_once(void **state)
{
	run_one();
	for (int i = 0; i < 12; i++)
		queue_one();
	desk_pick_all(&d);
	/* Ten wait, two run: 2 + 20 s until it starts, then 4 s. */
	assert_int_equal(submit_due_in(25999), SCHED_TOO_LATE);
	assert_int_equal(sched_waiting(d.sched), 10);
	assert_int_equal(submit_due_in(26000), SCHED_QUEUED);
}

static enum sched_answer
submit_other_due_in(int64_t ms)
{
	struct job *j = desk_new(&d, CLASS_NORMAL);

	j->deadline_ms = d.now + ms;
	return desk_submit(&d, j, "b");
}

static void
nobody_is_refused_by_a_guess(void **state)
{
	for (int i = 0; i < 12; i++)
		queue_one();
	desk_pick_all(&d);
	/* Neither the rate of the one nor the load of the other was measured. */
	assert_int_equal(submit_due_in(1), SCHED_QUEUED);
	assert_int_equal(submit_other_due_in(1), SCHED_QUEUED);
}

static void
who_can_start_at_once_is_not_refused_for_its_deadline(void **state)
{
	run_one();
	queue_one();
	assert_int_equal(submit_due_in(10), SCHED_QUEUED);
	assert_int_equal(desk_pick_all(&d), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(half_of_what_runs_and_all_that_is_ahead),
	    TEST(a_higher_class_is_not_delayed_by_a_lower_one),
	    TEST(another_key_is_delayed_by_no_more_than_its_turns),
	    TEST(what_runs_waits_no_longer),
	    TEST(a_model_that_is_loaded_nowhere_takes_its_load),
	    TEST(a_deadline_that_cannot_be_met_is_refused_at_once),
	    TEST(nobody_is_refused_by_a_guess),
	    TEST(who_can_start_at_once_is_not_refused_for_its_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
