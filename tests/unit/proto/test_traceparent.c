/* The header by which tracers follow a request. */
#include "proto/traceparent.h"

#include "../check.h"

#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static bool
reads(const char *value)
{
	char id[TRACE_ID_SIZE];
	bool ok = traceparent_read(str_of(value), id);

	assert_string_equal(id, ok ? TRACE : "");
	return ok;
}

static void
the_id_is_in_the_middle(void **state)
{
	assert_true(reads("00-" TRACE "-" PARENT "-01"));
	assert_true(reads("00-" TRACE "-" PARENT "-00"));
}

static void
a_later_version_may_have_more(void **state)
{
	assert_true(reads("01-" TRACE "-" PARENT "-01"));
	assert_true(reads("01-" TRACE "-" PARENT "-01-more"));
	assert_false(reads("01-" TRACE "-" PARENT "-01more"));
	assert_false(reads("00-" TRACE "-" PARENT "-01-more"));
}

static void
what_is_not_valid_is_ignored(void **state)
{
	char id[TRACE_ID_SIZE];

	assert_false(traceparent_read((struct str){0}, id));
	assert_string_equal(id, "");
	assert_false(reads(""));
	assert_false(reads("00-" TRACE));
	assert_false(reads("00-" TRACE "-" PARENT "-0"));
	assert_false(reads("00_" TRACE "-" PARENT "-01"));
	assert_false(reads("0-" TRACE "-" PARENT "-01"));
	assert_false(reads("ff-" TRACE "-" PARENT "-01"));
	assert_false(reads("00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01"));
	assert_false(reads("00-00000000000000000000000000000000-" PARENT "-01"));
	assert_false(reads("00-" TRACE "-0000000000000000-01"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_id_is_in_the_middle),
	    cmocka_unit_test(a_later_version_may_have_more),
	    cmocka_unit_test(what_is_not_valid_is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
