/* Loads as orders: when one model goes for another, and in what steps. */
#include "orders.h"

static void
loads_at_once_where_there_is_a_free_place(void **state)
{
	struct job *j = ask("a");

	assert_int_equal(j->state, JOB_QUEUED);
	expect(ORDER_LOAD, node, "a");
	assert_false(take());
	assert_null(desk_pick(&d));
	d.now += LOAD_MS;
	done();
	assert_ptr_equal(desk_pick(&d), j);
	assert_true(d.was_loaded);
	assert_false(take());
}

static void
a_client_that_leaves_does_not_stop_a_load(void **state)
{
	struct job *j = ask("a");

	expect(ORDER_LOAD, node, "a");
	sched_end(d.sched, j, JOB_CLIENT_GONE, d.now);
	assert_false(take());
	done();
	assert_true(backend_holds_model(node, "a"));
}

static void
an_idle_model_goes_soon_by_name_and_first(void **state)
{
	struct job *j;

	load_a(0);
	d.now += 1000000;
	j = ask("b");
	assert_in_range(wait_for_order(), 0, 5000);
	assert_int_equal(o.kind, ORDER_UNLOAD);
	assert_string_equal(o.model, "a");
	assert_false(take());
	done();
	expect(ORDER_LOAD, node, "b");
	done();
	assert_ptr_equal(desk_pick(&d), j);
}

static void
a_model_in_use_goes_when_the_wait_pays_for_it_after_its_quantum(void **state)
{
	enum { QUANTUM_MS = 2 * (LOAD_MS + LOAD_MS) };
	struct job *queued;

	load_a(2);
	queued = ask("a");
	for (int i = 0; i < 5; i++)
		ask("b");
	d.now += QUANTUM_MS - 1;
	assert_false(take());
	desk_end(&d, &d.jobs[0]);
	assert_ptr_equal(desk_pick(&d), queued);
	ask("a");
	d.now += 1;
	assert_false(take());
	/* It drains. */
	desk_end(&d, &d.jobs[1]);
	assert_null(desk_pick(&d));
	desk_end(&d, queued);
	assert_null(desk_pick(&d));
	expect(ORDER_UNLOAD, node, "a");
}

static void
who_waits_alone_is_not_starved(void **state)
{
	struct job *lone;

	load_a(2);
	lone = ask("b");
	/* One after the other for "a": its use costs more than one that waits is worth. */
	for (int i = 0; i < 400; i++) {
		ask("a");
		d.now += 1000;
		if (take())
			break;
		for (int n = 0; n < d.used; n++)
			if (d.jobs[n].state == JOB_RUNNING) {
				desk_end(&d, &d.jobs[n]);
				break;
			}
		desk_pick_all(&d);
	}
	assert_int_equal(o.kind, ORDER_UNLOAD);
	assert_in_range(d.now - lone->queued_at_ms, 4 * LOAD_MS,
	                60000 + 2 * (2 * LOAD_MS + 2000) + 5000);
}

/* Of "a", "b" and "c". */
static const int64_t measured_ms[] = {10000, 10000, 200000};

static int64_t
order_takes_ms(void)
{
	return o.kind == ORDER_LOAD ? measured_ms[o.model[0] - 'a'] : 1000;
}

static void
end_all(void)
{
	for (int n = 0; n < d.used; n++)
		if (d.jobs[n].state == JOB_RUNNING)
			desk_end(&d, &d.jobs[n]);
}

static void
measure_load(const char *model)
{
	ask(model);
	while (!backend_holds_model(node, model)) {
		wait_for_order();
		d.now += order_takes_ms();
		done();
	}
	desk_pick_all(&d);
	end_all();
	d.now += 300000;
}

/* Five seconds in which two jobs for each of "a" and "b" come and two end. */
static void
work(int64_t *order_ends_ms)
{
	for (int i = 0; i < 2 && d.used < DESK_JOBS - 1 && sched_waiting(d.sched) < 20; i++) {
		ask("a");
		ask("b");
	}
	if (*order_ends_ms == 0 && take())
		*order_ends_ms = d.now + order_takes_ms();
	d.now += 5000;
	if (*order_ends_ms != 0 && d.now >= *order_ends_ms) {
		*order_ends_ms = 0;
		done();
	}
	end_all();
	desk_pick_all(&d);
}

