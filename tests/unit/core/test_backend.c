/* A node: its health by probes, what each fault does to it, what it lists and holds. */
#include "desk.h"

static struct desk d;
static struct backend *b;

static int
set_up(void **state)
{
	struct sched_conf conf = desk_conf();

	desk_open(&d, &conf);
	b = desk_add_unknown(&d, node_conf("n1"));
	return 0;
}

static int
tear_down(void **state)
{
	desk_close(&d);
	return 0;
}

static void
come_up(void)
{
	assert_true(backend_saw_probe(b, true, d.now));
	list_models(b, "a", "b", "c");
}

static struct job *
run_one(void)
{
	struct job *j = desk_queue(&d, "a", CLASS_NORMAL);

	assert_ptr_equal(desk_pick(&d), j);
	return j;
}

/* --- health --- */

static void
one_good_probe_is_enough_at_first(void **state)
{
	assert_int_equal(backend_state(b), BACKEND_UNKNOWN);
	assert_false(backend_is_usable(b, d.now));
	assert_true(backend_saw_probe(b, true, d.now));
	assert_int_equal(backend_state(b), BACKEND_UP);
	assert_true(backend_is_usable(b, d.now));
	assert_false(backend_saw_probe(b, true, d.now));
}

static void
one_bad_probe_is_enough_at_first(void **state)
{
	assert_true(backend_saw_probe(b, false, d.now));
	assert_int_equal(backend_state(b), BACKEND_DOWN);
	assert_true(backend_saw_probe(b, true, d.now));
	assert_int_equal(backend_state(b), BACKEND_UP);
}

static void
goes_down_after_failed_probes_in_a_row(void **state)
{
	come_up();
	assert_false(backend_saw_probe(b, false, d.now));
	assert_false(backend_saw_probe(b, false, d.now));
	assert_false(backend_saw_probe(b, true, d.now));
	assert_false(backend_saw_probe(b, false, d.now));
	assert_false(backend_saw_probe(b, false, d.now));
	assert_int_equal(backend_state(b), BACKEND_UP);
	assert_true(backend_saw_probe(b, false, d.now));
	assert_int_equal(backend_state(b), BACKEND_DOWN);
	assert_false(backend_is_usable(b, d.now));
}

static void
comes_back_after_good_probes_in_a_row(void **state)
{
	come_up();
	assert_true(backend_saw_fault(b, FAULT_CONNECT, d.now));
	assert_false(backend_saw_probe(b, true, d.now));
	assert_false(backend_saw_probe(b, false, d.now));
	assert_false(backend_saw_probe(b, true, d.now));
	assert_int_equal(backend_state(b), BACKEND_DOWN);
	assert_true(backend_saw_probe(b, true, d.now));
	assert_int_equal(backend_state(b), BACKEND_UP);
}

static void
a_refused_connection_takes_it_down_at_once(void **state)
{
	come_up();
	assert_false(backend_saw_probe(b, true, d.now));
	assert_true(backend_saw_fault(b, FAULT_CONNECT, d.now));
	assert_int_equal(backend_state(b), BACKEND_DOWN);
	assert_int_equal(backend_breaker(b), BREAKER_CLOSED);
	assert_false(backend_saw_fault(b, FAULT_CONNECT, d.now));
	/* Good probes from before do not count. */
	assert_false(backend_saw_probe(b, true, d.now));
}

static void
draining_is_on_top_of_up(void **state)
{
	backend_set_draining(b, true);
	assert_int_equal(backend_state(b), BACKEND_UNKNOWN);
	/* Nothing that an operator should hear of before it is resumed changed. */
	assert_true(backend_saw_probe(b, true, d.now));
	assert_int_equal(backend_state(b), BACKEND_DRAINING);
	assert_false(backend_is_usable(b, d.now));
	assert_true(backend_saw_fault(b, FAULT_CONNECT, d.now));
	assert_int_equal(backend_state(b), BACKEND_DOWN);
	backend_set_draining(b, false);
	assert_int_equal(backend_state(b), BACKEND_DOWN);
	backend_saw_probe(b, true, d.now);
	backend_saw_probe(b, true, d.now);
	assert_int_equal(backend_state(b), BACKEND_UP);
}

static void
what_runs_on_a_draining_node_goes_on(void **state)
{
	struct job *j;

	come_up();
	j = run_one();
	backend_set_draining(b, true);
	assert_int_equal(j->state, JOB_RUNNING);
	desk_queue(&d, "a", CLASS_NORMAL);
	desk_end(&d, j);
	assert_null(desk_pick(&d));
	backend_set_draining(b, false);
	assert_non_null(desk_pick(&d));
}

/* --- faults --- */

