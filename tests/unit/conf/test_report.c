#include "../check.h"

#include "report.h"

#include <string.h>

static void
expect(struct report *r, const char *expected)
{
	struct buf out = {0};

	report_write(r, &out);
	assert_string_equal(buf_text(&out), expected);
	buf_finish(&out);
	report_finish(r);
}

static void
a_complaint_has_origin_path_and_message(void **state)
{
	struct report r = {0};
	struct origin file = {FROM_FILE, "f.yaml", 3, 14}, option = {FROM_COMMAND_LINE, "-c", 0, 0},
	              nobody = {FROM_DEFAULT, NULL, 0, 0};

	report_add(&r, &file, "a.b", "is %d", 5);
	report_add(&r, &option, "", "no file");
	report_add(&r, &nobody, "c", "is odd");
	expect(&r, "c: is odd\n"
	           "f.yaml:3:14: a.b: is 5\n"
	           "-c: no file\n");
}

static void
a_file_is_told_from_top_to_bottom(void **state)
{
	struct report r = {0};
	struct origin late = {FROM_FILE, "f", 12, 1}, early = {FROM_FILE, "f", 2, 9},
	              earlier = {FROM_FILE, "f", 2, 3};

	report_add(&r, &late, "", "1");
	report_add(&r, &early, "", "2");
	report_add(&r, &earlier, "", "3");
	report_add(&r, &early, "", "4");
	expect(&r, "f:2:3: 3\nf:2:9: 2\nf:2:9: 4\nf:12:1: 1\n");
}

static void
a_message_stays_one_line_of_bounded_length(void **state)
{
	struct report r = {0};
	struct origin file = {FROM_FILE, "f", 1, 1};
	char path[4096];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	report_add(&r, &file, "a\nb\x7f", "c\rd");
	assert_int_equal(r.count, 1);
	expect(&r, "f:1:1: a?b?: c?d\n");
	report_add(&r, &file, path, "m");
	path[120] = '\0';
	{
		struct buf expected = {0};

		buf_addf(&expected, "f:1:1: %s: m\n", path);
		expect(&r, buf_text(&expected));
		buf_finish(&expected);
	}
}

static void
a_long_list_is_cut(void **state)
{
	struct report r = {0};
	struct origin file = {FROM_FILE, "f", 1, 1};
	struct buf expected = {0};

	for (int i = 0; i < 53; i++)
		report_add(&r, &file, "", "%d", i);
	for (int i = 0; i < 50; i++)
		buf_addf(&expected, "f:1:1: %d\n", i);
	buf_adds(&expected, "and 3 more\n");
	expect(&r, buf_text(&expected));
	buf_finish(&expected);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_complaint_has_origin_path_and_message),
	    cmocka_unit_test(a_file_is_told_from_top_to_bottom),
	    cmocka_unit_test(a_message_stays_one_line_of_bounded_length),
	    cmocka_unit_test(a_long_list_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
