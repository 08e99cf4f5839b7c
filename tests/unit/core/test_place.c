/* Where a job goes: slots, weights, what is loaded, and what was chosen by hand. */
#include "desk.h"

static struct desk d;

static int
set_up(void **state)
{
	struct sched_conf conf = desk_conf();

	desk_open(&d, &conf);
	return 0;
}

static int
tear_down(void **state)
{
	desk_close(&d);
	return 0;
}

static struct backend *
add(const char *name, int weight, int parallel, int max_loaded, int slots)
{
	return desk_add(&d, (struct backend_conf){
	                        .name = name,
	                        .weight = weight,
	                        .parallel = parallel,
	                        .max_loaded = max_loaded,
	                        .slots = slots,
	                    });
}

/* Submits one and picks it; its node, or NULL when it waits. */
static struct backend *
goes_to(const char *model)
{
	desk_queue(&d, model, CLASS_NORMAL);
	return desk_pick(&d) == NULL ? NULL : d.jobs[d.used - 1].backend;
}

static void
shares_by_weight(void **state)
{
	struct backend *big = add("big", 3, 100, 1, 100);
	struct backend *small = add("small", 2, 100, 1, 100);

	load_models(big, "a", NULL, NULL);
	load_models(small, "a", NULL, NULL);
	for (int i = 0; i < 50; i++)
		assert_non_null(goes_to("a"));
	assert_int_equal(backend_busy(big), 30);
	assert_int_equal(backend_busy(small), 20);
}

static void
ties_go_to_the_first_configured(void **state)
{
	struct backend *first = add("first", 1, 2, 1, 2);
	struct backend *second = add("second", 1, 2, 1, 2);

	load_models(first, "a", NULL, NULL);
	load_models(second, "a", NULL, NULL);
	assert_ptr_equal(goes_to("a"), first);
	assert_ptr_equal(goes_to("a"), second);
	assert_ptr_equal(goes_to("a"), first);
}

static void
huge_weights_do_not_overflow(void **state)
{
	struct backend *huge = add("huge", 2000000000, 4, 1, 4);
	struct backend *less = add("less", 1000000000, 4, 1, 4);

	load_models(huge, "a", NULL, NULL);
	load_models(less, "a", NULL, NULL);
	assert_ptr_equal(goes_to("a"), huge);
	assert_ptr_equal(goes_to("a"), huge);
	assert_ptr_equal(goes_to("a"), less);
}

static void
prefers_a_node_that_holds_the_model(void **state)
{
	struct backend *idle = add("idle", 9, 4, 1, 4);
	struct backend *holds = add("holds", 1, 2, 1, 2);

	load_models(holds, "a", NULL, NULL);
	assert_ptr_equal(goes_to("a"), holds);
	assert_true(d.was_loaded);
	assert_ptr_equal(goes_to("a"), holds);
	assert_ptr_equal(goes_to("a"), idle);
	assert_false(d.was_loaded);
}

/* It must not take the place of an idle model that is wanted again, while another node is empty. */
static void
prefers_a_free_place_to_an_eviction(void **state)
{
	struct backend *full = add("full", 9, 4, 1, 4);
	struct backend *empty = add("empty", 1, 1, 1, 1);

	load_models(full, "b", NULL, NULL);
	assert_ptr_equal(goes_to("a"), empty);
	assert_true(backend_holds_model(full, "b"));
	assert_ptr_equal(goes_to("c"), full);
}

static struct job *
talk(uint64_t conversation)
{
	struct job *j = desk_new(&d, CLASS_NORMAL);

	j->conversation = conversation;
	assert_int_equal(desk_submit(&d, j, "a"), SCHED_QUEUED);
	assert_ptr_equal(desk_pick(&d), j);
	return j;
}

static void
a_conversation_goes_back_to_its_node(void **state)
{
	struct backend *first = add("first", 1, 2, 1, 2);
	struct backend *second = add("second", 1, 2, 1, 2);
	struct job *one, *other;

	load_models(first, "a", NULL, NULL);
	load_models(second, "a", NULL, NULL);
	one = talk(1);
	other = talk(2);
	assert_ptr_equal(one->backend, first);
	assert_ptr_equal(other->backend, second);
	desk_end(&d, other);
	/* The first has a slot left, the second is idle. */
	assert_ptr_equal(talk(1)->backend, first);
	/* The first has none left: anywhere. */
	assert_ptr_equal(talk(1)->backend, second);
}

static void
a_conversation_does_not_bring_its_model_back(void **state)
{
	struct backend *first = add("first", 1, 2, 1, 2);
	struct backend *second = add("second", 1, 2, 1, 2);

	load_models(first, "a", NULL, NULL);
	desk_end(&d, talk(1));
	load_models(first, "b", NULL, NULL);
	load_models(first, "b", NULL, NULL);
	load_models(second, "a", NULL, NULL);
	assert_ptr_equal(talk(1)->backend, second);
}

static void
goes_only_where_the_model_is_listed(void **state)
{
	struct backend *first = add("first", 1, 4, 1, 4);
	struct backend *second = add("second", 1, 4, 1, 4);

	list_models(first, "a", NULL, NULL);
	list_models(second, "b", NULL, NULL);
	for (int i = 0; i < 4; i++)
		assert_ptr_equal(goes_to("b"), second);
	assert_null(goes_to("b"));
}

static void
a_model_has_at_most_parallel_slots(void **state)
{
	struct backend *b = add("n1", 1, 2, 2, 10);

	assert_ptr_equal(goes_to("a"), b);
	assert_ptr_equal(goes_to("a"), b);
	assert_null(goes_to("a"));
	assert_ptr_equal(goes_to("b"), b);
}