static void
broken_answers_open_the_breaker_at_the_limit(void **state)
{
	come_up();
	for (int i = 0; i < 4; i++)
		assert_false(backend_saw_fault(b, FAULT_BROKEN, d.now));
	assert_true(backend_is_usable(b, d.now));
	assert_true(backend_saw_fault(b, FAULT_BROKEN, d.now));
	assert_int_equal(backend_breaker(b), BREAKER_OPEN);
	assert_int_equal(backend_state(b), BACKEND_UP);
	assert_false(backend_is_usable(b, d.now + 9999));
	assert_true(backend_is_usable(b, d.now + 10000));
}

static void
a_good_probe_does_not_close_the_breaker(void **state)
{
	come_up();
	assert_true(backend_saw_fault(b, FAULT_HANG, d.now));
	assert_int_equal(backend_breaker(b), BREAKER_OPEN);
	backend_saw_probe(b, true, d.now);
	assert_int_equal(backend_breaker(b), BREAKER_OPEN);
	assert_false(backend_is_usable(b, d.now));
}

static void
one_job_tries_a_node_whose_breaker_was_open(void **state)
{
	struct job *trial, *next;

	come_up();
	b = desk_add(&d, (struct backend_conf){
	                     .name = "n2", .weight = 1, .parallel = 4, .max_loaded = 1, .slots = 4});
	backend_set_draining(sched_backend(d.sched, 0), true);
	backend_saw_fault(b, FAULT_HANG, d.now);
	trial = desk_queue(&d, "a", CLASS_NORMAL);
	next = desk_queue(&d, "a", CLASS_NORMAL);
	assert_null(desk_pick(&d));
	assert_int_equal(sched_next_ms(d.sched, d.now), d.now + 10000);
	d.now += 10000;
	assert_ptr_equal(desk_pick(&d), trial);
	assert_int_equal(backend_breaker(b), BREAKER_TRYING);
	assert_null(desk_pick(&d));
	assert_true(backend_saw_answer(b, d.now));
	assert_int_equal(backend_breaker(b), BREAKER_CLOSED);
	assert_ptr_equal(desk_pick(&d), next);
}

static void
a_trial_whose_client_left_makes_room_for_another(void **state)
{
	struct job *trial, *next;

	come_up();
	backend_saw_fault(b, FAULT_HANG, d.now);
	d.now += 10000;
	trial = run_one();
	next = desk_queue(&d, "a", CLASS_NORMAL);
	sched_end(d.sched, trial, JOB_CLIENT_GONE, d.now);
	assert_int_equal(backend_breaker(b), BREAKER_TRYING);
	assert_ptr_equal(desk_pick(&d), next);
}

static void
a_refused_connection_fails_a_trial(void **state)
{
	come_up();
	backend_saw_fault(b, FAULT_HANG, d.now);
	d.now += 10000;
	run_one();
	assert_true(backend_saw_fault(b, FAULT_CONNECT, d.now));
	assert_int_equal(backend_breaker(b), BREAKER_OPEN);
	assert_int_equal(backend_state(b), BACKEND_DOWN);
}

static void
a_busy_node_gets_pauses_that_grow_until_it_answers(void **state)
{
	static const int64_t pauses[] = {250, 500, 1000, 2000, 4000, 8000, 10000, 10000};

	come_up();
	for (int i = 0; i < 8; i++) {
		assert_false(backend_saw_fault(b, FAULT_BUSY, d.now));
		/* All that was sent at the same time comes back at the same time. */
		assert_false(backend_saw_fault(b, FAULT_BUSY, d.now));
		assert_false(backend_is_usable(b, d.now + pauses[i] - 1));
		assert_true(backend_is_usable(b, d.now + pauses[i]));
		d.now += pauses[i];
	}
	assert_int_equal(backend_breaker(b), BREAKER_CLOSED);
	assert_int_equal(backend_state(b), BACKEND_UP);
	assert_false(backend_saw_answer(b, d.now));
	backend_saw_fault(b, FAULT_BUSY, d.now);
	assert_true(backend_is_usable(b, d.now + 250));
}

static void
a_busy_trial_proves_nothing(void **state)
{
	struct job *trial;

	come_up();
	backend_saw_fault(b, FAULT_HANG, d.now);
	d.now += 10000;
	trial = run_one();
	backend_saw_fault(b, FAULT_BUSY, d.now);
	desk_end(&d, trial);
	assert_int_equal(backend_breaker(b), BREAKER_TRYING);
	assert_false(backend_is_usable(b, d.now));
	d.now += 250;
	run_one();
}

/* --- models --- */

static void
lists_what_its_configuration_allows(void **state)
{
	static const char *const globs[] = {"qwen2.5:*", "B"};
	struct backend_conf conf = node_conf("n2");

	conf.models = globs;
	conf.model_count = 2;
	b = desk_add(&d, conf);
	list_models(b, "a", "b", "qwen2.5:7b");
	assert_false(backend_has_model(b, "a"));
	assert_true(backend_has_model(b, "b"));
	assert_true(backend_has_model(b, "qwen2.5:7b"));
	list_models(b, "qwen2.5:72b", "b:latest", "b:1");
	assert_true(backend_has_model(b, "b:latest"));
	assert_false(backend_has_model(b, "b:1"));
	assert_false(backend_has_model(b, "qwen2.5:7b"));
	assert_true(backend_has_model(b, "qwen2.5:72b"));
}

