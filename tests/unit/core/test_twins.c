/* Names that stand for one model are loaded as one. */
#include "orders.h"

static const struct listed_model same[] = {{"a", 7, 0}, {"b", 7, 0}, {"c", 9, 0}};

static void
list(struct backend *b, const struct listed_model *models, size_t count)
{
	backend_set_listing(b, models, count);
}

static void
what_is_loaded_by_one_name_serves_the_other(void **state)
{
	list(node, same, 3);
	assert_string_equal(sched_model(d.sched, "b"), "a");
	assert_string_equal(sched_model(d.sched, "c"), "c");
	ask("b");
	expect(ORDER_LOAD, node, "a");
	done();
	assert_int_equal(desk_pick_all(&d), 1);
	assert_int_equal(ask("a")->state, JOB_RUNNING);
	assert_true(backend_has_model(node, "b") && backend_holds_model(node, "b"));
	assert_false(take());
}

static void
a_node_may_show_it_by_any_of_its_names(void **state)
{
	list(node, same, 3);
	load_models(node, "b", NULL, NULL);
	assert_true(backend_holds_model(node, "a"));
	assert_int_equal(ask("a")->state, JOB_RUNNING);
	backend_saw_unload(node, "b");
	assert_int_equal(ask("a")->state, JOB_QUEUED);
}

static void
names_that_not_all_nodes_take_for_one_stay_two(void **state)
{
	static const struct listed_model apart[] = {{"a", 7, 0}, {"b", 8, 0}}, one[] = {{"a", 7, 0}};
	struct backend *other = desk_add(&d, node_conf("n2"));

	list(node, same, 3);
	list(other, apart, 2);
	assert_string_equal(sched_model(d.sched, "b"), "b");
	list(other, one, 1);
	assert_string_equal(sched_model(d.sched, "b"), "b");
	list(other, same, 3);
	assert_string_equal(sched_model(d.sched, "b"), "a");
}

static void
a_name_has_the_digest_that_is_listed_last(void **state)
{
	static const struct listed_model later[] = {{"a", 8, 0}};

	list(node, same, 3);
	assert_int_equal(backend_model_digest(node, "a"), 7);
	assert_int_equal(backend_model_digest(node, "b"), 7);
	assert_int_equal(backend_model_digest(node, "c"), 9);
	assert_int_equal(backend_model_digest(node, "d"), 0);
	list(node, later, 1);
	assert_int_equal(backend_model_digest(node, "a"), 8);
	assert_int_equal(backend_model_digest(node, "c"), 0);
}

static void
a_name_that_its_node_may_not_run_has_no_twin(void **state)
{
	static const char *const globs[] = {"b"};
	struct backend_conf conf = node_conf("n2");
	struct backend *bound;

	conf.models = globs;
	conf.model_count = 1;
	bound = desk_add(&d, conf);
	list(node, same, 3);
	list(bound, same, 3);
	assert_string_equal(sched_model(d.sched, "b"), "b");
	backend_set_draining(node, true);
	ask("b");
	expect(ORDER_LOAD, bound, "b");
	done();
}

static void
names_without_a_digest_have_no_twins(void **state)
{
	static const struct listed_model unsaid[] = {{"a", 0, 0}, {"b", 0, 0}};

	list(node, unsaid, 2);
	assert_string_equal(sched_model(d.sched, "b"), "b");
	ask("b");
	expect(ORDER_LOAD, node, "b");
	done();
}

/* Pulled anew, a name stands for something else. */
static void
names_part_when_one_changes(void **state)
{
	static const struct listed_model apart[] = {{"a", 7, 0}, {"b", 8, 0}, {"c", 9, 0}};

	list(node, same, 3);
	load_a(1);
	list(node, apart, 3);
	assert_int_equal(ask("b")->state, JOB_QUEUED);
	assert_int_equal(ask("a")->state, JOB_RUNNING);
	assert_string_equal(sched_model(d.sched, "b"), "b");
}

static void
who_waits_by_a_name_that_finds_its_elder_is_served(void **state)
{
	static const struct listed_model apart[] = {{"a", 7, 0}, {"b", 8, 0}};
	struct job *j;

	list(node, apart, 2);
	j = ask("b");
	list(node, same, 3);
	assert_null(sched_take_hopeless(d.sched, d.now));
	expect(ORDER_LOAD, node, "b");
	done();
	assert_ptr_equal(desk_pick(&d), j);
	desk_end(&d, j);
	/* Nothing is left of it. */
	load_models(node, "b", NULL, NULL);
	load_models(node, "b", NULL, NULL);
	list(node, same, 3);
	assert_int_equal(ask("b")->state, JOB_RUNNING);
	assert_false(take());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_loaded_by_one_name_serves_the_other),
	    TEST(a_node_may_show_it_by_any_of_its_names),
	    TEST(names_that_not_all_nodes_take_for_one_stay_two),
	    TEST(a_name_has_the_digest_that_is_listed_last),
	    TEST(a_name_that_its_node_may_not_run_has_no_twin),
	    TEST(names_without_a_digest_have_no_twins),
	    TEST(names_part_when_one_changes),
	    TEST(who_waits_by_a_name_that_finds_its_elder_is_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
