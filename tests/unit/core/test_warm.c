/* Warming up: what nobody asked for is loaded at nobody's expense. */
#include "desk.h"

#include "core/warm.h"

enum { REST_MS = 5 * 60 * 1000 };

static struct desk d;
static struct order o;
static struct backend *node, *other, *where;

static int
set_up(void **state)
{
	struct sched_conf conf = desk_conf();

	conf.loads_by_orders = true;
	desk_open(&d, &conf);
	node = desk_add(&d, node_conf("n1"));
	return 0;
}

static int
tear_down(void **state)
{
	desk_close(&d);
	return 0;
}

static enum warm_answer
warm_on(struct backend *b, const char *model)
{
	struct warm_wish wish = {.model = model, .only = b};

	return sched_warm(d.sched, &wish, d.now, &where);
}

static enum warm_answer
warm(const char *model)
{
	return warm_on(NULL, model);
}

static void
expect(enum order_kind kind, const struct backend *b, const char *model)
{
	assert_true(sched_take_order(d.sched, d.now, &o));
	assert_int_equal(o.kind, kind);
	assert_ptr_equal(o.backend, b);
	assert_string_equal(o.model, model);
}

static void
expect_nothing(void)
{
	assert_false(sched_take_order(d.sched, d.now, &o));
}

static void
end(enum order_end how)
{
	d.now += 30000;
	sched_saw_order(d.sched, &o, how, d.now);
}

static void
load(struct backend *b, const char *model)
{
	assert_int_equal(warm_on(b, model), WARM_LOADING);
	expect(ORDER_LOAD, b, model);
	end(ORDER_DONE);
}

static void
a_model_is_loaded_where_there_is_room(void **state)
{
	assert_int_equal(warm("a"), WARM_LOADING);
	assert_ptr_equal(where, node);
	expect(ORDER_LOAD, node, "a");
	expect_nothing();
	assert_int_equal(warm("a"), WARM_LOADING);
	expect_nothing();
	end(ORDER_DONE);
	assert_int_equal(warm("a"), WARM_LOADED);
	assert_ptr_equal(where, node);
	expect_nothing();
}

static void
of_several_nodes_one_is_enough_and_the_one_with_room_is_taken(void **state)
{
	load(node, "a");
	d.now += REST_MS;
	other = desk_add(&d, node_conf("n2"));
	assert_int_equal(warm("b"), WARM_LOADING);
	expect(ORDER_LOAD, other, "b");
	end(ORDER_DONE);
	assert_int_equal(warm("b"), WARM_LOADED);
	assert_int_equal(warm_on(node, "b"), WARM_LOADING);
	expect(ORDER_UNLOAD, node, "a");
	end(ORDER_DONE);
	expect(ORDER_LOAD, node, "b");
	end(ORDER_DONE);
}

static void
models_are_spread_over_the_nodes(void **state)
{
	struct backend_conf three = node_conf("n2");
	struct backend *third;

	three.max_loaded = 3;
	other = desk_add(&d, three);
	three.name = "n3";
	three.weight = 2;
	third = desk_add(&d, three);
	assert_int_equal(warm("a"), WARM_LOADING);
	expect(ORDER_LOAD, third, "a");
	end(ORDER_DONE);
	assert_int_equal(warm("b"), WARM_LOADING);
	expect(ORDER_LOAD, other, "b");
	end(ORDER_DONE);
}

static void
what_runs_does_not_give_way(void **state)
{
	struct job *j;

	load(node, "a");
	j = desk_queue(&d, "a", CLASS_NORMAL);
	assert_ptr_equal(desk_pick(&d), j);
	d.now += 10 * REST_MS;
	assert_int_equal(warm("b"), WARM_NO_ROOM);
	assert_ptr_equal(where, node);
	expect_nothing();
	desk_end(&d, j);
	assert_int_equal(warm("b"), WARM_NO_ROOM);
	d.now += REST_MS - 1;
	assert_int_equal(warm("b"), WARM_NO_ROOM);
	d.now += 1;
	assert_int_equal(warm("b"), WARM_LOADING);
	expect(ORDER_UNLOAD, node, "a");
	end(ORDER_DONE);
	expect(ORDER_LOAD, node, "b");
	end(ORDER_DONE);
	assert_true(backend_holds_model(node, "b"));
	assert_false(backend_holds_model(node, "a"));
}

static void
what_was_asked_for_lately_does_not_give_way(void **state)
{
	struct job *j;

	load(node, "a");
	d.now += 2 * REST_MS;
	/* It left before it started; somebody wanted it all the same. */
	backend_set_draining(node, true);
	j = desk_queue(&d, "a", CLASS_NORMAL);
	sched_end(d.sched, j, JOB_CLIENT_GONE, d.now);
	backend_set_draining(node, false);
	d.now += REST_MS - 1;
	assert_int_equal(warm("b"), WARM_NO_ROOM);
	d.now += 1;
	assert_int_equal(warm("b"), WARM_LOADING);
}

static void
what_was_warmed_a_moment_ago_does_not_give_way(void **state)
{
	load(node, "a");
	assert_int_equal(warm("b"), WARM_NO_ROOM);
}

