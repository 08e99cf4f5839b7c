/* Second copies of a model, and what lanes that wish for the same add up to. */
#include "eta.h"
#include "orders.h"

enum { JOB_WEIGHT = 3 /* of a normal job that waits */, RECENT_MS = 300000 };

static struct backend *
add_node(const char *name, const char *holds)
{
	struct backend *b = desk_add(&d, node_conf(name));

	if (holds != NULL)
		load_models(b, holds, NULL, NULL);
	return b;
}

static void
ask_times(const char *model, int times)
{
	for (int i = 0; i < times; i++)
		ask(model);
}

/* One that may run on that node alone. */
static void
ask_only(const char *model, struct backend *only)
{
	struct job *j = desk_new(&d, CLASS_NORMAL);

	j->only = only;
	assert_int_equal(desk_submit(&d, j, model), SCHED_QUEUED);
}

/* No order is due before that time has passed. */
static void
expect_none_for(int64_t ms)
{
	int64_t until = d.now + ms;

	while (!take() && d.now < until) {
		int64_t next = sched_next_ms(d.sched, d.now);

		assert_true(next > d.now);
		d.now = next < until ? next : until;
	}
	assert_int_equal(d.now, until);
	assert_false(take());
}

/* Until "b" goes for "c". */
static int64_t
waited_for_c(void)
{
	int64_t took;

	ask("c");
	took = wait_for_order();
	assert_int_equal(o.kind, ORDER_UNLOAD);
	assert_string_equal(o.model, "b");
	return took;
}

static void
anew(void **state)
{
	tear_down(state);
	set_up(state);
}

static void
a_free_place_is_paid_by_a_quarter_of_a_load(void **state)
{
	for (int waiting = 1; waiting <= 8; waiting *= 2) {
		struct backend *other;

		load_a(2);
		other = add_node("n2", NULL);
		ask_times("a", waiting);
		assert_int_equal(wait_for_order(), LOAD_MS / 4 / waiting);
		assert_int_equal(o.kind, ORDER_LOAD);
		assert_ptr_equal(o.backend, other);
		anew(state);
	}
}

/* What is on its way counts as slots. */
static void
who_fits_what_is_being_loaded_gets_no_copy(void **state)
{
	struct backend *other = add_node("n2", NULL);

	backend_set_draining(other, true);
	ask_times("a", 2);
	expect(ORDER_LOAD, node, "a");
	backend_set_draining(other, false);
	expect_none_for(LOAD_MS);
	ask("a");
	assert_in_range(wait_for_order(), 0, LOAD_MS / 4 / 3);
	assert_ptr_equal(o.backend, other);
	assert_string_equal(o.model, "a");
}

/* The backlog of so many is half a load, or a little more. */
static int
jobs_of_half_a_load(const struct job *one)
{
	const struct estimate none = {0};
	const struct speed unmeasured = {0};
	int64_t rate_x16 = estimate_rate_x16(&none, &unmeasured) * 2; /* slots of the only copy */
	int64_t one_ms = eta_cost(one) * 1000 * ESTIMATE_UNITS / rate_x16;

	return (int)((LOAD_MS / 2 + one_ms - 1) / one_ms);
}

static void
an_idle_model_goes_for_a_copy_only_where_there_is_enough_to_do(void **state)
{
	int enough;
	struct job *one;

	load_a(2);
	add_node("n2", "b");
	one = ask("a");
	enough = jobs_of_half_a_load(one);
	assert_in_range(enough, 3, 300);
	ask_times("a", enough - 2);
	expect_none_for(10 * LOAD_MS);
	ask("a");
	assert_in_range(wait_for_order(), 0, LOAD_MS);
	assert_int_equal(o.kind, ORDER_UNLOAD);
	assert_string_equal(o.model, "b");
	done();
	expect(ORDER_LOAD, o.backend, "a");
	done();
}

