#include "../check.h"

#include "runners.h"

#include <stdlib.h>
#include <string.h>

enum { LOAD_MS = 1000, KEEP_MS = 300000 };

struct fixture {
	struct catalog catalog;
	struct runners rs;
	struct model *a;
	struct model *b;
	struct model *c;
	int64_t now;
};

static struct fixture *
setup(int parallel, int max_loaded, int max_queue)
{
	static const char *const models[] = {"a,load=1s", "b,load=1s", "c,load=1s,unload=200ms"};
	struct fixture *f = calloc(1, sizeof(*f));
	struct buf why = {0};

	assert_non_null(f);
	catalog_init(&f->catalog);
	for (size_t i = 0; i < 3; i++)
		assert_true(catalog_add(&f->catalog, str_of(models[i]), 1, &why));
	f->a = catalog_find(&f->catalog, "a");
	f->b = catalog_find(&f->catalog, "b");
	f->c = catalog_find(&f->catalog, "c");
	f->now = 1000;
	runners_init(&f->rs, parallel, max_loaded, max_queue, KEEP_MS);
	return f;
}

static void
teardown(struct fixture *f)
{
	runners_finish(&f->rs);
	catalog_finish(&f->catalog);
	free(f);
}

static struct runner_options
default_options(void)
{
	return (struct runner_options){
	    .num_ctx = DEFAULT_NUM_CTX,
	    .num_ctx_auto = true,
	    .num_batch = DEFAULT_NUM_BATCH,
	    .num_batch_auto = true,
	    .num_gpu = -1,
	    .main_gpu = -1,
	    .use_mmap = -1,
	};
}

static struct wish *
wish_ctx(struct fixture *f, struct model *m, int64_t num_ctx, int64_t keep_ms)
{
	struct runner_options opts = default_options();

	if (num_ctx > 0) {
		opts.num_ctx = num_ctx;
		opts.num_ctx_auto = false;
	}
	return runners_wish(&f->rs, m, &opts, keep_ms, true, false, NULL, f->now);
}

static struct wish *
wish(struct fixture *f, struct model *m)
{
	return wish_ctx(f, m, 0, KEEP_DEFAULT);
}

static void
end(struct fixture *f, struct wish *w)
{
	wish_end(&f->rs, &w, f->now);
}

static void
pass(struct fixture *f, int64_t ms)
{
	f->now += ms;
	runners_tick(&f->rs, f->now);
}

/* The model is loaded and nobody uses it. */
static void
load(struct fixture *f, struct model *m)
{
	struct wish *w = wish(f, m);

	pass(f, LOAD_MS);
	assert_int_equal(w->state, WISH_READY);
	while (runners_take_ready(&f->rs) != NULL)
		;
	end(f, w);
}

static bool
is_loaded(struct fixture *f, const struct model *m)
{
	struct runner *r;

	LIST_FOR_EACH (r, &f->rs.loaded, struct runner, link)
		if (r->model == m)
			return true;
	return false;
}

static void
loads_first_and_tells_when_it_is_ready(void **state)
{
	struct fixture *f = setup(1, 1, 10);
	struct wish *w = wish(f, f->a);

	assert_int_equal(w->state, WISH_LOADING);
	assert_int_equal(runners_next_ms(&f->rs), f->now + LOAD_MS);
	assert_false(is_loaded(f, f->a));
	pass(f, LOAD_MS - 1);
	assert_null(runners_take_ready(&f->rs));
	pass(f, 1);
	assert_ptr_equal(runners_take_ready(&f->rs), w);
	assert_null(runners_take_ready(&f->rs));
	assert_true(w->loaded && is_loaded(f, f->a));
	end(f, w);
	teardown(f);
}

static void
a_loaded_model_serves_at_once_within_its_slots(void **state)
{
	struct fixture *f = setup(2, 1, 10);
	struct wish *w[4];

	load(f, f->a);
	for (int i = 0; i < 4; i++)
		w[i] = wish(f, f->a);
	assert_int_equal(w[0]->state, WISH_READY);
	assert_int_equal(w[1]->state, WISH_READY);
	assert_int_equal(w[2]->state, WISH_WAITING);
	assert_int_equal(w[3]->state, WISH_WAITING);
	assert_int_equal(runners_waiting(&f->rs), 2);
	end(f, w[0]);
	assert_ptr_equal(runners_take_ready(&f->rs), w[2]);
	assert_int_equal(w[3]->state, WISH_WAITING);
	for (int i = 1; i < 4; i++)
		end(f, w[i]);
	teardown(f);
}

