/*
 * Against starvation: steady traffic for a loaded model must not keep another one waiting
 * for ever, though a node may not be sent it before it runs dry.
 */
#include "desk.h"

enum { AGING_MS = 300000 };

static struct desk d;

static int
set_up(void **state)
{
	struct sched_conf conf = desk_conf();

	conf.max_wait_ms = 0;
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
add(const char *name, int parallel, int max_loaded)
{
	return desk_add(&d, (struct backend_conf){
	                        .name = name,
	                        .weight = 1,
	                        .parallel = parallel,
	                        .max_loaded = max_loaded,
	                        .slots = parallel * max_loaded,
	                    });
}

/* Starts one more for the model; NULL when it must wait. */
static struct job *
run(const char *model)
{
	struct job *j = desk_queue(&d, model, CLASS_HIGH);

	desk_pick_all(&d);
	return j->state == JOB_RUNNING ? j : NULL;
}

static void
end_all_on(const struct backend *b)
{
	for (int i = 0; i < d.used; i++)
		if (d.jobs[i].state == JOB_RUNNING && d.jobs[i].backend == b)
			desk_end(&d, &d.jobs[i]);
}

static void
a_node_runs_dry_for_who_waited_past_the_aging_bound(void **state)
{
	struct job *running, *waits, *younger;

	add("n1", 2, 1);
	running = run("a");
	waits = desk_queue(&d, "b", CLASS_LOW);
	/* Overlapping requests for "a" would go on like this for ever. */
	for (int i = 0; i < 29; i++) {
		struct job *next;

		d.now += 10000;
		next = run("a");
		assert_non_null(next);
		desk_end(&d, running);
		running = next;
		assert_null(desk_pick(&d));
	}
	d.now = waits->queued_at_ms + AGING_MS;
	younger = run("a");
	assert_null(younger);
	desk_end(&d, running);
	assert_ptr_equal(desk_pick(&d), waits);
	desk_end(&d, waits);
	assert_non_null(desk_pick(&d));
}

static void
a_node_runs_dry_for_another_variant_of_its_model_too(void **state)
{
	struct job *running, *waits;

	add("n1", 2, 2);
	running = run("a");
	waits = desk_new(&d, CLASS_LOW);
	variant_options_set(&waits->options, OPTION_NUM_CTX, 8192);
	assert_int_equal(desk_submit(&d, waits, "a"), SCHED_QUEUED);
	assert_null(desk_pick(&d));
	assert_non_null(run("a"));
	d.now = waits->queued_at_ms + AGING_MS;
	assert_null(desk_pick(&d));
	desk_end(&d, running);
	assert_null(run("a"));
	end_all_on(sched_backend(d.sched, 0));
	assert_ptr_equal(desk_pick(&d), waits);
}

static void
only_one_node_is_kept_and_always_the_same(void **state)
{
	struct backend *first = add("first", 2, 1);
	struct backend *second = add("second", 3, 1);
	struct job *waits;

	for (int i = 0; i < 5; i++)
		assert_non_null(run("a"));
	waits = desk_queue(&d, "b", CLASS_LOW);
	d.now += AGING_MS;
	assert_null(desk_pick(&d));
	/* The least busy one is kept, and stays it when the other becomes less busy. */
	while (backend_busy(second) > 1)
		for (int i = 0; i < d.used; i++)
			if (d.jobs[i].state == JOB_RUNNING && d.jobs[i].backend == second) {
				desk_end(&d, &d.jobs[i]);
				break;
			}
	for (int i = 0; i < 2; i++) {
		struct job *j = run("a");

		assert_non_null(j);
		assert_ptr_equal(j->backend, second);
	}
	end_all_on(first);
	assert_ptr_equal(desk_pick(&d), waits);
	assert_ptr_equal(waits->backend, first);
}

static void
nothing_is_kept_where_a_slot_is_enough(void **state)
{
	struct job *one, *waits;

	add("n1", 1, 2);
	one = run("a");
	assert_non_null(run("b"));
	waits = desk_queue(&d, "a", CLASS_LOW);
	d.now += AGING_MS;
	assert_null(desk_pick(&d));
	/* "a" is in flight here: its next slot is theirs, "b" may go on meanwhile. */
	desk_end(&d, &d.jobs[1]);
	assert_non_null(run("b"));
	desk_end(&d, one);
	assert_ptr_equal(desk_pick(&d), waits);
}

static void
the_kept_model_itself_may_start_on_the_node(void **state)
{
	struct job *running, *waits, *next;

	add("n1", 2, 1);
	running = run("a");
	waits = desk_queue(&d, "b", CLASS_LOW);
	d.now += AGING_MS;
	next = desk_queue(&d, "b", CLASS_HIGH);
	assert_null(desk_pick(&d));
	desk_end(&d, running);
	assert_ptr_equal(desk_pick(&d), waits);
	assert_ptr_equal(desk_pick(&d), next);
}

static void
the_node_is_free_again_when_the_waiting_client_leaves(void **state)
{
	struct job *waits;

	add("n1", 2, 1);
	run("a");
	waits = desk_queue(&d, "b", CLASS_LOW);
	d.now += AGING_MS;
	assert_null(run("a"));
	sched_end(d.sched, waits, JOB_CLIENT_GONE, d.now);
	assert_non_null(desk_pick(&d));
}

static void
the_oldest_comes_first_when_several_want_the_same_node(void **state)
{
	struct job *running, *b, *c;

	add("n1", 2, 1);
	running = run("a");
	b = desk_queue(&d, "b", CLASS_LOW);
	c = desk_queue(&d, "c", CLASS_HIGH);
	d.now += AGING_MS;
	assert_null(desk_pick(&d));
	desk_end(&d, running);
	assert_ptr_equal(desk_pick(&d), b);
	assert_null(desk_pick(&d));
	desk_end(&d, b);
	assert_ptr_equal(desk_pick(&d), c);
}

static void
another_node_is_kept_when_the_first_goes_down(void **state)
{
	struct backend *first = add("first", 2, 1);
	struct backend *second = add("second", 2, 1);
	struct job *waits;

	for (int i = 0; i < 3; i++)
		assert_non_null(run("a"));
	waits = desk_queue(&d, "b", CLASS_LOW);
	d.now += AGING_MS;
	assert_null(desk_pick(&d));
	backend_saw_fault(second, FAULT_CONNECT, d.now);
	backend_saw_fault(first, FAULT_HANG, d.now);
	assert_null(desk_pick(&d));
	backend_saw_probe(second, true, d.now);
	backend_saw_probe(second, true, d.now);
	assert_null(run("a"));
	end_all_on(second);
	assert_ptr_equal(desk_pick(&d), waits);
	assert_ptr_equal(waits->backend, second);
}

static void
an_older_one_takes_the_node_from_a_younger(void **state)
{
	struct backend *shared = add("shared", 2, 1);
	struct backend *second = add("second", 1, 1);
	struct job *running = run("a");
	struct job *older, *younger;

	list_models(second, "b", NULL, NULL);
	assert_ptr_equal(run("b")->backend, second);
	older = desk_queue(&d, "b", CLASS_LOW);
	younger = desk_queue(&d, "c", CLASS_LOW);
	d.now += AGING_MS;
	/* The older waits for a slot of the second node, the younger for the first to run dry. */
	assert_null(run("a"));
	backend_saw_fault(second, FAULT_CONNECT, d.now);
	assert_null(desk_pick(&d));
	desk_end(&d, running);
	assert_ptr_equal(desk_pick(&d), older);
	assert_ptr_equal(older->backend, shared);
	desk_end(&d, older);
	assert_ptr_equal(desk_pick(&d), younger);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_node_runs_dry_for_who_waited_past_the_aging_bound),
	    TEST(a_node_runs_dry_for_another_variant_of_its_model_too),
	    TEST(only_one_node_is_kept_and_always_the_same),
	    TEST(nothing_is_kept_where_a_slot_is_enough),
	    TEST(the_kept_model_itself_may_start_on_the_node),
	    TEST(the_node_is_free_again_when_the_waiting_client_leaves),
	    TEST(the_oldest_comes_first_when_several_want_the_same_node),
	    TEST(another_node_is_kept_when_the_first_goes_down),
	    TEST(an_older_one_takes_the_node_from_a_younger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
