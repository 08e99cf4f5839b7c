/* Numbers as people read them. */
#include "format.h"

#include "../check.h"

static void
expect_us(double us, const char *text)
{
	struct buf out = {0};

	format_add_us(&out, us);
	assert_string_equal(buf_text(&out), text);
	buf_finish(&out);
}

static void
expect_number(double x, const char *text)
{
	struct buf out = {0};

	format_add_number(&out, x);
	assert_string_equal(buf_text(&out), text);
	buf_finish(&out);
}

static void
times_have_three_figures_and_the_unit_that_fits(void **state)
{
	expect_us(0, "0.000 ms");
	expect_us(45, "0.045 ms");
	expect_us(450, "0.45 ms");
	expect_us(1234, "1.23 ms");
	expect_us(9996, "10.0 ms");
	expect_us(56789, "56.8 ms");
	expect_us(99960, "100 ms");
	expect_us(999499, "999 ms");
	expect_us(999600, "1.00 s");
	expect_us(12345678, "12.3 s");
	expect_us(125e6, "2 m 05 s");
	expect_us(119.97e6, "2 m 00 s");
	expect_us(3725e6, "62 m 05 s");
}

static void
counts_have_their_thousands_apart(void **state)
{
	expect_number(0, "0");
	expect_number(0.1234, "0.123");
	expect_number(5.678, "5.68");
	expect_number(56.78, "56.8");
	expect_number(567.8, "568");
	expect_number(999.6, "1,000");
	expect_number(1234567, "1,234,567");
	expect_number(-1234, "-1,234");
}

static void
text_for_a_page_cannot_become_markup(void **state)
{
	struct buf out = {0};

	format_add_html(&out, "<b>\"a\" & b</b>");
	assert_string_equal(buf_text(&out), "&lt;b&gt;&quot;a&quot; &amp; b&lt;/b&gt;");
	assert_int_equal(format_columns("caf\xc3\xa9"), 4);
	buf_finish(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(times_have_three_figures_and_the_unit_that_fits),
	    cmocka_unit_test(counts_have_their_thousands_apart),
	    cmocka_unit_test(text_for_a_page_cannot_become_markup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
