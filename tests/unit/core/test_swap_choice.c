/* Which swap comes first, where, and when it is looked at again. */
#include "orders.h"

/* What was asked for meanwhile is due at once when the node is back. */
static void
hold_node(bool held)
{
	backend_set_draining(node, held);
}

static void
expect_swap_for(const char *model)
{
	expect(ORDER_UNLOAD, node, "a");
	done();
	expect(ORDER_LOAD, node, model);
	done();
}

static void
who_waited_longer_goes_first(void **state)
{
	static const char *const names[] = {"b", "c"};

	for (int first = 0; first < 2; first++) {
		load_a(0);
		hold_node(true);
		ask(names[first]);
		d.now += LOAD_MS;
		ask(names[1 - first]);
		d.now += LOAD_MS;
		hold_node(false);
		expect_swap_for(names[first]);
		tear_down(state);
		set_up(state);
	}
}

/* It waits a third as fast. */
static void
who_is_of_the_low_class_waits_longer(void **state)
{
	load_a(0);
	hold_node(true);
	desk_queue(&d, "b", CLASS_LOW);
	d.now += LOAD_MS / 2;
	ask("c");
	d.now += LOAD_MS;
	hold_node(false);
	expect_swap_for("c");
}

static void
of_free_nodes_the_heavier_one_loads(void **state)
{
	struct backend_conf heavy = node_conf("n2");
	struct backend *other;

	heavy.weight = 5;
	other = desk_add(&d, heavy);
	ask("a");
	expect(ORDER_LOAD, other, "a");
	done();
}

/* Nothing else has to happen for that. */
static void
a_load_that_failed_is_looked_at_again_in_time(void **state)
{
	ask("a");
	expect(ORDER_LOAD, node, "a");
	sched_saw_order(d.sched, &o, ORDER_FAILED, d.now);
	assert_int_equal(wait_for_order(), 10000);
	assert_int_equal(o.kind, ORDER_LOAD);
	done();
}

static void
what_stayed_when_it_was_told_to_go_is_told_again_a_minute_later(void **state)
{
	load_a(0);
	ask("b");
	wait_for_order();
	assert_int_equal(o.kind, ORDER_UNLOAD);
	sched_saw_order(d.sched, &o, ORDER_FAILED, d.now);
	assert_int_equal(wait_for_order(), 60000);
	assert_int_equal(o.kind, ORDER_UNLOAD);
	assert_string_equal(o.model, "a");
	done();
}

static void
a_node_that_has_a_pause_is_looked_at_when_it_is_over(void **state)
{
	backend_saw_fault(node, FAULT_BUSY, d.now);
	assert_false(backend_is_usable(node, d.now));
	ask("a");
	assert_true(wait_for_order() > 0);
	assert_int_equal(o.kind, ORDER_LOAD);
	assert_true(backend_is_usable(node, d.now));
	assert_false(backend_is_usable(node, d.now - 1));
	done();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(who_waited_longer_goes_first),
	    TEST(who_is_of_the_low_class_waits_longer),
	    TEST(of_free_nodes_the_heavier_one_loads),
	    TEST(a_load_that_failed_is_looked_at_again_in_time),
	    TEST(what_stayed_when_it_was_told_to_go_is_told_again_a_minute_later),
	    TEST(a_node_that_has_a_pause_is_looked_at_when_it_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
