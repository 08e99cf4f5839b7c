/* How much one key may ask for. */
#include "../check.h"
#include "core/limit.h"

#include <string.h>

enum { MANY = 1000000 };

static struct limit *l;

static void
open_limit(struct limit_conf conf)
{
	l = limit_create(&conf, 0);
}

static int
tear_down(void **state)
{
	limit_destroy(&l);
	return 0;
}

static enum limit_answer
enter(struct limit_stay *s, int64_t prompt, int64_t most_output, int64_t now_ms, int64_t *retry_ms)
{
	*s = (struct limit_stay){0};
	return limit_enter(l, s, prompt, most_output, now_ms, retry_ms);
}

static void
pass(int64_t prompt, int64_t output, int64_t now_ms)
{
	struct limit_stay s;
	int64_t retry_ms;

	assert_int_equal(enter(&s, prompt, 0, now_ms, &retry_ms), LIMIT_FREE);
	limit_charge(l, &s, prompt, output, now_ms);
	limit_leave(l, &s, now_ms);
}

static void
a_burst_passes_then_the_rate(void **state)
{
	struct limit_stay s;
	int64_t retry_ms;

	open_limit((struct limit_conf){.requests_per_minute = 60, .burst = 3});
	for (int i = 0; i < 3; i++)
		pass(1, 1, 0);
	assert_int_equal(enter(&s, 1, 0, 0, &retry_ms), LIMIT_REQUESTS);
	assert_int_equal(retry_ms, 1000);
	assert_int_equal(enter(&s, 1, 0, 999, &retry_ms), LIMIT_REQUESTS);
	assert_int_equal(retry_ms, 1);
	pass(1, 1, 1000);
}

