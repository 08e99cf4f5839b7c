#include "../check.h"

#include "proto/member.h"

#include <cjson/cJSON.h>

static const char json[] = "{\"name\":\"one\",\"Name\":\"two\",\"size\":-7,\"half\":2.5,"
                           "\"huge\":1e300,\"exact\":8999999999999999,\"none\":null,\"list\":[1]}";

static int
start(void **state)
{
	*state = cJSON_Parse(json);
	return *state == NULL;
}

static int
end(void **state)
{
	cJSON_Delete(*state);
	return 0;
}

static void
names_are_told_apart_by_their_case(void **state)
{
	assert_string_equal(member_text(*state, "name"), "one");
	assert_string_equal(member_text(*state, "Name"), "two");
	assert_null(member_find(*state, "NAME"));
}

static void
what_is_no_text_is_an_empty_one(void **state)
{
	assert_string_equal(member_text(*state, "size"), "");
	assert_string_equal(member_text(*state, "none"), "");
	assert_string_equal(member_text(*state, "missing"), "");
	assert_string_equal(member_text(member_find(*state, "list"), "name"), "");
	assert_string_equal(member_text(NULL, "name"), "");
}

static void
what_is_no_exact_number_is_less_than_nothing(void **state)
{
	assert_int_equal(member_number(*state, "size"), -7);
	assert_int_equal(member_number(*state, "half"), 2);
	assert_int_equal(member_number(*state, "exact"), 8999999999999999);
	assert_int_equal(member_number(*state, "huge"), -1);
	assert_int_equal(member_number(*state, "name"), -1);
	assert_int_equal(member_number(*state, "none"), -1);
	assert_int_equal(member_number(*state, "missing"), -1);
	assert_int_equal(member_number(NULL, "size"), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(names_are_told_apart_by_their_case, start, end),
	    cmocka_unit_test_setup_teardown(what_is_no_text_is_an_empty_one, start, end),
	    cmocka_unit_test_setup_teardown(what_is_no_exact_number_is_less_than_nothing, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