static void
what_a_node_held_before_it_was_seen_counts_as_used(void **state)
{
	other = desk_add(&d, node_conf("n2"));
	load_models(other, "a", NULL, NULL);
	assert_int_equal(warm_on(other, "b"), WARM_NO_ROOM);
	d.now += REST_MS;
	assert_int_equal(warm_on(other, "b"), WARM_LOADING);
}

static void
of_several_at_rest_the_one_that_rests_longest_goes(void **state)
{
	struct backend_conf two = node_conf("n2");

	two.max_loaded = 2;
	other = desk_add(&d, two);
	load(other, "b");
	load(other, "a");
	d.now += REST_MS;
	assert_int_equal(warm_on(other, "c"), WARM_LOADING);
	expect(ORDER_UNLOAD, other, "b");
	end(ORDER_DONE);
}

static void
who_is_asked_for_in_the_last_moment_stays(void **state)
{
	struct job *j;

	load(node, "a");
	d.now += REST_MS;
	assert_int_equal(warm("b"), WARM_LOADING);
	j = desk_queue(&d, "a", CLASS_NORMAL);
	expect_nothing();
	assert_ptr_equal(desk_pick(&d), j);
	assert_int_equal(warm("b"), WARM_NO_ROOM);
}

static void
who_waits_for_a_load_goes_first(void **state)
{
	struct job *running, *waiting;

	load(node, "a");
	running = desk_queue(&d, "a", CLASS_NORMAL);
	assert_ptr_equal(desk_pick(&d), running);
	waiting = desk_queue(&d, "c", CLASS_LOW);
	assert_int_equal(warm("b"), WARM_LATER);
	expect_nothing();
	sched_end(d.sched, waiting, JOB_CLIENT_GONE, d.now);
	assert_int_equal(warm("b"), WARM_NO_ROOM);
	desk_end(&d, running);
}

static void
a_node_makes_one_change_at_a_time(void **state)
{
	struct backend_conf two = node_conf("n2");

	two.max_loaded = 2;
	other = desk_add(&d, two);
	assert_int_equal(warm_on(other, "a"), WARM_LOADING);
	expect(ORDER_LOAD, other, "a");
	assert_int_equal(warm_on(other, "b"), WARM_LATER);
	expect_nothing();
	end(ORDER_DONE);
	load(other, "b");
}

static void
what_failed_to_load_is_left_alone_for_a_while(void **state)
{
	assert_int_equal(warm("a"), WARM_LOADING);
	expect(ORDER_LOAD, node, "a");
	end(ORDER_FAILED);
	assert_int_equal(warm("a"), WARM_FAILED);
	assert_ptr_equal(where, node);
	expect_nothing();
	d.now += 1000000;
	assert_int_equal(warm("a"), WARM_LOADING);
}

static void
a_model_with_other_options_is_not_loaded_anew(void **state)
{
	struct warm_wish wish = {.model = "a"};

	load(node, "a");
	d.now += REST_MS;
	variant_options_set(&wish.options, OPTION_NUM_CTX, 8192);
	assert_int_equal(sched_warm(d.sched, &wish, d.now, &where), WARM_LOADED);
	expect_nothing();
}

static void
options_go_with_the_order(void **state)
{
	struct warm_wish wish = {.model = "a"};

	variant_options_set(&wish.options, OPTION_NUM_CTX, 8192);
	assert_int_equal(sched_warm(d.sched, &wish, d.now, &where), WARM_LOADING);
	expect(ORDER_LOAD, node, "a");
	assert_int_equal(o.options.values[OPTION_NUM_CTX], 8192);
	end(ORDER_DONE);
	assert_int_equal(warm("a"), WARM_LOADED);
}

static void
nodes_that_cannot_be_used_and_models_that_nobody_has_are_told_apart(void **state)
{
	assert_int_equal(warm("x"), WARM_UNKNOWN_MODEL);
	backend_set_draining(node, true);
	assert_int_equal(warm("a"), WARM_NO_BACKEND);
	backend_set_draining(node, false);
	backend_saw_fault(node, FAULT_CONNECT, d.now);
	assert_int_equal(warm("a"), WARM_NO_BACKEND);
	other = desk_add_unknown(&d, node_conf("n2"));
	assert_int_equal(warm_on(other, "x"), WARM_NO_BACKEND);
	assert_ptr_equal(where, other);
	expect_nothing();
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(a_model_is_loaded_where_there_is_room),
	    TEST(of_several_nodes_one_is_enough_and_the_one_with_room_is_taken),
	    TEST(models_are_spread_over_the_nodes),
	    TEST(what_runs_does_not_give_way),
	    TEST(what_was_asked_for_lately_does_not_give_way),
	    TEST(what_was_warmed_a_moment_ago_does_not_give_way),
	    TEST(what_a_node_held_before_it_was_seen_counts_as_used),
	    TEST(of_several_at_rest_the_one_that_rests_longest_goes),
	    TEST(who_is_asked_for_in_the_last_moment_stays),
	    TEST(who_waits_for_a_load_goes_first),
	    TEST(a_node_makes_one_change_at_a_time),
	    TEST(what_failed_to_load_is_left_alone_for_a_while),
	    TEST(a_model_with_other_options_is_not_loaded_anew),
	    TEST(options_go_with_the_order),
	    TEST(nodes_that_cannot_be_used_and_models_that_nobody_has_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