static void
holds_what_was_sent_there_from_then_on(void **state)
{
	come_up();
	assert_false(backend_holds_model(b, "a"));
	run_one();
	assert_false(d.was_loaded);
	assert_true(backend_holds_model(b, "a"));
	/* The snapshot may be older than that, and what runs is held whatever it says. */
	load_models(b, NULL, NULL, NULL);
	load_models(b, NULL, NULL, NULL);
	assert_true(backend_holds_model(b, "a"));
}

static void
a_second_snapshot_is_believed(void **state)
{
	come_up();
	desk_end(&d, run_one());
	load_models(b, NULL, NULL, NULL);
	assert_true(backend_holds_model(b, "a"));
	load_models(b, NULL, NULL, NULL);
	assert_false(backend_holds_model(b, "a"));
}

static void
what_must_make_room_counts_as_gone(void **state)
{
	come_up();
	load_models(b, "b", NULL, NULL);
	desk_end(&d, run_one());
	assert_false(backend_holds_model(b, "b"));
	/* An old snapshot does not bring it back, the next one does. */
	load_models(b, "b", NULL, NULL);
	assert_false(backend_holds_model(b, "b"));
	load_models(b, "b", NULL, NULL);
	assert_true(backend_holds_model(b, "b"));
	assert_false(backend_holds_model(b, "a"));
}

static void
the_model_that_was_idle_longest_makes_room(void **state)
{
	struct backend_conf conf = node_conf("n2");
	static const char *const order[] = {"a", "b"};

	conf.max_loaded = 2;
	conf.slots = 2;
	b = desk_add(&d, conf);
	for (int i = 0; i < 2; i++) {
		struct job *j = desk_queue(&d, order[i], CLASS_NORMAL);

		d.now += 10;
		assert_ptr_equal(desk_pick(&d), j);
		desk_end(&d, j);
	}
	desk_queue(&d, "c", CLASS_NORMAL);
	assert_non_null(desk_pick(&d));
	assert_false(backend_holds_model(b, "a"));
	assert_true(backend_holds_model(b, "b"));
	assert_true(backend_holds_model(b, "c"));
}

static void
is_loaded_once_a_job_was_done_or_a_snapshot_shows_it(void **state)
{
	come_up();
	sched_end(d.sched, run_one(), JOB_CLIENT_GONE, d.now);
	assert_false(d.was_loaded);
	desk_end(&d, run_one());
	assert_false(d.was_loaded);
	desk_end(&d, run_one());
	assert_true(d.was_loaded);
	load_models(b, "b", NULL, NULL);
	desk_queue(&d, "b", CLASS_NORMAL);
	assert_non_null(desk_pick(&d));
	assert_true(d.was_loaded);
}

static void
every_state_has_a_name(void **state)
{
	assert_string_equal(backend_state_name(BACKEND_UNKNOWN), "unknown");
	assert_string_equal(backend_state_name(BACKEND_UP), "up");
	assert_string_equal(backend_state_name(BACKEND_DOWN), "down");
	assert_string_equal(backend_state_name(BACKEND_DRAINING), "draining");
	assert_string_equal(breaker_state_name(BREAKER_CLOSED), "closed");
	assert_string_equal(breaker_state_name(BREAKER_OPEN), "open");
	assert_string_equal(breaker_state_name(BREAKER_TRYING), "trying");
	assert_string_equal(backend_name(b), "n1");
	assert_int_equal(backend_weight(b), 1);
	assert_int_equal(backend_slots(b), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(one_good_probe_is_enough_at_first),
	    TEST(one_bad_probe_is_enough_at_first),
	    TEST(goes_down_after_failed_probes_in_a_row),
	    TEST(comes_back_after_good_probes_in_a_row),
	    TEST(a_refused_connection_takes_it_down_at_once),
	    TEST(draining_is_on_top_of_up),
	    TEST(what_runs_on_a_draining_node_goes_on),
	    TEST(broken_answers_open_the_breaker_at_the_limit),
	    TEST(a_good_probe_does_not_close_the_breaker),
	    TEST(one_job_tries_a_node_whose_breaker_was_open),
	    TEST(a_trial_whose_client_left_makes_room_for_another),
	    TEST(a_refused_connection_fails_a_trial),
	    TEST(a_busy_node_gets_pauses_that_grow_until_it_answers),
	    TEST(a_busy_trial_proves_nothing),
	    TEST(lists_what_its_configuration_allows),
	    TEST(holds_what_was_sent_there_from_then_on),
	    TEST(a_second_snapshot_is_believed),
	    TEST(what_must_make_room_counts_as_gone),
	    TEST(the_model_that_was_idle_longest_makes_room),
	    TEST(is_loaded_once_a_job_was_done_or_a_snapshot_shows_it),
	    TEST(every_state_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
