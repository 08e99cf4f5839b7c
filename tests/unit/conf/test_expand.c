#include "../check.h"

#include "expand.h"

#include <stdlib.h>

static char *const environment[] = {
    (char[]){"A=1"},         (char[]){"LONG_NAME2=x=y"}, (char[]){"EMPTY="},
    (char[]){"BRACED=${A}"}, (char[]){"broken"},         NULL,
};

static void
expect(const char *text, const char *expected, const char *reason)
{
	struct buf out = {0}, why = {0};

	assert_int_equal(expand_text(text, environment, &out, &why), reason[0] == '\0');
	if (reason[0] == '\0')
		assert_string_equal(buf_text(&out), expected);
	assert_string_equal(buf_text(&why), reason);
	buf_finish(&out);
	buf_finish(&why);
}

static void
a_name_in_braces_is_replaced(void **state)
{
	expect("", "", "");
	expect("plain", "plain", "");
	expect("${A}", "1", "");
	expect("a${A}b${LONG_NAME2}c", "a1bx=yc", "");
	expect("${EMPTY}", "", "");
}

static void
a_value_is_not_looked_into(void **state)
{
	expect("${BRACED}", "${A}", "");
}

static void
a_dollar_alone_is_a_dollar(void **state)
{
	expect("$A $ $$ {A}", "$A $ $$ {A}", "");
	expect("$${A}", "${A}", "");
	expect("$$${A}", "$${A}", "");
}

static void
what_is_not_set_is_named(void **state)
{
	expect("x${NONE}", "", "the variable NONE is not set");
	expect("${broken}", "", "the variable broken is not set");
	/* No prefix of another name. */
	expect("${LONG}", "", "the variable LONG is not set");
}

static void
braces_hold_a_name_and_are_closed(void **state)
{
	const char *reason = "${ without a name and a }; write $${ for ${ itself";

	expect("${", "", reason);
	expect("${A", "", reason);
	expect("${}", "", reason);
	expect("${1A}", "", reason);
	expect("${A B}", "", reason);
	expect("${A${A}}", "", reason);
}

static void
what_was_escaped_comes_back(void **state)
{
	static const char *const texts[] = {"", "$", "${", "$${", "${A}", "a$${b}$$$", "{}"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct buf escaped = {0};

		expand_add_escaped(texts[i], &escaped);
		expect(buf_text(&escaped), texts[i], "");
		buf_finish(&escaped);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_name_in_braces_is_replaced),
	    cmocka_unit_test(a_value_is_not_looked_into),
	    cmocka_unit_test(a_dollar_alone_is_a_dollar),
	    cmocka_unit_test(what_is_not_set_is_named),
	    cmocka_unit_test(braces_hold_a_name_and_are_closed),
	    cmocka_unit_test(what_was_escaped_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