static void
a_node_has_at_most_its_slots(void **state)
{
	struct backend *b = add("n1", 1, 4, 3, 2);

	assert_ptr_equal(goes_to("a"), b);
	assert_ptr_equal(goes_to("b"), b);
	assert_null(goes_to("a"));
	assert_null(goes_to("c"));
}

/* Ollama would wait for an idle model to evict, and all requests behind that one with it. */
static void
no_other_model_goes_to_a_node_whose_models_are_all_busy(void **state)
{
	struct backend *b = add("n1", 1, 4, 2, 8);
	struct job *waits;

	assert_ptr_equal(goes_to("a"), b);
	assert_ptr_equal(goes_to("b"), b);
	waits = desk_queue(&d, "c", CLASS_HIGH);
	assert_null(desk_pick(&d));
	assert_ptr_equal(goes_to("a"), b);
	desk_end(&d, &d.jobs[0]);
	assert_null(desk_pick(&d));
	desk_end(&d, &d.jobs[3]);
	assert_ptr_equal(desk_pick(&d), waits);
	assert_true(backend_holds_model(b, "b"));
	assert_false(backend_holds_model(b, "a"));
}

/* max_loaded is our promise: what others loaded besides does not widen it. */
static void
more_models_loaded_than_configured_are_no_more_places(void **state)
{
	struct backend *b = add("n1", 1, 1, 1, 4);

	load_models(b, "a", "b", "c");
	assert_ptr_equal(goes_to("a"), b);
	assert_null(goes_to("b"));
	desk_end(&d, &d.jobs[0]);
	assert_ptr_equal(desk_pick(&d), &d.jobs[1]);
	assert_true(d.was_loaded);
}

static void
a_chosen_node_is_waited_for(void **state)
{
	struct backend *chosen = add("chosen", 1, 1, 1, 1);
	struct job *j;

	add("other", 1, 4, 1, 4);
	load_models(chosen, "a", NULL, NULL);
	assert_ptr_equal(goes_to("a"), chosen);
	j = desk_new(&d, CLASS_NORMAL);
	j->only = chosen;
	assert_int_equal(desk_submit(&d, j, "a"), SCHED_QUEUED);
	assert_null(desk_pick(&d));
	desk_end(&d, &d.jobs[0]);
	assert_ptr_equal(desk_pick(&d), j);
	assert_ptr_equal(j->backend, chosen);
}

static struct backend *
slotless_goes_to(const char *model)
{
	struct job *j = desk_new(&d, CLASS_NORMAL);

	j->slotless = true;
	assert_int_equal(desk_submit(&d, j, model), SCHED_QUEUED);
	return desk_pick(&d) == NULL ? NULL : j->backend;
}

static void
slotless_jobs_take_no_slot_and_share_by_weight(void **state)
{
	struct backend *full = add("full", 1, 1, 1, 1);
	struct backend *other = add("other", 2, 1, 1, 1);

	assert_non_null(goes_to("a"));
	assert_non_null(goes_to("a"));
	assert_ptr_equal(slotless_goes_to("x:cloud"), other);
	assert_true(d.was_loaded);
	assert_ptr_equal(slotless_goes_to("x:cloud"), full);
	assert_ptr_equal(slotless_goes_to("x:cloud"), other);
	assert_int_equal(backend_busy(full), 1);
	assert_int_equal(backend_busy(other), 1);
	assert_int_equal(sched_running(d.sched), 5);
}

static void
slotless_jobs_prefer_a_node_that_lists_the_model(void **state)
{
	struct backend *lists;

	add("first", 5, 1, 1, 1);
	lists = add("lists", 1, 1, 1, 1);
	list_models(lists, "x:cloud", NULL, NULL);
	assert_ptr_equal(slotless_goes_to("x:cloud"), lists);
	assert_ptr_equal(slotless_goes_to("x:cloud"), lists);
	backend_set_draining(lists, true);
	assert_ptr_equal(slotless_goes_to("x:cloud"), sched_backend(d.sched, 0));
}

static void
a_job_that_cannot_start_does_not_hold_up_others(void **state)
{
	struct backend *first = add("first", 1, 1, 1, 1);
	struct backend *second = add("second", 1, 1, 1, 1);

	list_models(first, "a", NULL, NULL);
	list_models(second, "b", NULL, NULL);
	assert_ptr_equal(goes_to("a"), first);
	assert_null(goes_to("a"));
	assert_ptr_equal(goes_to("b"), second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(shares_by_weight),
	    TEST(ties_go_to_the_first_configured),
	    TEST(huge_weights_do_not_overflow),
	    TEST(prefers_a_node_that_holds_the_model),
	    TEST(prefers_a_free_place_to_an_eviction),
	    TEST(a_conversation_goes_back_to_its_node),
	    TEST(a_conversation_does_not_bring_its_model_back),
	    TEST(goes_only_where_the_model_is_listed),
	    TEST(a_model_has_at_most_parallel_slots),
	    TEST(a_node_has_at_most_its_slots),
	    TEST(no_other_model_goes_to_a_node_whose_models_are_all_busy),
	    TEST(more_models_loaded_than_configured_are_no_more_places),
	    TEST(a_chosen_node_is_waited_for),
	    TEST(slotless_jobs_take_no_slot_and_share_by_weight),
	    TEST(slotless_jobs_prefer_a_node_that_lists_the_model),
	    TEST(a_job_that_cannot_start_does_not_hold_up_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