/* Of what is loaded elsewhere too, only a share of those who come will miss it. */
static void
what_is_loaded_twice_goes_sooner(void **state)
{
	int64_t took[3] = {0}; /* by copies */

	for (int copies = 1; copies <= 2; copies++) {
		struct job *j;

		load_models(node, "b", NULL, NULL);
		if (copies == 2)
			list_models(add_node("n2", "b"), "b", NULL, NULL);
		j = ask("b");
		assert_int_equal(j->state, JOB_RUNNING);
		desk_end(&d, j);
		took[copies] = waited_for_c();
		anew(state);
	}
	assert_in_range(took[1], 1000, LOAD_MS);
	assert_in_range(took[2] * 10, took[1] * 3 - 20, took[1] * 3 + 20);
}

/* When a swap for those who wait for "c" is due. */
static int64_t
swap_after(int anywhere, int on_the_node)
{
	struct job *j;

	load_models(node, "b", NULL, NULL);
	j = ask("b");
	desk_end(&d, j);
	ask_times("c", anywhere);
	for (int i = 0; i < on_the_node; i++)
		ask_only("c", node);
	return wait_for_order();
}

static void
wishes_that_one_load_grants_add_up(void **state)
{
	int64_t of_two = swap_after(2, 0), mixed, of_one;

	anew(state);
	mixed = swap_after(1, 1);
	anew(state);
	of_one = swap_after(1, 0);
	assert_in_range(mixed, of_two - 1, of_two + 1);
	assert_in_range(of_one, 2 * of_two - 2, 2 * of_two + 2);
}

/* Who insists on one node is not helped by a load on another. */
static void
wishes_for_other_nodes_do_not_add_up(void **state)
{
	struct backend *other;
	int64_t of_one = swap_after(1, 0), took;
	struct job *j;

	anew(state);
	load_models(node, "b", NULL, NULL);
	j = ask("b");
	desk_end(&d, j);
	other = add_node("n2", NULL);
	list_models(other, "a", NULL, NULL);
	load_models(other, "a", NULL, NULL);
	for (int i = 0; i < 3; i++) {
		j = desk_new(&d, CLASS_NORMAL);
		j->only = other;
		assert_int_equal(desk_submit(&d, j, "a"), SCHED_QUEUED);
		desk_pick_all(&d);
	}
	list_models(other, "a", "c", NULL);
	ask_only("c", node);
	ask_only("c", other);
	took = wait_for_order();
	assert_ptr_equal(o.backend, node);
	assert_in_range(took, of_one - 1, of_one + 1);
	done();
}

/* A node that holds "b", which was asked for there once. */
static struct backend *
add_used(const char *name)
{
	struct backend *b = add_node(name, "b");
	struct job *j = ask("b");

	assert_ptr_equal(j->backend, b);
	desk_end(&d, j);
	return b;
}

static void
for_who_has_a_load_on_the_way_nothing_goes(void **state)
{
	struct backend *second, *third;

	load_a(2);
	second = add_node("n2", NULL);
	ask_times("a", 200);
	wait_for_order();
	assert_ptr_equal(o.backend, second);
	third = add_node("n3", "b");
	expect_none_for(LOAD_MS);
	assert_true(backend_holds_model(third, "b"));
	done();
}

static void
a_copy_in_the_place_of_another_model_is_paid_by_a_whole_load(void **state)
{
	enum { WAITING = 200 };
	const double both = LOAD_MS + LOAD_MS, arrivals = JOB_WEIGHT / (double)RECENT_MS;

	for (int copies = 1; copies <= 2; copies++) {
		double share = copies == 1 ? 1 : 0.3;
		double cost = JOB_WEIGHT * LOAD_MS + share * 0.5 * arrivals * both * both;
		int64_t due = (int64_t)(cost / (JOB_WEIGHT * WAITING));
		struct backend *other;

		load_a(2);
		other = add_used("n2");
		if (copies == 2)
			list_models(add_node("n3", "b"), "b", NULL, NULL);
		ask_times("a", WAITING);
		assert_in_range(wait_for_order(), due - 2, due + 2);
		assert_ptr_equal(o.backend, other);
		assert_string_equal(o.model, "b");
		done();
		anew(state);
	}
}