static void
being_refused_costs_nothing(void **state)
{
	struct limit_stay s;
	int64_t retry_ms;

	open_limit((struct limit_conf){.requests_per_minute = 60, .tokens_per_minute = 1000});
	pass(1, 1, 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(enter(&s, 1, 0, 500, &retry_ms), LIMIT_REQUESTS);
	assert_int_equal(limit_tokens(l, 500).left, 1000);
	pass(1, 1, 1000);
}

static void
what_is_usual_is_held_until_the_real_count_comes(void **state)
{
	struct limit_stay s;
	int64_t retry_ms, held;

	open_limit((struct limit_conf){.tokens_per_minute = 6000});
	assert_int_equal(enter(&s, 100, 0, 0, &retry_ms), LIMIT_FREE);
	held = 6000 - limit_tokens(l, 0).left;
	assert_in_range(held, 101, 1000);
	limit_charge(l, &s, 100, 20, 0);
	assert_int_equal(limit_tokens(l, 0).left, 5880);
	limit_leave(l, &s, 0);
	assert_int_equal(limit_tokens(l, 0).left, 5880);
}

static void
what_a_request_asks_for_at_most_bounds_what_is_held(void **state)
{
	struct limit_stay s;
	int64_t retry_ms;

	open_limit((struct limit_conf){.tokens_per_minute = 6000});
	assert_int_equal(enter(&s, 10, 5, 0, &retry_ms), LIMIT_FREE);
	assert_int_equal(limit_tokens(l, 0).left, 5985);
	limit_leave(l, &s, 0);
}

static void
an_answer_longer_than_was_held_is_owed(void **state)
{
	struct limit_stay s;
	int64_t retry_ms;

	open_limit((struct limit_conf){.tokens_per_minute = 6000});
	pass(0, 12000, 0);
	assert_int_equal(enter(&s, 1, 99, 0, &retry_ms), LIMIT_TOKENS);
	assert_int_equal(retry_ms, 61000); /* 6000 owed, and 100 needed: at 100 a second */
	assert_int_equal(enter(&s, 1, 99, 61000, &retry_ms), LIMIT_FREE);
	limit_leave(l, &s, 61000);
}

static void
a_request_larger_than_the_limit_passes_when_nothing_is_used(void **state)
{
	struct limit_stay s;
	int64_t retry_ms;

	open_limit((struct limit_conf){.tokens_per_minute = 600});
	assert_int_equal(enter(&s, 50000, 0, 0, &retry_ms), LIMIT_FREE);
	assert_int_equal(limit_tokens(l, 0).left, 0);
	limit_charge_nothing(l, &s, 0);
	assert_int_equal(limit_tokens(l, 0).left, 600);
	limit_leave(l, &s, 0);
}

static void
what_is_usual_is_learnt(void **state)
{
	struct limit_stay s;
	int64_t retry_ms;

	open_limit((struct limit_conf){.tokens_per_minute = MANY});
	for (int i = 0; i < 100; i++)
		pass(0, 2000, i * 60000);
	assert_int_equal(enter(&s, 0, 0, 6000000, &retry_ms), LIMIT_FREE);
	assert_in_range(MANY - limit_tokens(l, 6000000).left, 1900, 2000);
	limit_charge_nothing(l, &s, 6000000);
	limit_leave(l, &s, 6000000);
}

static void
so_many_at_once_and_no_more(void **state)
{
	struct limit_stay s[3];
	int64_t retry_ms;

	open_limit((struct limit_conf){.concurrent = 2, .requests_per_minute = 60, .burst = 10});
	assert_int_equal(enter(&s[0], 1, 0, 0, &retry_ms), LIMIT_FREE);
	assert_int_equal(enter(&s[1], 1, 0, 0, &retry_ms), LIMIT_FREE);
	assert_int_equal(enter(&s[2], 1, 0, 0, &retry_ms), LIMIT_CONCURRENT);
	assert_in_range(retry_ms, 1000, 60000);
	assert_int_equal(limit_requests(l, 0).left, 8);
	limit_leave(l, &s[0], 0);
	limit_leave(l, &s[0], 0); /* twice is harmless */
	assert_int_equal(limit_inside(l), 1);
	assert_int_equal(enter(&s[2], 1, 0, 0, &retry_ms), LIMIT_FREE);
	limit_leave(l, &s[1], 0);
	limit_leave(l, &s[2], 0);
}

static void
long_requests_are_waited_for_longer(void **state)
{
	struct limit_stay s, refused;
	int64_t retry_ms, now = 0;

	open_limit((struct limit_conf){.concurrent = 1});
	for (int i = 0; i < 50; i++, now += 40000) {
		assert_int_equal(enter(&s, 1, 0, now, &retry_ms), LIMIT_FREE);
		limit_leave(l, &s, now + 40000);
	}
	assert_int_equal(enter(&s, 1, 0, now, &retry_ms), LIMIT_FREE);
	assert_int_equal(enter(&refused, 1, 0, now, &retry_ms), LIMIT_CONCURRENT);
	assert_in_range(retry_ms, 38000, 40000);
	limit_leave(l, &s, now);
}

static void
clients_are_told_what_is_left_and_when_all_is_back(void **state)
{
	struct limit_figures f;

	open_limit((struct limit_conf){.requests_per_minute = 120, .burst = 20});
	for (int i = 0; i < 5; i++)
		pass(1, 1, 0);
	f = limit_requests(l, 0);
	assert_int_equal(f.limit, 120);
	assert_int_equal(f.left, 15);
	assert_int_equal(f.reset_ms, 2500);
	assert_int_equal(limit_tokens(l, 0).limit, 0);
}

static void
is_fresh_again_when_all_is_back(void **state)
{
	open_limit((struct limit_conf){.requests_per_minute = 60, .burst = 2});
	assert_true(limit_is_fresh(l, 0));
	pass(1, 1, 0);
	assert_false(limit_is_fresh(l, 999));
	assert_true(limit_is_fresh(l, 1000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(a_burst_passes_then_the_rate, tear_down),
	    cmocka_unit_test_teardown(being_refused_costs_nothing, tear_down),
	    cmocka_unit_test_teardown(what_is_usual_is_held_until_the_real_count_comes, tear_down),
	    cmocka_unit_test_teardown(what_a_request_asks_for_at_most_bounds_what_is_held, tear_down),
	    cmocka_unit_test_teardown(an_answer_longer_than_was_held_is_owed, tear_down),
	    cmocka_unit_test_teardown(a_request_larger_than_the_limit_passes_when_nothing_is_used,
	                              tear_down),
	    cmocka_unit_test_teardown(what_is_usual_is_learnt, tear_down),
	    cmocka_unit_test_teardown(so_many_at_once_and_no_more, tear_down),
	    cmocka_unit_test_teardown(long_requests_are_waited_for_longer, tear_down),
	    cmocka_unit_test_teardown(clients_are_told_what_is_left_and_when_all_is_back, tear_down),
	    cmocka_unit_test_teardown(is_fresh_again_when_all_is_back, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
