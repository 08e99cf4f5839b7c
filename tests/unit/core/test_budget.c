/* The budget of retries. */
#include "../check.h"
#include "budget.h"

static int
spend_all(struct budget *b, int64_t now_ms)
{
	int n = 0;

	while (budget_spend(b, now_ms))
		n++;
	return n;
}

static void
ten_are_free(void **state)
{
	struct budget b;

	budget_init(&b, 10);
	assert_int_equal(spend_all(&b, 0), 10);
}

static void
traffic_earns_its_percentage(void **state)
{
	struct budget b;

	budget_init(&b, 10);
	spend_all(&b, 0);
	for (int i = 0; i < 299; i++)
		budget_earn(&b);
	assert_int_equal(spend_all(&b, 0), 29);
	budget_earn(&b);
	assert_int_equal(spend_all(&b, 0), 1);
}

static void
what_traffic_saves_up_is_bounded(void **state)
{
	struct budget b;

	budget_init(&b, 50);
	for (int i = 0; i < 100000; i++)
		budget_earn(&b);
	assert_int_equal(spend_all(&b, 0), 100);
}

static void
time_refills_the_floor_and_no_more(void **state)
{
	struct budget b;

	budget_init(&b, 0);
	spend_all(&b, 0);
	assert_int_equal(spend_all(&b, 999), 0);
	assert_int_equal(spend_all(&b, 1000), 1);
	assert_int_equal(spend_all(&b, 3000), 2);
	assert_int_equal(spend_all(&b, INT64_C(1) << 50), 10);
}

static void
asking_often_does_not_lose_time(void **state)
{
	struct budget b;

	budget_init(&b, 0);
	spend_all(&b, 0);
	for (int64_t now = 1; now < 1000; now++)
		assert_false(budget_spend(&b, now));
	assert_true(budget_spend(&b, 1000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ten_are_free),
	    cmocka_unit_test(traffic_earns_its_percentage),
	    cmocka_unit_test(what_traffic_saves_up_is_bounded),
	    cmocka_unit_test(time_refills_the_floor_and_no_more),
	    cmocka_unit_test(asking_often_does_not_lose_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
