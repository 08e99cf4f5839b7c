/* What others load, unload and lose is taken over. */
#include "orders.h"

#include "core/watchdog.h"

static void
a_node_that_makes_room_by_itself_is_not_filled_any_more(void **state)
{
	struct backend_conf conf = node_conf("n2");
	struct backend *wide;

	conf.max_loaded = 3;
	conf.parallel = conf.slots = 4;
	backend_set_draining(node, true);
	wide = desk_add(&d, conf);
	ask("a");
	expect(ORDER_LOAD, wide, "a");
	done();
	desk_pick_all(&d);
	desk_end(&d, &d.jobs[0]);
	d.now += 1000;
	ask("b");
	expect(ORDER_LOAD, wide, "b");
	d.now += 1000;
	done();
	desk_pick_all(&d);
	load_models(wide, "b", NULL, NULL);
	load_models(wide, "b", NULL, NULL);
	assert_false(backend_holds_model(wide, "a"));
	assert_int_equal(backend_max_loaded(wide), 1);
	/* So there is no free place for "c". */
	ask("c");
	assert_false(take());
}

static void
what_expires_by_itself_teaches_nothing(void **state)
{
	struct backend_conf conf = node_conf("n2");
	struct backend *wide;

	conf.max_loaded = 2;
	backend_set_draining(node, true);
	wide = desk_add(&d, conf);
	ask("a");
	expect(ORDER_LOAD, wide, "a");
	done();
	desk_pick_all(&d);
	desk_end(&d, &d.jobs[0]);
	d.now += 300000;
	ask("b");
	expect(ORDER_LOAD, wide, "b");
	done();
	load_models(wide, "b", NULL, NULL);
	load_models(wide, "b", NULL, NULL);
	assert_int_equal(backend_max_loaded(wide), 2);
}

static void
a_model_that_a_client_unloads_is_loaded_by_order_again(void **state)
{
	load_a(0);
	backend_saw_unload(node, "a");
	load_models(node, "a", NULL, NULL); /* asked before */
	assert_int_equal(ask("a")->state, JOB_QUEUED);
	expect(ORDER_LOAD, node, "a");
	done();
}

static void
a_model_that_is_unloaded_while_it_runs_takes_nothing_more(void **state)
{
	load_a(1);
	backend_saw_unload(node, "a");
	assert_true(backend_holds_model(node, "a"));
	assert_int_equal(ask("a")->state, JOB_QUEUED);
	load_models(node, "a", NULL, NULL);
	assert_false(take());
	desk_end(&d, &d.jobs[0]);
	assert_false(backend_holds_model(node, "a"));
	expect(ORDER_LOAD, node, "a");
	done();
}

/* A prompt with keep_alive 0. */
static void
a_request_may_unload_the_model_after_it(void **state)
{
	struct job *j;

	load_a(0);
	j = desk_new(&d, CLASS_NORMAL);
	j->unloads = true;
	desk_submit(&d, j, "a");
	desk_pick_all(&d);
	assert_int_equal(ask("a")->state, JOB_QUEUED);
	desk_end(&d, j);
	expect(ORDER_LOAD, node, "a");
	done();
}

static struct job *
stuck_on_a(void)
{
	struct job *j;

	load_a(1);
	j = &d.jobs[0];
	load_models(node, NULL, NULL, NULL); /* asked before it was sent */
	d.now += 10000000;
	assert_false(watchdog_is_stuck(j, d.now));
	load_models(node, NULL, NULL, NULL);
	return j;
}

static void
who_waits_where_the_model_is_lost_is_stuck_after_a_while(void **state)
{
	struct job *j = stuck_on_a();

	assert_false(watchdog_is_stuck(j, j->dispatched_at_ms + 2 * LOAD_MS + 60000));
	assert_true(watchdog_is_stuck(j, j->dispatched_at_ms + 2 * LOAD_MS + 60001));
	load_models(node, "a", NULL, NULL);
	assert_false(watchdog_is_stuck(j, d.now));
}

static void
where_one_is_stuck_nothing_more_is_sent(void **state)
{
	struct job *j = stuck_on_a();

	watchdog_saw_stuck(j, d.now);
	assert_int_equal(desk_submit(&d, desk_new(&d, CLASS_NORMAL), "a"), SCHED_LOAD_FAILED);
	assert_true(backend_holds_model(node, "a"));
	assert_false(sched_retry(d.sched, j, d.now));
	sched_end(d.sched, j, JOB_BACKEND_ERROR, d.now);
	assert_false(backend_holds_model(node, "a"));
	d.now += 10000;
	ask("a");
	expect(ORDER_LOAD, node, "a");
	done();
}

static void
what_cannot_be_unloaded_stays_for_a_while(void **state)
{
	load_a(0);
	d.now += 1000000;
	ask("b");
	wait_for_order();
	sched_saw_order(d.sched, &o, ORDER_FAILED, d.now);
	assert_false(take());
	d.now += 60000;
	expect(ORDER_UNLOAD, node, "a");
	sched_saw_order(d.sched, &o, ORDER_LOST, d.now);
	expect(ORDER_UNLOAD, node, "a");
	sched_saw_order(d.sched, &o, ORDER_FAILED, d.now);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_node_that_makes_room_by_itself_is_not_filled_any_more),
	    TEST(what_expires_by_itself_teaches_nothing),
	    TEST(a_model_that_a_client_unloads_is_loaded_by_order_again),
	    TEST(a_model_that_is_unloaded_while_it_runs_takes_nothing_more),
	    TEST(a_request_may_unload_the_model_after_it),
	    TEST(who_waits_where_the_model_is_lost_is_stuck_after_a_while),
	    TEST(where_one_is_stuck_nothing_more_is_sent),
	    TEST(what_cannot_be_unloaded_stays_for_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
