/* Counters, histograms, and their text. */
#include "core/metrics.h"

#include "../check.h"

enum { REQUESTS, SECONDS, DEPTH, AGE, ROWS };

static void
collect_depth(struct metrics_sink *out, void *arg)
{
	const char *high = "high", *low = "low";

	metrics_sink_add(out, &high, *(int *)arg);
	metrics_sink_add(out, &low, 0);
}

static void
collect_age(struct metrics_sink *out, void *arg)
{
	metrics_sink_add_us(out, NULL, 1500000);
}

static const struct metric table[ROWS] = {
    [REQUESTS] = {"requests_total", METRIC_COUNTER, {"route", "code"}, "Requests.", NULL},
    [SECONDS] = {"wait_seconds", METRIC_HISTOGRAM, {"class"}, "Waits.", NULL},
    [DEPTH] = {"depth", METRIC_GAUGE, {"class"}, "Who waits.", collect_depth},
    [AGE] = {"age_seconds", METRIC_GAUGE, {NULL}, "Of the oldest.", collect_age},
};

static struct metrics *metrics;
static struct buf text;

static int
set_up(void **state)
{
	metrics = metrics_create(table, ROWS);
	return 0;
}

static int
tear_down(void **state)
{
	metrics_destroy(&metrics);
	assert_null(metrics);
	buf_finish(&text);
	return 0;
}

static const char *
shown(void)
{
	int depth = 7;

	buf_clear(&text);
	metrics_add_text(metrics, &depth, &text);
	return buf_text(&text);
}

static void
assert_shows(const char *lines)
{
	if (strstr(shown(), lines) == NULL)
		fail_msg("not there:\n%s\nbut:\n%s", lines, buf_text(&text));
}

static struct series *
requests(const char *route, const char *code)
{
	const char *values[] = {route, code};

	return metrics_series(metrics, REQUESTS, values);
}

static struct series *
waits(const char *class)
{
	return metrics_series(metrics, SECONDS, &class);
}

static void
every_row_is_shown_even_without_a_series(void **state)
{
	assert_string_equal(shown(), "# HELP requests_total Requests.\n# TYPE requests_total counter\n"
	                             "# HELP wait_seconds Waits.\n# TYPE wait_seconds histogram\n"
	                             "# HELP depth Who waits.\n# TYPE depth gauge\n"
	                             "depth{class=\"high\"} 7\ndepth{class=\"low\"} 0\n"
	                             "# HELP age_seconds Of the oldest.\n# TYPE age_seconds gauge\n"
	                             "age_seconds 1.500000\n");
}

static void
equal_labels_are_one_series_and_others_are_not(void **state)
{
	struct series *a = requests("/x", "200");

	assert_ptr_equal(requests("/x", "200"), a);
	assert_ptr_not_equal(requests("/x", "404"), a);
	assert_ptr_not_equal(requests("/", "200"), a);
	series_add(a, 1);
	series_add(a, 41);
	series_add(requests("/x", "404"), 3);
	assert_shows("requests_total{route=\"/x\",code=\"200\"} 42\n"
	             "requests_total{route=\"/x\",code=\"404\"} 3\n"
	             "requests_total{route=\"/\",code=\"200\"} 0\n");
}

/* Else two values could be moved over the border between them. */
static void
labels_are_escaped(void **state)
{
	assert_ptr_not_equal(requests("a\",code=\"b", "c"), requests("a", "b\",code=\"c"));
	series_add(requests("back\\slash\nline", "\xff\xc3\xa9"), 1);
	assert_shows(
	    "requests_total{route=\"back\\\\slash\\nline\",code=\"\xef\xbf\xbd\xc3\xa9\"} 1\n");
	assert_shows("route=\"a\\\",code=\\\"b\",code=\"c\"} 0\n");
}

