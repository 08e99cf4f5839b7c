/* Variants come and go; names that clients make up leave nothing behind. */
#include "desk.h"
#include "node.h"

#include <stdio.h>

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

static size_t
variants(void)
{
	return map_count(&b->fleet->variants);
}

static void
live_while_a_node_lists_or_holds_them(void **state)
{
	list_models(b, "a", "b", NULL);
	load_models(b, "b", "c", NULL);
	assert_int_equal(variants(), 3);
	list_models(b, "a", NULL, NULL);
	assert_int_equal(variants(), 3);
	load_models(b, NULL, NULL, NULL);
	assert_int_equal(variants(), 1);
	list_models(b, NULL, NULL, NULL);
	assert_int_equal(variants(), 0);
}

static void
live_while_a_job_refers_to_them(void **state)
{
	struct job *first = desk_queue(&d, "a", CLASS_NORMAL);
	struct job *second = desk_queue(&d, "a", CLASS_LOW);

	assert_int_equal(variants(), 1);
	assert_ptr_equal(first->variant, second->variant);
	desk_end(&d, first);
	assert_int_equal(variants(), 1);
	desk_end(&d, second);
	assert_int_equal(variants(), 0);
}

static void
names_that_no_node_knows_leave_nothing(void **state)
{
	char name[32];

	backend_saw_probe(b, true, d.now);
	list_models(b, "a", NULL, NULL);
	for (int i = 0; i < 1000; i++) {
		struct job j;

		job_init(&j, CLASS_NORMAL);
		snprintf(name, sizeof(name), "made-up-%d", i);
		assert_int_equal(sched_submit(d.sched, &j, name, d.now), SCHED_UNKNOWN_MODEL);
		assert_int_equal(sched_outlook(d.sched, &j, name), SCHED_UNKNOWN_MODEL);
		assert_false(backend_has_model(b, name));
		assert_false(backend_holds_model(b, name));
	}
	assert_int_equal(variants(), 1);
}

static void
a_full_queue_refuses_names_without_a_trace(void **state)
{
	struct sched_conf conf = desk_conf();

	desk_close(&d);
	conf.queue_size = 1;
	desk_open(&d, &conf);
	b = desk_add_unknown(&d, node_conf("n1"));
	desk_queue(&d, "a", CLASS_NORMAL);
	assert_int_equal(desk_submit(&d, desk_new(&d, CLASS_NORMAL), "made-up"), SCHED_FULL);
	assert_int_equal(variants(), 1);
}

static void
a_node_added_later_is_known_to_every_variant(void **state)
{
	struct backend *late;
	struct job *j;

	desk_queue(&d, "a", CLASS_NORMAL);
	list_models(b, "b", NULL, NULL);
	late = desk_add(&d, node_conf("late"));
	assert_true(backend_has_model(late, "a"));
	j = desk_pick(&d);
	assert_non_null(j);
	assert_ptr_equal(j->backend, late);
}

static void
nodes_are_found_by_name(void **state)
{
	struct backend *other = desk_add(&d, node_conf("n2"));

	assert_int_equal(sched_backend_count(d.sched), 2);
	assert_ptr_equal(sched_find_backend(d.sched, "n1"), b);
	assert_ptr_equal(sched_find_backend(d.sched, "n2"), other);
	assert_null(sched_find_backend(d.sched, "n3"));
	assert_ptr_equal(sched_backend(d.sched, 1), other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(live_while_a_node_lists_or_holds_them),
	    TEST(live_while_a_job_refers_to_them),
	    TEST(names_that_no_node_knows_leave_nothing),
	    TEST(a_full_queue_refuses_names_without_a_trace),
	    TEST(a_node_added_later_is_known_to_every_variant),
	    TEST(nodes_are_found_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
