#include "../check.h"

#include "base/unit.h"

static void
durations_are_whole_numbers_with_a_unit(void **state)
{
	int64_t ms;

	assert_true(unit_parse_duration_ms(str_of("500ms"), &ms) && ms == 500);
	assert_true(unit_parse_duration_ms(str_of("90s"), &ms) && ms == 90000);
	assert_true(unit_parse_duration_ms(str_of("400d"), &ms) && ms == 400LL * 86400000);
	assert_true(unit_parse_duration_ms(str_of("0"), &ms) && ms == 0);
	assert_false(unit_parse_duration_ms(str_of("5"), &ms));
	assert_false(unit_parse_duration_ms(str_of("-5s"), &ms));
	assert_false(unit_parse_duration_ms(str_of("1.5s"), &ms));
	assert_false(unit_parse_duration_ms(str_of("999999999999999999d"), &ms));
}

static void
sizes_know_both_families(void **state)
{
	int64_t n;

	assert_true(unit_parse_size_bytes(str_of("64KiB"), &n) && n == 65536);
	assert_true(unit_parse_size_bytes(str_of("10MB"), &n) && n == 10000000);
	assert_true(unit_parse_size_bytes(str_of("7"), &n) && n == 7);
	assert_false(unit_parse_size_bytes(str_of("7kib"), &n));
	assert_false(unit_parse_size_bytes(str_of(""), &n));
}

static void
go_durations_are_read_as_go_reads_them(void **state)
{
	int64_t ns;

	assert_true(unit_parse_go_duration_ns(str_of("1h30m"), &ns) && ns == 5400000000000);
	assert_true(unit_parse_go_duration_ns(str_of("-1s"), &ns) && ns == -1000000000);
	assert_true(unit_parse_go_duration_ns(str_of("1.5s"), &ns) && ns == 1500000000);
	assert_true(unit_parse_go_duration_ns(str_of("0"), &ns) && ns == 0);
	assert_false(unit_parse_go_duration_ns(str_of("300"), &ns));
	assert_false(unit_parse_go_duration_ns(str_of("5 m"), &ns));
	assert_false(unit_parse_go_duration_ns(str_of(""), &ns));
}

static void
durations_read_back_the_same(void **state)
{
	const int64_t values[] = {0, 1, 500, 90000, 60000, 3600000, 86400000, 90061001};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct buf b = {0};
		int64_t back;

		unit_add_duration_ms(&b, values[i]);
		assert_true(unit_parse_duration_ms(str_of(buf_text(&b)), &back));
		assert_int_equal(back, values[i]);
		buf_finish(&b);
	}
}

static void
keep_alive_is_read_in_seconds(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = {{"24h", 86400}, {"2d", 172800}, {"300", 300}, {"1h30m", 5400},
	            {"-1", -1},     {"-5m", -1},    {"90s", 90},  {"1500ms", 1}};
	static const char *const bad[] = {"", "-", "0", "0s", "500ms", "5 m", "--1", "x", "5m-1s"};
	int64_t seconds;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(unit_parse_keep_alive_s(str_of(good[i].text), &seconds));
		assert_int_equal(seconds, good[i].seconds);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(unit_parse_keep_alive_s(str_of(bad[i]), &seconds));
}

static void
a_duration_is_written_as_go_does(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
	    {0, "0s"},        {1, "1ms"},          {999, "999ms"},      {1000, "1s"},
	    {1500, "1.5s"},   {1050, "1.05s"},     {59999, "59.999s"},  {60000, "1m0s"},
	    {360000, "6m0s"}, {90250, "1m30.25s"}, {3600000, "1h0m0s"}, {90061000, "25h1m1s"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf text = {0};

		unit_add_go_duration_ms(&text, cases[i].ms);
		assert_string_equal(buf_text(&text), cases[i].text);
		buf_finish(&text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_duration_is_written_as_go_does),
	    cmocka_unit_test(durations_are_whole_numbers_with_a_unit),
	    cmocka_unit_test(sizes_know_both_families),
	    cmocka_unit_test(go_durations_are_read_as_go_reads_them),
	    cmocka_unit_test(durations_read_back_the_same),
	    cmocka_unit_test(keep_alive_is_read_in_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