static void
of_equal_places_the_heavier_node_has_the_copy(void **state)
{
	struct backend_conf heavy = node_conf("n3");
	struct backend *other;

	heavy.weight = 3;
	load_a(2);
	add_node("n2", NULL);
	other = desk_add(&d, heavy);
	ask_times("a", 10);
	wait_for_order();
	assert_ptr_equal(o.backend, other);
	done();
}

static void
a_free_place_comes_before_a_heavier_node(void **state)
{
	struct backend_conf heavy = node_conf("n2");
	struct backend *other;

	heavy.weight = 9;
	load_a(2);
	load_models(desk_add(&d, heavy), "b", NULL, NULL);
	other = add_node("n3", NULL);
	ask_times("a", 200);
	wait_for_order();
	assert_int_equal(o.kind, ORDER_LOAD);
	assert_ptr_equal(o.backend, other);
	done();
}

/* It would drain, and its own jobs would not be let in. */
static void
a_model_in_use_does_not_go_for_a_copy(void **state)
{
	struct backend_conf wide = node_conf("n2");
	struct backend *other;
	struct job *runs;

	wide.parallel = wide.slots = 2;
	load_a(2);
	other = desk_add(&d, wide);
	load_models(other, "b", NULL, NULL);
	list_models(add_node("n3", "c"), "c", NULL, NULL); /* idle, and of no use to anybody here */
	runs = ask("b");
	assert_ptr_equal(runs->backend, other);
	ask_times("a", 200);
	expect_none_for(2 * LOAD_MS);
	assert_int_equal(ask("b")->state, JOB_RUNNING);
	desk_end(&d, runs);
	desk_end(&d, &d.jobs[d.used - 1]);
	wait_for_order();
	assert_int_equal(o.kind, ORDER_UNLOAD);
	assert_ptr_equal(o.backend, other);
	done();
}

/* Another model has the only slot of the node. */
static void
a_model_that_is_waited_for_does_not_go_for_a_copy(void **state)
{
	struct backend_conf narrow = node_conf("n2");
	struct backend *other;
	struct job *runs;

	narrow.max_loaded = 2;
	load_a(2);
	list_models(node, "a", NULL, NULL);
	other = desk_add(&d, narrow);
	load_models(other, "b", "c", NULL);
	runs = ask("c");
	assert_ptr_equal(runs->backend, other);
	assert_int_equal(ask("b")->state, JOB_QUEUED);
	ask_times("a", 200);
	expect_none_for(2 * LOAD_MS);
	assert_true(backend_holds_model(other, "b"));
}

/* A node with another variant of the model has a free place, and none for a copy: that one goes. */
static void
two_variants_of_a_model_are_not_side_by_side(void **state)
{
	struct backend_conf roomy = node_conf("n2");
	struct backend *other;
	struct job *large = desk_new(&d, CLASS_NORMAL);

	roomy.max_loaded = 2;
	other = desk_add(&d, roomy);
	variant_options_set(&large->options, OPTION_NUM_CTX, 8192);
	large->only = other;
	assert_int_equal(desk_submit(&d, large, "a"), SCHED_QUEUED);
	expect(ORDER_LOAD, other, "a");
	done();
	assert_ptr_equal(desk_pick(&d), large);
	desk_end(&d, large);
	ask_only("a", node);
	expect(ORDER_LOAD, node, "a");
	d.now += LOAD_MS;
	done();
	ask_times("a", 200);
	wait_for_order();
	assert_int_equal(o.kind, ORDER_UNLOAD);
	assert_ptr_equal(o.backend, other);
	assert_int_equal(o.options.values[OPTION_NUM_CTX], 8192);
	done();
	expect(ORDER_LOAD, other, "a");
	done();
}