/* Two models that load fast and always have work would swap for ever, each after its quantum,
 * before that of a model that loads slowly is over. */
static void
a_slow_model_gets_its_turn_between_two_fast_ones(void **state)
{
	enum { STARVES_MS = 60000 + 2 * 212000, QUANTUM_MS = 2 * 210000, SWAP_MS = 201000 };
	int64_t order_ends_ms = 0;
	struct job *slow;

	measure_load("c");
	measure_load("b");
	measure_load("a");
	ask("a");
	slow = desk_queue(&d, "c", CLASS_HIGH);
	while (slow->state == JOB_QUEUED && d.now - slow->queued_at_ms < 3600000)
		work(&order_ends_ms);
	assert_in_range(d.now - slow->queued_at_ms, 0, STARVES_MS + QUANTUM_MS + SWAP_MS);
}

static void
a_node_drains_before_it_is_told_to_unload(void **state)
{
	struct job *late;

	load_a(2);
	d.now += 1000000;
	ask("b");
	assert_false(take());
	d.now += 600000 - 1;
	assert_false(take());
	/* It drains: another one for "a" is not let in, since what ran should be over by now. */
	desk_end(&d, &d.jobs[0]);
	late = ask("a");
	assert_int_equal(late->state, JOB_QUEUED);
	assert_false(take());
	desk_end(&d, &d.jobs[1]);
	expect(ORDER_UNLOAD, node, "a");
}

static void
what_ends_in_time_is_let_in_while_a_node_drains(void **state)
{
	struct job *fits, *running;

	load_a(0);
	running = desk_new(&d, CLASS_NORMAL);
	running->prompt_tokens = 100000;
	desk_submit(&d, running, "a");
	desk_pick_all(&d);
	d.now += 300000;
	ask("b");
	d.now += 500000;
	assert_false(take());
	fits = desk_new(&d, CLASS_NORMAL);
	fits->most_output_tokens = 1;
	desk_submit(&d, fits, "a");
	assert_ptr_equal(desk_pick(&d), fits);
}

static void
a_swap_that_nobody_wants_any_more_is_given_up(void **state)
{
	struct job *j;

	load_a(1);
	d.now += 1000000;
	j = ask("b");
	d.now += 500000;
	assert_false(take());
	sched_end(d.sched, j, JOB_CLIENT_GONE, d.now);
	assert_false(take());
	assert_int_equal(ask("a")->state, JOB_RUNNING);
}

static void
a_node_that_is_taken_out_is_given_no_order(void **state)
{
	load_a(1);
	d.now += 1000000;
	ask("b");
	d.now += 500000;
	assert_false(take());
	backend_set_draining(node, true);
	desk_end(&d, &d.jobs[0]);
	assert_false(take());
	d.now += 1000000;
	assert_false(take());
	backend_set_draining(node, false);
	expect(ORDER_UNLOAD, node, "a");
	done();
	backend_set_draining(node, true);
	assert_false(take());
	backend_set_draining(node, false);
	expect(ORDER_LOAD, node, "b");
	done();
}

static void
fail_to_load(const char *model)
{
	expect(ORDER_LOAD, node, model);
	sched_saw_order(d.sched, &o, ORDER_FAILED, d.now);
}

/* Nobody gets it so long, and then somebody does. */
static void
expect_pause(int64_t pause_ms)
{
	struct job *j = ask("a"), *late = desk_new(&d, CLASS_NORMAL);

	fail_to_load("a");
	assert_false(backend_holds_model(node, "a"));
	assert_ptr_equal(sched_take_hopeless(d.sched, d.now), j);
	assert_int_equal(sched_outlook(d.sched, j, "a"), SCHED_LOAD_FAILED);
	d.now += pause_ms - 1;
	assert_int_equal(desk_submit(&d, late, "a"), SCHED_LOAD_FAILED);
	d.now += 1;
}

static void
a_load_that_failed_is_told_to_those_who_wait_and_not_tried_for_a_while(void **state)
{
	struct job *j;

	for (int64_t pause_ms = 10000; pause_ms < 320000; pause_ms *= 2)
		expect_pause(pause_ms);
	expect_pause(320000);
	expect_pause(320000); /* for no longer */
	j = ask("a");
	expect(ORDER_LOAD, node, "a");
	done();
	assert_ptr_equal(desk_pick(&d), j);
	desk_end(&d, j);
	/* What went well once is tried as soon as in the beginning. */
	backend_saw_unload(node, "a");
	load_models(node, NULL, NULL, NULL);
	load_models(node, NULL, NULL, NULL);
	expect_pause(10000);
	ask("a");
	expect(ORDER_LOAD, node, "a");
	done();
}

