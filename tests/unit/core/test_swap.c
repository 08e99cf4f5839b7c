/* Loads as orders: when one model goes for another, and in what steps. */
#include "desk.h"

enum { LOAD_MS = 30000 /* the prior */ };

static struct desk d;
static struct order o;
static struct backend *node;

static int
set_up(void **state)
{
	struct sched_conf conf = desk_conf();
	struct backend_conf wide = node_conf("n1");

	conf.loads_by_orders = true;
	wide.parallel = wide.slots = 2;
	desk_open(&d, &conf);
	node = desk_add(&d, wide);
	return 0;
}

static int
tear_down(void **state)
{
	desk_close(&d);
	return 0;
}

static bool
take(void)
{
	return sched_take_order(d.sched, d.now, &o);
}

static void
expect(enum order_kind kind, const struct backend *b, const char *model)
{
	assert_true(take());
	assert_int_equal(o.kind, kind);
	assert_ptr_equal(o.backend, b);
	assert_string_equal(o.model, model);
	assert_true(o.limit_ms > 0);
}

static void
done(void)
{
	sched_saw_order(d.sched, &o, true, d.now);
}

/* A job for the model, whatever becomes of it. */
static struct job *
ask(const char *model)
{
	struct job *j = desk_queue(&d, model, CLASS_NORMAL);

	desk_pick_all(&d);
	return j;
}

/* "a" is there, with so many of its jobs running. */
static void
load_a(int running)
{
	ask("a");
	expect(ORDER_LOAD, node, "a");
	d.now += LOAD_MS;
	done();
	assert_int_equal(desk_pick_all(&d), 1);
	for (int i = 1; i < running; i++)
		assert_int_equal(ask("a")->state, JOB_RUNNING);
	if (running == 0)
		desk_end(&d, &d.jobs[0]);
	assert_false(take());
}

/* Time goes on until an order is due; how long that took. */
static int64_t
wait_for_order(void)
{
	int64_t since = d.now, most = d.now + 3600000;

	while (!take()) {
		assert_true(d.now < most);
		assert_true(sched_next_ms(d.sched, d.now) > d.now);
		d.now = sched_next_ms(d.sched, d.now);
	}
	return d.now - since;
}

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
	assert_in_range(d.now - lone->queued_at_ms, 120000, 60000 + 2 * 62000 + 5000);
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
a_load_that_failed_is_not_tried_again_for_a_while(void **state)
{
	ask("a");
	expect(ORDER_LOAD, node, "a");
	sched_saw_order(d.sched, &o, false, d.now);
	assert_false(backend_holds_model(node, "a"));
	assert_false(take());
	d.now += 59999;
	assert_false(take());
	d.now += 1;
	expect(ORDER_LOAD, node, "a");
	sched_saw_order(d.sched, &o, false, d.now);
	d.now += 119999;
	assert_false(take());
	d.now += 1;
	expect(ORDER_LOAD, node, "a");
	done();
}

static void
an_unload_that_failed_gives_the_node_back(void **state)
{
	load_a(0);
	d.now += 1000000;
	ask("b");
	wait_for_order();
	sched_saw_order(d.sched, &o, false, d.now);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(loads_at_once_where_there_is_a_free_place),
	    TEST(a_client_that_leaves_does_not_stop_a_load),
	    TEST(an_idle_model_goes_soon_by_name_and_first),
	    TEST(a_model_in_use_goes_when_the_wait_pays_for_it_after_its_quantum),
	    TEST(who_waits_alone_is_not_starved),
	    TEST(a_node_drains_before_it_is_told_to_unload),
	    TEST(what_ends_in_time_is_let_in_while_a_node_drains),
	    TEST(a_swap_that_nobody_wants_any_more_is_given_up),
	    TEST(a_load_that_failed_is_not_tried_again_for_a_while),
	    TEST(an_unload_that_failed_gives_the_node_back),
	    TEST(a_place_that_others_took_meanwhile_is_made_again),
	    TEST(a_second_copy_is_made_when_the_first_is_full),
	    TEST(a_listing_of_what_is_held_does_not_undo_an_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