/* However much waits for the copy; but not longer than it is needed. */
static void
a_node_that_somebody_needs_is_no_place_for_a_copy(void **state)
{
	for (int stays = 0; stays <= 1; stays++) {
		struct backend *other;
		struct job *needs;

		load_a(2);
		list_models(node, "a", NULL, NULL);
		other = add_used("n2");
		needs = ask("c");
		ask_times("a", 200);
		assert_false(take());
		if (!stays)
			sched_end(d.sched, needs, JOB_CLIENT_GONE, d.now);
		wait_for_order();
		assert_int_equal(o.kind, ORDER_UNLOAD);
		assert_ptr_equal(o.backend, other);
		done();
		expect(ORDER_LOAD, other, stays ? "c" : "a");
		done();
		anew(state);
	}
}

/* A quantum is for who waits for it and cannot wait elsewhere. */
static void
who_could_run_on_a_copy_does_not_hold_the_other(void **state)
{
	enum { QUANTUM_MS = 2 * (LOAD_MS + LOAD_MS), ALONE = 0, COPIED, INSISTS, CASES };

	for (int which = ALONE; which < CASES; which++) {
		int64_t took;

		ask("b");
		expect(ORDER_LOAD, node, "b");
		d.now += LOAD_MS;
		done();
		if (which != ALONE)
			list_models(add_node("n2", "b"), "b", NULL, NULL);
		desk_pick_all(&d);
		desk_end(&d, &d.jobs[0]);
		/* Nothing runs that would have to end first, since nobody picks. */
		if (which == INSISTS)
			ask_only("b", node);
		else
			desk_queue(&d, "b", CLASS_NORMAL);
		for (int i = 0; i < 100; i++)
			desk_queue(&d, "c", CLASS_NORMAL);
		took = wait_for_order();
		assert_string_equal(o.model, "b");
		assert_ptr_equal(o.backend, node);
		if (which == COPIED)
			assert_in_range(took, 0, QUANTUM_MS - 1);
		else
			assert_int_equal(took, QUANTUM_MS);
		done();
		anew(state);
	}
}

/* Others of the same model who may run elsewhere, and find it there. */
static void
wishes_of_who_has_it_elsewhere_do_not_add_up(void **state)
{
	int64_t took[2] = {0};

	for (int others = 0; others <= 1; others++) {
		struct backend *other;

		load_a(2);
		list_models(node, "a", NULL, NULL);
		other = add_used("n2");
		ask_times("a", others);
		ask_only("a", other);
		took[others] = wait_for_order();
		assert_ptr_equal(o.backend, other);
		done();
		anew(state);
	}
	assert_in_range(took[1], took[0] - 1, took[0] + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_free_place_is_paid_by_a_quarter_of_a_load),
	    TEST(who_fits_what_is_being_loaded_gets_no_copy),
	    TEST(for_who_has_a_load_on_the_way_nothing_goes),
	    TEST(an_idle_model_goes_for_a_copy_only_where_there_is_enough_to_do),
	    TEST(a_copy_in_the_place_of_another_model_is_paid_by_a_whole_load),
	    TEST(of_equal_places_the_heavier_node_has_the_copy),
	    TEST(a_free_place_comes_before_a_heavier_node),
	    TEST(a_model_in_use_does_not_go_for_a_copy),
	    TEST(a_model_that_is_waited_for_does_not_go_for_a_copy),
	    TEST(two_variants_of_a_model_are_not_side_by_side),
	    TEST(a_node_that_somebody_needs_is_no_place_for_a_copy),
	    TEST(what_is_loaded_twice_goes_sooner),
	    TEST(who_could_run_on_a_copy_does_not_hold_the_other),
	    TEST(wishes_that_one_load_grants_add_up),
	    TEST(wishes_for_other_nodes_do_not_add_up),
	    TEST(wishes_of_who_has_it_elsewhere_do_not_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
