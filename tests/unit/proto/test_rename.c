/* Another name in an answer. */
#include "../check.h"
#include "proto/rename.h"

#include <string.h>

/* The text in pieces of so many bytes. */
static void
check_cut(const char *text, size_t step, const char *expected)
{
	struct rename *r = rename_create("model", "llama3.1:8b", "gpt-4o-mini");
	struct buf out = {0};

	for (size_t at = 0, len = strlen(text); at < len; at += step)
		rename_feed(r, (struct str){text + at, len - at < step ? len - at : step}, &out);
	rename_end(r, &out);
	assert_string_equal(buf_text(&out), expected);
	buf_finish(&out);
	rename_destroy(&r);
}

static void
check(const char *text, const char *expected)
{
	for (size_t step = 1; step <= strlen(text) + 1; step++)
		check_cut(text, step, expected);
}

#define MINE  "\"model\":\"gpt-4o-mini\""
#define THEIR "\"model\":\"llama3.1:8b\""

static void
the_name_is_put_in_wherever_pieces_end(void **state)
{
	check("{" THEIR ",\"response\":\"x\"}", "{" MINE ",\"response\":\"x\"}");
	check("{\"id\":\"1\"," THEIR "}", "{\"id\":\"1\"," MINE "}");
}

static void
each_record_has_it_once(void **state)
{
	check("{" THEIR ",\"a\":{" THEIR "}}\n{" THEIR "}\n",
	      "{" MINE ",\"a\":{" THEIR "}}\n{" MINE "}\n");
	check("data: {\"id\":1," THEIR "}\n\ndata: {" THEIR "}\n\ndata: [DONE]\n\n",
	      "data: {\"id\":1," MINE "}\n\ndata: {" MINE "}\n\ndata: [DONE]\n\n");
}

static void
other_bytes_stay_as_they_are(void **state)
{
	static const char *const texts[] = {
	    "",
	    "\"model\":\"llama3.1:8",
	    "\"model\":\"llama3.1:8bb\"",
	    "\"model\": \"llama3.1:8b\"",
	    "{\"response\":\"say \\\"model\\\":\\\"llama3.1:8b\\\"\"}",
	    "\"\"\"model\"\"model\":\"model\":\"llama3.1\"",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check(texts[i], texts[i]);
}

static void
a_false_start_does_not_hide_it(void **state)
{
	check("\"model\":" THEIR, "\"model\":" MINE);
	check("\"\"mod" THEIR "\"", "\"\"mod" MINE "\"");
}

static void
nothing_is_held_back_that_cannot_be_it(void **state)
{
	struct rename *r = rename_create("model", "a", "b");
	struct buf out = {0};

	rename_feed(r, str_of("{\"mode"), &out);
	assert_string_equal(buf_text(&out), "{");
	rename_feed(r, str_of("X"), &out);
	assert_string_equal(buf_text(&out), "{\"modeX");
	buf_finish(&out);
	rename_destroy(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_name_is_put_in_wherever_pieces_end),
	    cmocka_unit_test(each_record_has_it_once),
	    cmocka_unit_test(other_bytes_stay_as_they_are),
	    cmocka_unit_test(a_false_start_does_not_hide_it),
	    cmocka_unit_test(nothing_is_held_back_that_cannot_be_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
