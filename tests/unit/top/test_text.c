#include "../check.h"

#include "text.h"

#include <locale.h>

static void
expect_fit(const char *text, int width, bool right, const char *wanted)
{
	struct buf out = {0};

	text_add_fit(&out, text, width, right);
	assert_string_equal(buf_text(&out), wanted);
	assert_int_equal(text_width(buf_text(&out)), width);
	buf_finish(&out);
}

static void
a_text_is_padded_or_cut_to_its_columns(void **state)
{
	expect_fit("abc", 5, false, "abc  ");
	expect_fit("abc", 5, true, "  abc");
	expect_fit("abc", 3, false, "abc");
	expect_fit("abcd", 3, false, "ab~");
	expect_fit("abcd", 3, true, "ab~");
	expect_fit("abcd", 1, false, "~");
	expect_fit("", 2, true, "  ");
}

static void
a_wide_character_is_never_cut_in_two(void **state)
{
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		skip();
	assert_int_equal(text_width("模型"), 4);
	expect_fit("模型", 4, false, "模型");
	expect_fit("模型x", 4, false, "模~ ");
	expect_fit("模型x", 3, false, "模~");
	expect_fit("模型x", 2, false, "~ ");
}

static void
what_is_not_printable_becomes_a_question_mark(void **state)
{
	expect_fit("a\033[2J\n\x7f", 7, false, "a?[2J??");
	expect_fit("\xff\xc3", 2, false, "??");
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		skip();
	expect_fit("e\xcc\x81", 2, false, "e?"); /* a combining mark */
	/* NOLINTNEXTLINE(misc-misleading-bidirectional): that is what must not get through */
	expect_fit("\xe2\x80\xae", 1, false, "?"); /* a change of direction */
	expect_fit("\xc2\x9b", 1, false, "?");     /* an 8-bit control */
	expect_fit("\xf0\x9d\x84\x9e", 1, false, "\xf0\x9d\x84\x9e");
}

static void
expect_duration(int64_t ms, const char *wanted)
{
	struct buf out = {0};

	text_add_duration(&out, ms);
	assert_string_equal(buf_text(&out), wanted);
	assert_true(out.len <= 6);
	buf_finish(&out);
}

static void
durations_have_six_columns_at_most(void **state)
{
	expect_duration(0, "0.0s");
	expect_duration(9949, "9.9s");
	expect_duration(9950, "9s");
	expect_duration(59999, "59s");
	expect_duration(60000, "1m00s");
	expect_duration(3599999, "59m59s");
	expect_duration(3600000, "1h00m");
	expect_duration(86399999, "23h59m");
	expect_duration(86400000, "1d00h");
	expect_duration(100LL * 86400000, "100d");
}

static void
expect_count(int64_t value, const char *wanted)
{
	struct buf out = {0};

	text_add_count(&out, value);
	assert_string_equal(buf_text(&out), wanted);
	assert_true(out.len <= 6);
	buf_finish(&out);
}

static void
counts_have_six_columns_at_most(void **state)
{
	expect_count(-1, "-1");
	expect_count(999999, "999999");
	expect_count(1000000, "1.0M");
	expect_count(999949999, "999.9M");
	expect_count(999950000, "1.0G");
	expect_count(INT64_MAX, "9.2E");
}

static void
expect_bar(int64_t filled, int64_t whole, const char *wanted)
{
	struct buf out = {0};

	text_add_bar(&out, 12, filled, whole, "1/2");
	assert_string_equal(buf_text(&out), wanted);
	buf_finish(&out);
}

static void
a_bar_is_filled_in_proportion(void **state)
{
	expect_bar(0, 8, "[       1/2]");
	expect_bar(1, 1000, "[|      1/2]");
	expect_bar(1, 2, "[|||||  1/2]");
	expect_bar(8, 8, "[|||||||1/2]");
	expect_bar(80, 8, "[|||||||1/2]");
	expect_bar(5, 0, "[       1/2]");
	expect_bar(5, -1, "[       1/2]");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_text_is_padded_or_cut_to_its_columns),
	    cmocka_unit_test(a_wide_character_is_never_cut_in_two),
	    cmocka_unit_test(what_is_not_printable_becomes_a_question_mark),
	    cmocka_unit_test(durations_have_six_columns_at_most),
	    cmocka_unit_test(counts_have_six_columns_at_most),
	    cmocka_unit_test(a_bar_is_filled_in_proportion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