static void
waiting_for_a_loaded_model_has_no_bound(void **state)
{
	struct fixture *f = setup(1, 1, 2);
	struct wish *w[50];

	load(f, f->a);
	for (int i = 0; i < 50; i++) {
		w[i] = wish(f, f->a);
		assert_int_not_equal(w[i]->state, WISH_BUSY);
	}
	for (int i = 49; i >= 0; i--)
		end(f, w[i]);
	teardown(f);
}

static void
the_queue_bounds_only_what_needs_a_load(void **state)
{
	struct fixture *f = setup(1, 1, 2);
	struct wish *first = wish(f, f->a), *q1 = wish(f, f->a), *q2 = wish(f, f->b);
	struct wish *refused = wish(f, f->a);

	assert_int_equal(first->state, WISH_LOADING);
	assert_int_equal(q1->state, WISH_QUEUED);
	assert_int_equal(q2->state, WISH_QUEUED);
	assert_int_equal(refused->state, WISH_BUSY);
	end(f, refused);
	/* Who leaves keeps the place until the loop comes by. */
	end(f, q1);
	refused = wish(f, f->b);
	assert_int_equal(refused->state, WISH_BUSY);
	end(f, refused);
	pass(f, LOAD_MS);
	assert_int_equal(q2->state, WISH_IN_HAND);
	end(f, first);
	assert_int_equal(q2->state, WISH_LOADING);
	end(f, q2);
	teardown(f);
}

static void
while_one_model_loads_nothing_else_is_loaded(void **state)
{
	struct fixture *f = setup(1, 2, 10);
	struct wish *a = wish(f, f->a), *b = wish(f, f->b);

	assert_int_equal(b->state, WISH_QUEUED);
	pass(f, LOAD_MS);
	assert_int_equal(a->state, WISH_READY);
	assert_int_equal(b->state, WISH_LOADING);
	pass(f, LOAD_MS);
	assert_int_equal(b->state, WISH_READY);
	assert_int_equal(f->rs.loads, 2);
	end(f, a);
	end(f, b);
	teardown(f);
}

static void
evicts_the_idle_one_first_then_the_shortest_kept(void **state)
{
	struct fixture *f = setup(1, 2, 10);
	struct wish *busy, *w;

	load(f, f->a);
	load(f, f->b);
	busy = wish_ctx(f, f->a, 0, 1000);
	w = wish(f, f->c);
	assert_false(is_loaded(f, f->b));
	assert_true(is_loaded(f, f->a));
	pass(f, LOAD_MS);
	assert_int_equal(w->state, WISH_READY);
	end(f, w);
	end(f, busy);
	/* Both idle now: a is kept 1 s, c 5 min. */
	w = wish(f, f->b);
	assert_false(is_loaded(f, f->a));
	assert_true(is_loaded(f, f->c));
	end(f, w);
	teardown(f);
}

static void
gives_memory_back_before_it_loads(void **state)
{
	struct fixture *f = setup(1, 1, 10);
	struct wish *w;

	load(f, f->c);
	w = wish(f, f->a);
	assert_int_equal(w->state, WISH_IN_HAND);
	assert_false(is_loaded(f, f->c));
	assert_int_equal(runners_next_ms(&f->rs), f->now + 200);
	pass(f, 200);
	assert_int_equal(w->state, WISH_LOADING);
	end(f, w);
	teardown(f);
}

static void
steady_traffic_for_the_victim_wedges_the_loop(void **state)
{
	struct fixture *f = setup(1, 1, 2);
	struct wish *old, *next, *starved, *behind;

	load(f, f->a);
	old = wish(f, f->a);
	starved = wish(f, f->b);
	behind = wish(f, f->c);
	assert_int_equal(starved->state, WISH_IN_HAND);
	for (int i = 0; i < 1000; i++) {
		next = wish(f, f->a);
		assert_int_equal(next->state, WISH_WAITING);
		pass(f, 1000);
		end(f, old);
		old = next;
		assert_int_equal(old->state, WISH_READY);
		assert_int_equal(starved->state, WISH_IN_HAND);
		assert_int_equal(behind->state, WISH_QUEUED);
	}
	/* Only when the traffic pauses does the eviction happen. */
	end(f, old);
	assert_int_equal(starved->state, WISH_LOADING);
	end(f, starved);
	end(f, behind);
	while (runners_take_ready(&f->rs) != NULL)
		;
	teardown(f);
}

