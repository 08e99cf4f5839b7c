/*
 * What the tests of loads by orders share: a desk with one node of two slots, which holds one
 * model, and the last order.
 */
#ifndef TESTS_CORE_ORDERS_H
#define TESTS_CORE_ORDERS_H

#include "desk.h"

enum { LOAD_MS = 60000 /* the prior */ };

static struct desk d;
static struct order o;
static struct backend *node;

static inline int
set_up(void **state)
{
	struct sched_conf conf = desk_conf();
	struct backend_conf wide = node_conf("n1");

	conf.loads_by_orders = true;
	conf.load_ms = 900000;
	wide.parallel = wide.slots = 2;
	desk_open(&d, &conf);
	node = desk_add(&d, wide);
	return 0;
}

static inline int
tear_down(void **state)
{
	desk_close(&d);
	return 0;
}

static inline bool
take(void)
{
	return sched_take_order(d.sched, d.now, &o);
}

static inline void
expect(enum order_kind kind, const struct backend *b, const char *model)
{
	assert_true(take());
	assert_int_equal(o.kind, kind);
	assert_ptr_equal(o.backend, b);
	assert_string_equal(o.model, model);
	assert_true(o.limit_ms > 0 || kind == ORDER_LOAD);
}

static inline void
done(void)
{
	sched_saw_order(d.sched, &o, ORDER_DONE, d.now);
}

/* A job for the model, whatever becomes of it. */
static inline struct job *
ask(const char *model)
{
	struct job *j = desk_queue(&d, model, CLASS_NORMAL);

	desk_pick_all(&d);
	return j;
}

/* "a" is there, with so many of its jobs running. */
static inline void
load_a(int running)
{
	ask("a");
	expect(ORDER_LOAD, node, "a");
	d.now += LOAD_MS;
	done();
	assert_int_equal(desk_pick_all(&d), 1);
	for (int i = 1; i < running; i++)
		assert_int_equal(ask("a")->state, JOB_RUNNING);
	if (running == 0)
		desk_end(&d, &d.jobs[0]);
	assert_false(take());
}

/* Time goes on until an order is due; how long that took. */
static inline int64_t
wait_for_order(void)
{
	int64_t since = d.now, most = d.now + 3600000;

	while (!take()) {
		assert_true(d.now < most);
		assert_true(sched_next_ms(d.sched, d.now) > d.now);
		d.now = sched_next_ms(d.sched, d.now);
	}
	return d.now - since;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
