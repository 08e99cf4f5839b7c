/* Variants: which one a job runs on, and what nodes tell of them. */
#include "desk.h"
#include "node.h"

static struct desk d;
static struct order o;
static struct backend *node;

static int
set_up(void **state)
{
	struct sched_conf conf = desk_conf();
	struct backend_conf wide = node_conf("n1");

	conf.loads_by_orders = true;
	wide.parallel = 2;
	wide.max_loaded = 2;
	wide.slots = 4;
	desk_open(&d, &conf);
	node = desk_add(&d, wide);
	return 0;
}

/* Nodes that load what they are sent. */
static int
set_up_without_orders(void **state)
{
	struct sched_conf conf = desk_conf();
	struct backend_conf wide = node_conf("n1");

	wide.parallel = 2;
	wide.max_loaded = 2;
	wide.slots = 4;
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

/* A job of model "a" with that context; 0: it asks for none. */
static struct job *
new_job(int32_t num_ctx, bool unify)
{
	struct job *j = desk_new(&d, CLASS_NORMAL);

	if (num_ctx > 0)
		variant_options_set(&j->options, OPTION_NUM_CTX, num_ctx);
	j->unify = unify;
	return j;
}

static struct job *
ask(int32_t num_ctx, bool unify)
{
	struct job *j = new_job(num_ctx, unify);

	assert_int_equal(desk_submit(&d, j, "a"), SCHED_QUEUED);
	return j;
}

/* 0: the node's own. */
static int32_t
context(const struct job *j)
{
	return sched_options(j)->values[OPTION_NUM_CTX];
}

static bool
take(void)
{
	return sched_take_order(d.sched, d.now, &o);
}

static void
done(void)
{
	sched_saw_order(d.sched, &o, ORDER_DONE, d.now);
}

static void
load(int32_t num_ctx)
{
	assert_true(take());
	assert_int_equal(o.kind, ORDER_LOAD);
	assert_int_equal(o.options.values[OPTION_NUM_CTX], num_ctx);
	d.now += 30000;
	done();
}

/* As a probe of the node tells it. */
static void
show(int32_t num_ctx)
{
	load_models(node, "a", NULL, NULL);
	backend_saw_context(node, "a", num_ctx);
}

/* "a" is loaded as the node does it, with its own context, and idle. */
static void
load_own(int32_t num_ctx)
{
	struct job *j = ask(0, true);

	load(0);
	assert_ptr_equal(desk_pick(&d), j);
	desk_end(&d, j);
	show(num_ctx);
}

static size_t
variants(void)
{
	return map_count(&node->fleet->variants);
}

static void
similar_contexts_share_the_next_power_of_two(void **state)
{
	struct job *first = ask(6000, true), *second = ask(7000, true), *third = ask(8192, true);

	assert_int_equal(context(first), 8192);
	assert_ptr_equal(second->variant, first->variant);
	assert_ptr_equal(third->variant, first->variant);
	load(8192);
	assert_int_equal(desk_pick_all(&d), 2);
	assert_false(take());
}

static void
who_asks_for_none_runs_on_what_is_there(void **state)
{
	struct job *first = ask(8192, true), *second = ask(0, true);

	assert_ptr_equal(second->variant, first->variant);
}

static void
who_asks_for_none_gets_no_less_than_nodes_give(void **state)
{
	assert_int_equal(context(ask(2048, true)), 2048);
	assert_int_equal(sched_options(ask(0, true))->given, 0);
}

static void
no_context_is_made_larger_than_the_rule_has_it(void **state)
{
	struct job *j = new_job(9000, true), *more = new_job(100000, true);

	j->most_num_ctx = more->most_num_ctx = 12000;
	assert_int_equal(desk_submit(&d, j, "a"), SCHED_QUEUED);
	assert_int_equal(context(j), 12000);
	assert_int_equal(desk_submit(&d, more, "a"), SCHED_QUEUED);
	assert_ptr_equal(more->variant, j->variant);
}

static void
those_that_wait_move_to_the_larger_one(void **state)
{
	struct job *small = ask(4096, true), *none = ask(0, true), *large;

	assert_int_equal(context(small), 4096);
	large = ask(16000, true);
	assert_int_equal(context(small), 16384);
	assert_int_equal(context(none), 16384);
	assert_int_equal(context(large), 16384);
	assert_int_equal(variants(), 1 + 3);
	load(16384);
	assert_ptr_equal(desk_pick(&d), small);
	assert_ptr_equal(desk_pick(&d), none);
}

static void
a_small_context_runs_on_a_larger_one_that_is_loaded(void **state)
{
	struct job *large = ask(16384, true), *small;

	load(16384);
	assert_ptr_equal(desk_pick(&d), large);
	desk_end(&d, large);
	small = ask(2048, true);
	assert_int_equal(context(small), 16384);
	assert_ptr_equal(desk_pick(&d), small);
}

static void
what_fits_the_nodes_own_context_runs_with_it(void **state)
{
	struct job *j;

	load_own(4096);
	j = ask(3000, true);
	assert_int_equal(sched_options(j)->given, 0);
	assert_ptr_equal(desk_pick(&d), j);
	assert_int_equal(sched_context(d.sched, j), 0);
	assert_int_equal(context(ask(5000, true)), 8192);
}

static void
an_own_context_that_is_not_known_is_not_replaced_unasked(void **state)
{
	struct job *j;

	load_own(0);
	j = ask(2048, true);
	assert_int_equal(context(j), 2048);
	assert_int_equal(sched_options(ask(0, true))->given, 0);
}

/* It was asked for before the node told what it has by itself. */
static void
who_waits_in_vain_for_a_small_one_gets_the_nodes_own(void **state)
{
	struct job *own = ask(0, true), *small;

	load(0);
	assert_ptr_equal(desk_pick(&d), own);
	small = ask(2048, true);
	assert_int_equal(context(small), 2048);
	show(4096);
	assert_ptr_equal(desk_pick(&d), small);
	assert_int_equal(sched_options(small)->given, 0);
}

static void
routes_that_cannot_say_it_mean_the_nodes_own(void **state)
{
	struct job *large = ask(8192, true), *fixed = ask(0, false);

	assert_int_equal(context(large), 8192);
	assert_int_equal(sched_options(fixed)->given, 0);
}

static void
without_the_rule_each_value_is_its_own(void **state)
{
	struct job *first = ask(6000, false), *second = ask(7000, false);

	assert_int_equal(context(first), 6000);
	assert_int_equal(context(second), 7000);
}

static void
other_options_are_never_unified(void **state)
{
	struct job *first = ask(8192, true), *second = new_job(4096, true);

	variant_options_set(&second->options, OPTION_NUM_BATCH, 1024);
	assert_int_equal(desk_submit(&d, second, "a"), SCHED_QUEUED);
	assert_ptr_not_equal(second->variant, first->variant);
	assert_int_equal(context(second), 4096);
}

static void
a_remote_model_has_no_variants(void **state)
{
	struct job *j = new_job(8192, true);

	j->slotless = true;
	assert_int_equal(desk_submit(&d, j, "a"), SCHED_QUEUED);
	assert_int_equal(sched_options(j)->given, 0);
}

/* Ollama has one runner for a model, though there is room for another model. */
static void
a_larger_context_takes_the_place_of_the_smaller(void **state)
{
	struct job *large;

	load_own(4096);
	large = ask(8192, true);
	while (!take()) {
		assert_int_not_equal(sched_next_ms(d.sched, d.now), INT64_MAX);
		d.now = sched_next_ms(d.sched, d.now);
	}
	assert_int_equal(o.kind, ORDER_UNLOAD);
	assert_int_equal(o.options.given, 0);
	done();
	load(8192);
	assert_ptr_equal(desk_pick(&d), large);
}

static void
a_job_that_is_tried_again_follows_the_others(void **state)
{
	struct job *small = ask(2048, true), *large;

	load(2048);
	assert_ptr_equal(desk_pick(&d), small);
	large = ask(8192, true);
	assert_int_equal(context(small), 2048);
	assert_true(sched_retry(d.sched, small, d.now));
	assert_ptr_equal(small->variant, large->variant);
}

static void
variants_go_when_nobody_needs_them(void **state)
{
	struct job *j = ask(8192, true);

	assert_int_equal(variants(), 4);
	desk_end(&d, j);
	assert_int_equal(variants(), 3);
}

static void
variants_outlive_what_is_no_longer_listed(void **state)
{
	struct job *j = ask(8192, true);

	load(8192);
	assert_ptr_equal(desk_pick(&d), j);
	list_models(node, "b", NULL, NULL);
	assert_false(backend_has_model(node, "a"));
	assert_true(backend_holds_model(node, "a"));
	load_models(node, NULL, NULL, NULL);
	assert_true(backend_holds_model(node, "a"));
	desk_end(&d, j);
	load_models(node, NULL, NULL, NULL);
	assert_int_equal(variants(), 1);
}

static void
what_was_learned_of_one_is_known_of_the_next(void **state)
{
	struct job *j = ask(8192, true);
	int64_t known;

	load(8192);
	assert_ptr_equal(desk_pick(&d), j);
	known = j->variant->places[0].speed.load_x16;
	assert_true(known > 0);
	desk_end(&d, j);
	load_models(node, NULL, NULL, NULL);
	load_models(node, NULL, NULL, NULL);
	assert_int_equal(variants(), 3);
	j = ask(32768, true);
	assert_int_equal(j->variant->places[0].speed.load_x16, known);
}

static void
what_is_found_loaded_is_taken_for_the_nodes_own(void **state)
{
	struct job *j;

	show(8192);
	j = ask(6000, true);
	assert_int_equal(sched_options(j)->given, 0);
	assert_ptr_equal(desk_pick(&d), j);
	/* That is a guess: so it is named, and what runs so does not make it certain. */
	assert_int_equal(sched_context(d.sched, j), 8192);
	desk_end(&d, j);
	show(8192);
	j = ask(6000, true);
	assert_ptr_equal(desk_pick(&d), j);
	assert_int_equal(sched_context(d.sched, j), 8192);
	desk_end(&d, j);
	j = ask(0, true);
	assert_ptr_equal(desk_pick(&d), j);
	assert_int_equal(sched_context(d.sched, j), 8192);
	desk_end(&d, j);
	j = ask(0, false);
	assert_ptr_equal(desk_pick(&d), j);
	assert_int_equal(sched_context(d.sched, j), 0);
	desk_end(&d, j);
	show(4096);
	show(4096);
	assert_int_equal(context(ask(6000, true)), 8192);
}

static void
what_others_loaded_with_another_context_is_seen(void **state)
{
	struct job *j;

	load_own(4096);
	load_models(node, NULL, NULL, NULL);
	load_models(node, NULL, NULL, NULL);
	show(32768);
	j = ask(20000, true);
	assert_int_equal(context(j), 32768);
	assert_ptr_equal(desk_pick(&d), j);
	desk_end(&d, j);
	load_models(node, NULL, NULL, NULL);
	load_models(node, NULL, NULL, NULL);
	show(4096);
	assert_int_equal(variants(), 3);
}

static void
a_context_that_the_model_cuts_is_still_ours(void **state)
{
	struct job *j = ask(1 << 20, true);

	load(1 << 20);
	assert_ptr_equal(desk_pick(&d), j);
	desk_end(&d, j);
	show(131072);
	show(131072);
	j = ask(1 << 20, true);
	assert_ptr_equal(desk_pick(&d), j);
}

static void
a_snapshot_of_before_a_swap_changes_nothing(void **state)
{
	struct job *large;

	load_own(4096);
	large = ask(8192, true);
	while (!take())
		d.now = sched_next_ms(d.sched, d.now);
	show(4096);
	done();
	assert_true(take());
	assert_int_equal(o.kind, ORDER_LOAD);
	show(4096);
	done();
	show(8192);
	assert_ptr_equal(desk_pick(&d), large);
	assert_int_equal(context(large), 8192);
}

/* It would wait for what runs, and all behind it too. */
static void
a_node_at_work_is_not_sent_another_variant(void **state)
{
	struct job *own = ask(0, false), *large = ask(8192, false);

	assert_ptr_equal(desk_pick(&d), own);
	assert_null(desk_pick(&d));
	desk_end(&d, own);
	assert_ptr_equal(desk_pick(&d), large);
	assert_null(variant_find_rival(large->variant, node));
	assert_int_equal(node->resident, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_WITHOUT_ORDERS(name) \
	cmocka_unit_test_setup_teardown(name, set_up_without_orders, tear_down)

static void
no_context_is_longer_than_the_model_was_trained_for(void **state)
{
	static const struct listed_model listed[] = {{"a", 1, 40960}};

	backend_set_listing(node, listed, 1);
	assert_int_equal(context(ask(INT32_MAX, true)), 40960);
	assert_int_equal(context(ask(40000, true)), 40960);
	assert_int_equal(context(ask(50000, false)), 40960);
	assert_int_equal(context(ask(40000, false)), 40000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(similar_contexts_share_the_next_power_of_two),
	    TEST(who_asks_for_none_runs_on_what_is_there),
	    TEST(who_asks_for_none_gets_no_less_than_nodes_give),
	    TEST(no_context_is_made_larger_than_the_rule_has_it),
	    TEST(no_context_is_longer_than_the_model_was_trained_for),
	    TEST(those_that_wait_move_to_the_larger_one),
	    TEST(a_small_context_runs_on_a_larger_one_that_is_loaded),
	    TEST(what_fits_the_nodes_own_context_runs_with_it),
	    TEST(an_own_context_that_is_not_known_is_not_replaced_unasked),
	    TEST(who_waits_in_vain_for_a_small_one_gets_the_nodes_own),
	    TEST(routes_that_cannot_say_it_mean_the_nodes_own),
	    TEST(without_the_rule_each_value_is_its_own),
	    TEST(other_options_are_never_unified),
	    TEST(a_remote_model_has_no_variants),
	    TEST(a_larger_context_takes_the_place_of_the_smaller),
	    TEST(a_job_that_is_tried_again_follows_the_others),
	    TEST(variants_go_when_nobody_needs_them),
	    TEST(variants_outlive_what_is_no_longer_listed),
	    TEST(what_was_learned_of_one_is_known_of_the_next),
	    TEST(what_is_found_loaded_is_taken_for_the_nodes_own),
	    TEST(what_others_loaded_with_another_context_is_seen),
	    TEST(a_context_that_the_model_cuts_is_still_ours),
	    TEST(a_snapshot_of_before_a_swap_changes_nothing),
	    TEST_WITHOUT_ORDERS(a_node_at_work_is_not_sent_another_variant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