static void
a_keep_alive_of_the_victims_traffic_undoes_the_eviction(void **state)
{
	struct fixture *f = setup(1, 1, 10);
	struct wish *old, *starved, *again;

	load(f, f->a);
	old = wish(f, f->a);
	starved = wish(f, f->b);
	again = wish_ctx(f, f->a, 0, 60000);
	end(f, old);
	end(f, again);
	assert_true(is_loaded(f, f->a));
	assert_int_equal(starved->state, WISH_IN_HAND);
	pass(f, 60000);
	assert_int_equal(starved->state, WISH_LOADING);
	end(f, starved);
	while (runners_take_ready(&f->rs) != NULL)
		;
	teardown(f);
}

static void
another_num_ctx_reloads_and_an_equal_one_does_not(void **state)
{
	struct fixture *f = setup(1, 3, 10);
	struct wish *w;

	load(f, f->a);
	w = wish_ctx(f, f->a, DEFAULT_NUM_CTX, KEEP_DEFAULT);
	assert_int_equal(w->state, WISH_READY);
	end(f, w);
	w = wish_ctx(f, f->a, 8192, KEEP_DEFAULT);
	assert_int_equal(w->state, WISH_LOADING);
	pass(f, LOAD_MS);
	end(f, w);
	w = wish_ctx(f, f->a, 8192, KEEP_DEFAULT);
	assert_int_equal(w->state, WISH_READY);
	end(f, w);
	/* Left out again: back to the default, so it thrashes. */
	w = wish(f, f->a);
	assert_int_equal(w->state, WISH_LOADING);
	end(f, w);
	assert_int_equal(f->rs.loads, 2);
	assert_int_equal(f->rs.failed_loads, 1);
	while (runners_take_ready(&f->rs) != NULL)
		;
	teardown(f);
}

static void
leaves_when_its_keep_alive_runs_out(void **state)
{
	struct fixture *f = setup(1, 3, 10);
	struct wish *w;

	load(f, f->a);
	pass(f, KEEP_MS - 1);
	assert_true(is_loaded(f, f->a));
	w = wish(f, f->a);
	pass(f, 2 * KEEP_MS);
	assert_true(is_loaded(f, f->a));
	end(f, w);
	pass(f, KEEP_MS);
	assert_false(is_loaded(f, f->a));
	load(f, f->b);
	w = wish_ctx(f, f->b, 0, KEEP_FOREVER);
	end(f, w);
	assert_int_equal(runners_next_ms(&f->rs), INT64_MAX);
	w = wish_ctx(f, f->b, 0, 0);
	end(f, w);
	assert_false(is_loaded(f, f->b));
	teardown(f);
}

static void
an_unload_waits_for_who_uses_it(void **state)
{
	struct fixture *f = setup(1, 3, 10);
	struct wish *w;

	load(f, f->a);
	w = wish(f, f->a);
	runners_expire(&f->rs, f->a, f->now);
	assert_true(is_loaded(f, f->a));
	end(f, w);
	assert_false(is_loaded(f, f->a));
	runners_expire(&f->rs, f->a, f->now);
	teardown(f);
}

static void
who_leaves_while_it_loads_takes_the_load_along(void **state)
{
	struct fixture *f = setup(1, 1, 10);
	struct wish *w = wish(f, f->a), *other = wish(f, f->a);

	pass(f, LOAD_MS / 2);
	end(f, w);
	assert_int_equal(other->state, WISH_LOADING);
	pass(f, LOAD_MS - 1);
	assert_int_equal(other->state, WISH_LOADING);
	pass(f, 1);
	assert_int_equal(other->state, WISH_READY);
	assert_int_equal(f->rs.loads, 1);
	assert_int_equal(f->rs.failed_loads, 1);
	runners_take_ready(&f->rs);
	end(f, other);
	teardown(f);
}

static void
who_leaves_during_an_eviction_is_noticed_after_it(void **state)
{
	struct fixture *f = setup(1, 1, 10);
	struct wish *busy, *w;

	load(f, f->a);
	busy = wish(f, f->a);
	w = wish(f, f->b);
	end(f, w);
	end(f, busy);
	assert_false(is_loaded(f, f->a));
	assert_false(is_loaded(f, f->b));
	assert_int_equal(f->rs.loop, LOOP_FREE);
	teardown(f);
}

