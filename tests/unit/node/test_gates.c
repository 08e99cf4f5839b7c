#include "../check.h"

#include "gates.h"

struct traveller {
	struct gates *gates;
	struct gate_hold hold;
	int freed;
	bool returns; /* stops at the same gate again as soon as it is freed */
};

static void
on_open(void *arg)
{
	struct traveller *t = arg;

	t->freed++;
	if (t->returns)
		gates_stop(t->gates, &t->hold, str_of("g"), GATE_TOKEN, t->freed + 1);
}

static void
travel(struct traveller *t, struct gates *g)
{
	*t = (struct traveller){.gates = g};
	gate_hold_init(&t->hold, on_open, t);
}

static bool
stops(struct traveller *t, const char *names, enum gate_point point, int token)
{
	return gates_stop(t->gates, &t->hold, str_of(names), point, token);
}

static void
holds_only_who_names_it_and_only_at_its_point(void **state)
{
	struct gates g;
	struct traveller t;

	gates_init(&g);
	travel(&t, &g);
	assert_false(stops(&t, "g", GATE_TOKEN, 1));
	assert_true(gates_close(&g, "g", "before_token:3"));
	assert_false(stops(&t, "other", GATE_TOKEN, 3));
	assert_false(stops(&t, "g", GATE_TOKEN, 2));
	assert_false(stops(&t, "g", GATE_LOAD, 0));
	assert_true(stops(&t, "x, g ", GATE_TOKEN, 3));
	assert_int_equal(g.held, 1);
	assert_true(gates_open(&g, "g", 0));
	assert_int_equal(t.freed, 1);
	assert_int_equal(g.held, 0);
	assert_false(stops(&t, "g", GATE_TOKEN, 3));
	assert_false(gates_open(&g, "g", 0));
	gates_finish(&g);
}

static void
opened_a_number_of_times_it_frees_so_many_in_order(void **state)
{
	struct gates g;
	struct traveller t[4];

	gates_init(&g);
	assert_true(gates_close(&g, "g", "before_first_token"));
	for (int i = 0; i < 4; i++) {
		travel(&t[i], &g);
		if (i < 3)
			assert_true(stops(&t[i], "g", GATE_TOKEN, 1));
	}
	assert_true(gates_open(&g, "g", 2));
	assert_int_equal(t[0].freed + t[1].freed, 2);
	assert_int_equal(t[2].freed, 0);
	/* Two more than are held: the next who comes passes. */
	assert_true(gates_open(&g, "g", 2));
	assert_int_equal(t[2].freed, 1);
	assert_false(stops(&t[3], "g", GATE_TOKEN, 1));
	assert_true(stops(&t[3], "g", GATE_TOKEN, 1));
	gates_open_all(&g);
	assert_int_equal(t[3].freed, 1);
	gates_finish(&g);
}

static void
who_comes_back_at_once_is_held_again(void **state)
{
	struct gates g;
	struct traveller t;

	gates_init(&g);
	travel(&t, &g);
	t.returns = true;
	assert_true(gates_close(&g, "g", "before_each_token"));
	assert_true(stops(&t, "g", GATE_TOKEN, 1));
	assert_true(gates_open(&g, "g", 1));
	assert_int_equal(t.freed, 1);
	assert_int_equal(g.held, 1);
	t.returns = false;
	assert_true(gates_open(&g, "g", 0));
	assert_int_equal(t.freed, 2);
	gates_finish(&g);
}

static void
who_is_gone_is_held_no_more(void **state)
{
	struct gates g;
	struct traveller t;

	gates_init(&g);
	travel(&t, &g);
	assert_true(gates_close(&g, "g", "before_end"));
	assert_true(stops(&t, "g", GATE_END, 9));
	gate_hold_leave(&g, &t.hold);
	gate_hold_leave(&g, &t.hold);
	assert_int_equal(g.held, 0);
	assert_true(gates_open(&g, "g", 0));
	assert_int_equal(t.freed, 0);
	gates_finish(&g);
}

static void
refuses_points_that_are_none(void **state)
{
	static const char *const bad[] = {
	    "", "before", "before_token:", "before_token:0", "before_token:x", "after_load"};
	struct gates g;

	gates_init(&g);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(gates_close(&g, "g", bad[i]));
	assert_false(gates_close(&g, "", "before_load"));
	gates_finish(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(holds_only_who_names_it_and_only_at_its_point),
	    cmocka_unit_test(opened_a_number_of_times_it_frees_so_many_in_order),
	    cmocka_unit_test(who_comes_back_at_once_is_held_again),
	    cmocka_unit_test(who_is_gone_is_held_no_more),
	    cmocka_unit_test(refuses_points_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
