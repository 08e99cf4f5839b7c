#include "../check.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

static void
grows_and_stays_terminated(void **state)
{
	struct buf b = {0};

	for (int i = 0; i < 1000; i++)
		buf_addf(&b, "%d,", i % 10);
	assert_int_equal(b.len, 2000);
	assert_int_equal(strlen(b.data), 2000);
	buf_finish(&b);
	assert_string_equal(buf_text(&b), "");
}

static void
json_escapes_what_json_must(void **state)
{
	struct buf b = {0};

	buf_add_json(&b, "a\"b\\\n\x01\xc3\xa9", 8);
	assert_string_equal(buf_text(&b), "\"a\\\"b\\\\\\n\\u0001\xc3\xa9\"");
	buf_finish(&b);
}

static void
json_replaces_what_is_no_utf8(void **state)
{
	struct buf b = {0};

	buf_add_json(&b, "\xff\xed\xa0\x80", 4);
	assert_string_equal(buf_text(&b), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	buf_finish(&b);
}

static void
numbers_are_written_in_full(void **state)
{
	struct buf b = {0};

	buf_add_int(&b, 0);
	buf_addc(&b, ' ');
	buf_add_int(&b, -42);
	buf_addc(&b, ' ');
	buf_add_int(&b, INT64_MIN);
	buf_addc(&b, ' ');
	buf_add_int(&b, INT64_MAX);
	assert_string_equal(buf_text(&b), "0 -42 -9223372036854775808 9223372036854775807");
	buf_finish(&b);
}

static void
take_hands_over(void **state)
{
	struct buf b = {0};
	char *text;

	buf_adds(&b, "x");
	text = buf_take(&b);
	assert_string_equal(text, "x");
	assert_int_equal(b.len, 0);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(grows_and_stays_terminated),
	    cmocka_unit_test(json_escapes_what_json_must),
	    cmocka_unit_test(json_replaces_what_is_no_utf8),
	    cmocka_unit_test(numbers_are_written_in_full),
	    cmocka_unit_test(take_hands_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