static void
a_gate_holds_a_load(void **state)
{
	struct fixture *f = setup(1, 1, 10);
	struct runner_options opts = default_options();
	struct wish *w = runners_wish(&f->rs, f->a, &opts, KEEP_DEFAULT, true, true, NULL, f->now);

	assert_int_equal(w->state, WISH_HELD);
	pass(f, 10 * LOAD_MS);
	assert_int_equal(w->state, WISH_HELD);
	wish_release_load(&f->rs, w, f->now);
	assert_int_equal(w->state, WISH_LOADING);
	pass(f, LOAD_MS);
	assert_ptr_equal(runners_take_ready(&f->rs), w);
	end(f, w);
	teardown(f);
}

static void
an_embedding_model_has_one_slot(void **state)
{
	struct fixture *f = setup(4, 1, 10);
	struct wish *x, *y;

	f->a->embeds = true;
	load(f, f->a);
	x = wish(f, f->a);
	y = wish(f, f->a);
	assert_int_equal(x->state, WISH_READY);
	assert_int_equal(y->state, WISH_WAITING);
	end(f, y);
	end(f, x);
	teardown(f);
}

static void
names_of_one_blob_share_a_runner(void **state)
{
	struct fixture *f = setup(1, 1, 10);
	struct wish *w;

	load(f, f->a);
	catalog_alias(&f->catalog, f->a, "other:v1", 5);
	w = wish(f, catalog_find(&f->catalog, "other:v1"));
	assert_int_equal(w->state, WISH_READY);
	assert_int_equal(f->rs.loads, 1);
	end(f, w);
	teardown(f);
}

/* Any order of wishes, ends and time: the counts fit after every step and all comes to rest. */
static void
counts_fit_after_any_order_of_events(void **state)
{
	struct fixture *f = setup(2, 2, 5);
	struct wish *open[40] = {0};
	struct model *const models[] = {f->a, f->b, f->c};
	uint64_t seed = 12345;

	for (int i = 0; i < 20000; i++) {
		struct runner *r;
		int loaded = 0, at;

		seed = hash_mix(seed + 1);
		at = (int)(seed % 40);
		if (open[at] == NULL)
			open[at] = wish_ctx(f, models[(seed >> 8) % 3], (seed >> 16) % 5 == 0 ? 8192 : 0,
			                    (seed >> 24) % 7 == 0 ? 0 : KEEP_DEFAULT);
		else
			wish_end(&f->rs, &open[at], f->now);
		pass(f, (int64_t)((seed >> 32) % 700));
		while (runners_take_ready(&f->rs) != NULL)
			;
		LIST_FOR_EACH (r, &f->rs.loaded, struct runner, link) {
			int waiting = 0;

			for (struct list *l = r->waiting.next; l != &r->waiting; l = l->next)
				waiting++;
			assert_int_equal(r->refs, r->running + waiting);
			assert_true(r->running <= 2 && (waiting == 0 || r->running == 2));
			loaded++;
		}
		assert_true(loaded <= 2);
		assert_true(f->rs.queued <= 5 + 1);
	}
	for (int i = 0; i < 40; i++)
		if (open[i] != NULL)
			wish_end(&f->rs, &open[i], f->now);
	pass(f, 10000);
	assert_int_equal(runners_waiting(&f->rs), 0);
	assert_int_equal(f->rs.loop, LOOP_FREE);
	assert_int_equal(f->rs.queued, 0);
	teardown(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(loads_first_and_tells_when_it_is_ready),
	    cmocka_unit_test(a_loaded_model_serves_at_once_within_its_slots),
	    cmocka_unit_test(waiting_for_a_loaded_model_has_no_bound),
	    cmocka_unit_test(the_queue_bounds_only_what_needs_a_load),
	    cmocka_unit_test(while_one_model_loads_nothing_else_is_loaded),
	    cmocka_unit_test(evicts_the_idle_one_first_then_the_shortest_kept),
	    cmocka_unit_test(gives_memory_back_before_it_loads),
	    cmocka_unit_test(steady_traffic_for_the_victim_wedges_the_loop),
	    cmocka_unit_test(a_keep_alive_of_the_victims_traffic_undoes_the_eviction),
	    cmocka_unit_test(another_num_ctx_reloads_and_an_equal_one_does_not),
	    cmocka_unit_test(leaves_when_its_keep_alive_runs_out),
	    cmocka_unit_test(an_unload_waits_for_who_uses_it),
	    cmocka_unit_test(who_leaves_while_it_loads_takes_the_load_along),
	    cmocka_unit_test(who_leaves_during_an_eviction_is_noticed_after_it),
	    cmocka_unit_test(a_gate_holds_a_load),
	    cmocka_unit_test(an_embedding_model_has_one_slot),
	    cmocka_unit_test(names_of_one_blob_share_a_runner),
	    cmocka_unit_test(counts_fit_after_any_order_of_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
