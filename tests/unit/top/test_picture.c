#include "../check.h"

#include "base/buf.h"
#include "order.h"
#include "picture.h"

#define STATUS \
	"{\"version\":\"1\",\"queue\":{\"size\":4},\"backends\":[{\"name\":\"a\",\"models\":[{}]}]}"

static void
expect_refused(bool (*take)(struct picture *, const char *), const char *text)
{
	struct picture *p = picture_create();

	assert_false(take(p, text));
	picture_destroy(&p);
}

static void
what_is_no_answer_of_the_api_is_refused(void **state)
{
	static const char *const wrong[] = {"",
	                                    "{",
	                                    "[]",
	                                    "{}",
	                                    "1",
	                                    "\"x\"",
	                                    "null",
	                                    "{\"backends\":[]}",
	                                    "{\"queue\":{},\"backends\":{}}"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		expect_refused(picture_take_status, wrong[i]);
	expect_refused(picture_take_requests, "{}");
	expect_refused(picture_take_metrics, "drover_requests_total{} 1\n");
}

static void
what_is_left_out_is_not_known(void **state)
{
	struct picture *p = picture_create();

	assert_true(picture_take_status(p, STATUS));
	assert_true(picture_take_requests(p, "[{\"id\":7,\"age_ms\":1e300,\"tokens\":null},3]"));
	assert_string_equal(p->nodes[0].models[0].name, "");
	assert_int_equal(p->nodes[0].slots, -1);
	assert_int_equal(p->row_count, 2);
	assert_string_equal(p->rows[0].id, "");
	assert_int_equal(p->rows[0].age_ms, -1);
	assert_true(p->rows[1].rate < 0);
	picture_destroy(&p);
}

static struct picture *
picture_of(const char *requests, const char *total)
{
	struct picture *p = picture_create();
	struct buf metrics = {0};

	buf_addf(&metrics,
	         "# TYPE drover_requests_total counter\ndrover_requests_total{code=\"a 9\"} %s\n"
	         "drover_requests_totals{} 7\n",
	         total);
	assert_true(picture_take_status(p, STATUS));
	assert_true(picture_take_requests(p, requests));
	assert_true(picture_take_metrics(p, buf_text(&metrics)));
	buf_finish(&metrics);
	return p;
}

static void
rates_are_of_what_was_seen(void **state)
{
	struct picture *first = picture_of("[{\"age_ms\":3000,\"ttft_ms\":1000,\"tokens\":9}]", "10");
	struct picture *second = picture_of("[{\"age_ms\":3000,\"ttft_ms\":1000,\"tokens\":1}]", "30");
	struct picture *restarted = picture_of("[]", "2");

	picture_settle(first, NULL, 1000);
	assert_true(first->rate > 3.99 && first->rate < 4.01);
	assert_true(first->answered_a_second < 0);
	picture_settle(second, first, 3000);
	assert_true(second->rate < 0.01);
	assert_true(second->answered_a_second > 9.99 && second->answered_a_second < 10.01);
	picture_settle(restarted, second, 5000);
	assert_true(restarted->answered_a_second < 0);
	picture_destroy(&first);
	picture_destroy(&second);
	picture_destroy(&restarted);
}

static void
equal_rows_stay_in_their_order(void **state)
{
	struct picture *p = picture_of("[{\"id\":\"a\",\"state\":\"queued\",\"position\":1},"
	                               "{\"id\":\"b\",\"state\":\"running\"},"
	                               "{\"id\":\"c\",\"state\":\"queued\",\"position\":0},"
	                               "{\"id\":\"d\",\"state\":\"running\"}]",
	                               "0");
	static const char wanted[] = "bdca", plain[] = "abcd";

	order_rows(p, BY_TURN);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(p->rows[i].id[0], wanted[i]);
	order_rows(p, BY_KEY);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(p->rows[i].id[0], plain[i]);
	picture_destroy(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_no_answer_of_the_api_is_refused),
	    cmocka_unit_test(what_is_left_out_is_not_known),
	    cmocka_unit_test(rates_are_of_what_was_seen),
	    cmocka_unit_test(equal_rows_stay_in_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