static void
buckets_add_up_to_their_bounds_and_include_them(void **state)
{
	struct series *s = waits("high");

	series_observe_us(s, 1000);
	series_observe_us(s, 1001);
	series_observe_us(s, 1800000000);
	series_observe_us(s, 1800000001);
	assert_shows("wait_seconds_bucket{class=\"high\",le=\"0.001\"} 1\n"
	             "wait_seconds_bucket{class=\"high\",le=\"0.002\"} 2\n");
	assert_shows("wait_seconds_bucket{class=\"high\",le=\"1200\"} 2\n"
	             "wait_seconds_bucket{class=\"high\",le=\"1800\"} 3\n"
	             "wait_seconds_bucket{class=\"high\",le=\"+Inf\"} 4\n"
	             "wait_seconds_sum{class=\"high\"} 3600.002002\n"
	             "wait_seconds_count{class=\"high\"} 4\n");
}

/* A clock that was set back. */
static void
less_than_nothing_counts_as_nothing(void **state)
{
	series_observe_us(waits("low"), -5000000);
	assert_shows("wait_seconds_bucket{class=\"low\",le=\"0.001\"} 1\n");
	assert_shows("wait_seconds_sum{class=\"low\"} 0.000000\n");
}

/* Each bound as a number is the text that is shown for it: one observation at each. */
static void
texts_of_bounds_are_their_numbers(void **state)
{
	static const int64_t bounds_ms[] = {1,     2,      5,      10,     20,      50,     100,
	                                    200,   500,    1000,   2000,   5000,    10000,  20000,
	                                    60000, 120000, 300000, 600000, 1200000, 1800000};
	struct buf line = {0};

	for (size_t i = 0; i < sizeof(bounds_ms) / sizeof(bounds_ms[0]); i++)
		series_observe_us(waits("x"), bounds_ms[i] * 1000);
	for (size_t i = 0; i < sizeof(bounds_ms) / sizeof(bounds_ms[0]); i++) {
		buf_clear(&line);
		buf_addf(&line, "le=\"%g\"} %zu\n", (double)bounds_ms[i] / 1000, i + 1);
		assert_shows(buf_text(&line));
	}
	buf_finish(&line);
}

static void
what_is_of_a_value_is_forgotten_and_nothing_else(void **state)
{
	series_add(requests("/x", "200"), 1);
	series_add(requests("/xy", "200"), 2);
	series_add(requests("/x", "404"), 3);
	series_observe_us(waits("/x"), 1);
	metrics_forget(metrics, REQUESTS, "/x");
	assert_shows(
	    "# TYPE requests_total counter\nrequests_total{route=\"/xy\",code=\"200\"} 2\n# HELP");
	assert_shows("wait_seconds_count{class=\"/x\"} 1\n");
	/* What is counted after that begins at nothing, and is shown last. */
	series_add(requests("/x", "200"), 5);
	assert_shows("requests_total{route=\"/xy\",code=\"200\"} 2\n"
	             "requests_total{route=\"/x\",code=\"200\"} 5\n# HELP");
	metrics_forget(metrics, REQUESTS, "/x");
	metrics_forget(metrics, REQUESTS, "/xy");
	metrics_forget(metrics, REQUESTS, "/none");
	series_add(requests("/z", "200"), 1);
	assert_shows(
	    "# TYPE requests_total counter\nrequests_total{route=\"/z\",code=\"200\"} 1\n# HELP");
	metrics_forget(metrics, SECONDS, "/x");
	assert_shows("# TYPE wait_seconds histogram\n# HELP");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(every_row_is_shown_even_without_a_series, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(equal_labels_are_one_series_and_others_are_not, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(labels_are_escaped, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_is_of_a_value_is_forgotten_and_nothing_else, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(buckets_add_up_to_their_bounds_and_include_them, set_up,
	                                    tear_down),
	    cmocka_unit_test_setup_teardown(less_than_nothing_counts_as_nothing, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(texts_of_bounds_are_their_numbers, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