static void
where_a_load_failed_another_node_loads(void **state)
{
	struct backend *other = desk_add(&d, node_conf("n2"));
	struct job *j = ask("a");

	fail_to_load("a");
	assert_null(sched_take_hopeless(d.sched, d.now));
	expect(ORDER_LOAD, other, "a");
	done();
	assert_ptr_equal(desk_pick(&d), j);
	assert_ptr_equal(j->backend, other);
}

static void
a_load_that_was_lost_says_nothing_of_the_model(void **state)
{
	ask("a");
	expect(ORDER_LOAD, node, "a");
	sched_saw_order(d.sched, &o, ORDER_LOST, d.now);
	assert_null(sched_take_hopeless(d.sched, d.now));
	expect(ORDER_LOAD, node, "a");
	done();
}

static void
what_was_made_anew_may_be_tried_at_once(void **state)
{
	ask("a");
	fail_to_load("a");
	assert_non_null(sched_take_hopeless(d.sched, d.now));
	backend_saw_change(node, "a");
	ask("a");
	expect(ORDER_LOAD, node, "a");
	done();
}

/* Measured: twice that and a margin. */
static void
a_load_may_take_what_it_takes_until_it_was_measured(void **state)
{
	ask("a");
	expect(ORDER_LOAD, node, "a");
	assert_int_equal(o.limit_ms, 0);
	d.now += 5000;
	done();
	desk_pick_all(&d);
	desk_end(&d, &d.jobs[0]);
	backend_saw_unload(node, "a");
	ask("a");
	expect(ORDER_LOAD, node, "a");
	assert_int_equal(o.limit_ms, 2 * 5000 + 60000);
	done();
}

static void
who_insists_on_a_node_has_its_model_loaded_there(void **state)
{
	struct backend *other;
	struct job *j;

	load_a(1);
	j = desk_new(&d, CLASS_NORMAL);
	other = desk_add(&d, node_conf("n2"));
	j->only = other;
	desk_submit(&d, j, "a");
	expect(ORDER_LOAD, other, "a");
	done();
	assert_ptr_equal(desk_pick(&d), j);
}

static void
no_node_is_loaded_that_nobody_may_use(void **state)
{
	struct backend *other = desk_add(&d, node_conf("n2"));
	struct job *j = desk_new(&d, CLASS_NORMAL);

	backend_set_draining(node, true);
	j->only = node;
	desk_submit(&d, j, "a");
	assert_false(take());
	backend_set_draining(node, false);
	expect(ORDER_LOAD, node, "a");
	done();
	assert_false(backend_holds_model(other, "a"));
}

static void
who_was_failed_by_the_only_node_that_has_it_goes_back_there(void **state)
{
	struct job *j;

	desk_add(&d, node_conf("n2"));
	load_a(1);
	j = &d.jobs[0];
	assert_true(sched_retry(d.sched, j, d.now));
	assert_ptr_equal(desk_pick(&d), j);
	assert_ptr_equal(j->backend, node);
}

/* Two models at once, of which "a" runs and "b" is on its way. */
static struct backend *
load_b_beside_a(void)
{
	struct backend_conf conf = node_conf("n2");
	struct backend *wide;

	conf.max_loaded = 2;
	conf.parallel = conf.slots = 4;
	backend_set_draining(node, true);
	wide = desk_add(&d, conf);
	load_models(wide, "a", NULL, NULL);
	ask("b");
	expect(ORDER_LOAD, wide, "b");
	return wide;
}

/* Ollama waits for a model to fall idle when its memory is full, and so would everybody. */
static void
a_load_that_the_node_does_not_show_gets_it_for_itself(void **state)
{
	struct backend *wide = load_b_beside_a();

	load_models(wide, "a", NULL, NULL);
	assert_int_equal(ask("a")->state, JOB_RUNNING);
	load_models(wide, "a", NULL, NULL);
	assert_int_equal(ask("a")->state, JOB_QUEUED);
	done();
	assert_int_equal(desk_pick_all(&d), 2);
}

static void
an_unload_that_failed_of_what_has_gone_stands_against_nothing(void **state)
{
	load_a(0);
	d.now += 1000000;
	ask("b");
	(void)wait_for_order();
	assert_int_equal(o.kind, ORDER_UNLOAD);
	backend_saw_unload(node, "a");
	sched_saw_order(d.sched, &o, ORDER_FAILED, d.now);
	assert_false(backend_holds_model(node, "a"));
	assert_int_equal(desk_submit(&d, desk_new(&d, CLASS_NORMAL), "a"), SCHED_QUEUED);
}

static void
a_load_that_the_node_shows_disturbs_nobody(void **state)
{
	struct backend *wide = load_b_beside_a();

	for (int i = 0; i < 3; i++) {
		load_models(wide, "a", "b", NULL);
		assert_int_equal(ask("a")->state, JOB_RUNNING);
	}
	assert_false(take());
	done();
}

static void
an_unload_that_failed_gives_the_node_back(void **state)
{
	load_a(0);
	d.now += 1000000;
	ask("b");
	wait_for_order();
	sched_saw_order(d.sched, &o, ORDER_FAILED, d.now);
	assert_int_equal(ask("a")->state, JOB_RUNNING);
}

static void
a_place_that_others_took_meanwhile_is_made_again(void **state)
{
	load_a(0);
	d.now += 1000000;
	ask("b");
	wait_for_order();
	done();
	load_models(node, "c", NULL, NULL);
	wait_for_order();
	assert_int_equal(o.kind, ORDER_UNLOAD);
	assert_string_equal(o.model, "c");
	done();
	expect(ORDER_LOAD, node, "b");
	done();
}

static void
a_second_copy_is_made_when_the_first_is_full(void **state)
{
	struct backend *other;

	load_a(2);
	other = desk_add(&d, node_conf("n2"));
	for (int i = 0; i < 10; i++)
		ask("a");
	assert_in_range(wait_for_order(), 1, LOAD_MS);
	assert_int_equal(o.kind, ORDER_LOAD);
	assert_ptr_equal(o.backend, other);
	assert_string_equal(o.model, "a");
	done();
}

static void
a_listing_of_what_is_held_does_not_undo_an_order(void **state)
{
	ask("a");
	expect(ORDER_LOAD, node, "a");
	for (int i = 0; i < 3; i++)
		load_models(node, NULL, NULL, NULL);
	assert_false(take());
	done();
	assert_non_null(desk_pick(&d));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(loads_at_once_where_there_is_a_free_place),
	    TEST(a_client_that_leaves_does_not_stop_a_load),
	    TEST(an_idle_model_goes_soon_by_name_and_first),
	    TEST(a_model_in_use_goes_when_the_wait_pays_for_it_after_its_quantum),
	    TEST(who_waits_alone_is_not_starved),
	    TEST(a_slow_model_gets_its_turn_between_two_fast_ones),
	    TEST(a_node_drains_before_it_is_told_to_unload),
	    TEST(what_ends_in_time_is_let_in_while_a_node_drains),
	    TEST(a_swap_that_nobody_wants_any_more_is_given_up),
	    TEST(a_node_that_is_taken_out_is_given_no_order),
	    TEST(a_load_that_failed_is_told_to_those_who_wait_and_not_tried_for_a_while),
	    TEST(where_a_load_failed_another_node_loads),
	    TEST(a_load_that_was_lost_says_nothing_of_the_model),
	    TEST(what_was_made_anew_may_be_tried_at_once),
	    TEST(a_load_may_take_what_it_takes_until_it_was_measured),
	    TEST(who_insists_on_a_node_has_its_model_loaded_there),
	    TEST(no_node_is_loaded_that_nobody_may_use),
	    TEST(who_was_failed_by_the_only_node_that_has_it_goes_back_there),
	    TEST(an_unload_that_failed_of_what_has_gone_stands_against_nothing),
	    TEST(a_load_that_the_node_does_not_show_gets_it_for_itself),
	    TEST(a_load_that_the_node_shows_disturbs_nobody),
	    TEST(an_unload_that_failed_gives_the_node_back),
	    TEST(a_place_that_others_took_meanwhile_is_made_again),
	    TEST(a_second_copy_is_made_when_the_first_is_full),
	    TEST(a_listing_of_what_is_held_does_not_undo_an_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
