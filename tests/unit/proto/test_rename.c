/* Another name in an answer. */
#include "../check.h"
#include "proto/rename.h"

#include <string.h>

struct answer {
	enum dialect dialect;
	enum stream_form form;
	const char *text;
};

/* The text in pieces of so many bytes. */
static void
check_cut(const struct answer *a, size_t step, const char *expected)
{
	struct rename *r = rename_create(a->dialect, a->form, "model", "gpt-\"4o\"");
	struct buf out = {0};

	for (size_t at = 0, len = strlen(a->text); at < len; at += step)
		rename_feed(r, (struct str){a->text + at, len - at < step ? len - at : step}, &out);
	rename_end(r, &out);
	assert_string_equal(buf_text(&out), expected);
	buf_finish(&out);
	rename_destroy(&r);
}

static void
check(enum dialect d, enum stream_form form, const char *text, const char *expected)
{
	const struct answer a = {d, form, text};

	for (size_t step = 1; step <= strlen(text) + 1; step++)
		check_cut(&a, step, expected);
}

static void
check_whole(const char *text, const char *expected)
{
	check(DIALECT_OLLAMA, STREAM_NONE, text, expected);
}

static void
check_stays(enum stream_form form, const char *text)
{
	check(DIALECT_OLLAMA, form, text, text);
	check(DIALECT_OPENAI, form, text, text);
	check(DIALECT_ANTHROPIC, form, text, text);
}

#define MINE "\"gpt-\\\"4o\\\"\""

static void
the_name_is_put_in_wherever_pieces_end(void **state)
{
	check_whole("{\"model\":\"llama3.1:8b\",\"response\":\"x\"}",
	            "{\"model\":" MINE ",\"response\":\"x\"}");
	check_whole("{\"id\":\"1\",\"model\":\"llama3.1:8b\"}", "{\"id\":\"1\",\"model\":" MINE "}");
}

static void
it_is_found_however_it_is_written(void **state)
{
	check_whole(" {\n  \"done\": true ,\n\t\"model\" :\r\n \"llama\\u0033\\\"\\\\\" }\n\n",
	            " {\n  \"done\": true ,\n\t\"model\" :\r\n " MINE " }\n\n");
	check_whole("{\"mod\\u0065l\":\"\"}", "{\"mod\\u0065l\":" MINE "}");
	check_whole("{\"a\":{\"b\":[{}]},\"model\":\"x\",\"model\":\"y\"}",
	            "{\"a\":{\"b\":[{}]},\"model\":" MINE ",\"model\":" MINE "}");
}

static void
what_only_reads_like_it_stays(void **state)
{
	static const char *const texts[] = {
	    "",
	    "{}",
	    "\"model\"",
	    "[\"model\",\"x\",{\"model\":\"x\"}]",
	    "{\"response\":\"say \\\"model\\\":\\\"llama3.1:8b\\\"\"}",
	    "{\"response\":\"\\\\\\\"model\\\":\"}",
	    "{\"x\":{\"model\":\"llama3.1:8b\"},\"y\":[{\"model\":\"z\"}]}",
	    "{\"model\":[\"x\"],\"models\":\"x\",\"mode\":\"x\",\"MODEL\":\"x\"}",
	    "{\"model\":{\"model\":\"x\"}}",
	    "{\"model\":null,\"n\":1.50,\"x\":\"model\"}",
	    "{\"a-key-that-is-longer-than-those-that-are-looked-for-model\":\"x\"}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		check_stays(STREAM_NONE, texts[i]);
		check_stays(STREAM_NDJSON, texts[i]);
	}
}

static void
what_is_no_json_stays(void **state)
{
	static const char *const texts[] = {
	    "<html>\"model\":\"x\"",         "model=x\n\n\"model\":\"x\"", "{\"model\":\"never ended",
	    "{\"model\":\"a line\nin it\"}", "{\"model\":\"\\x\"}",        "{,\"model\":\"x\"}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		check_stays(STREAM_NONE, texts[i]);
		check_stays(STREAM_NDJSON, texts[i]);
		check_stays(STREAM_SSE, texts[i]);
	}
}

static void
a_name_of_any_length_is_not_kept(void **state)
{
	struct rename *r = rename_create(DIALECT_OLLAMA, STREAM_NONE, "model", "x");
	char piece[1000];
	struct buf out = {0};

	memset(piece, 'a', sizeof(piece));
	rename_feed(r, str_of("{\"model\":\""), &out);
	for (int i = 0; i < 100; i++)
		rename_feed(r, (struct str){piece, sizeof(piece)}, &out);
	assert_int_equal(out.len, strlen("{\"model\":\"") + 100 * sizeof(piece));
	buf_finish(&out);
	rename_destroy(&r);
}

static void
each_line_has_it(void **state)
{
	check(
	    DIALECT_OLLAMA, STREAM_NDJSON,
	    "{\"model\":\"a\",\"message\":{\"model\":\"b\"}}\n\nno json\n{\"x\":1, \"model\":\"a\"}\r\n"
	    "{\"model\":\"a\"}",
	    "{\"model\":" MINE ",\"message\":{\"model\":\"b\"}}\n\nno json\n{\"x\":1, \"model\":" MINE
	    "}\r\n{\"model\":" MINE "}");
}

static void
each_event_has_it(void **state)
{
	check(DIALECT_OPENAI, STREAM_SSE,
	      ": waiting\n\nevent: x\ndata: {\"model\":\"a\"}\n\ndata:{\"model\":\"a\"}\n\n"
	      "data: [DONE]\n\n",
	      ": waiting\n\nevent: x\ndata: {\"model\":" MINE "}\n\ndata:{\"model\":" MINE "}\n\n"
	      "data: [DONE]\n\n");
	check(DIALECT_OPENAI, STREAM_SSE, "data: {\"model\":\"a\"}\r\n\r\ndata: {\"model\":\"a\"}\r\r",
	      "data: {\"model\":" MINE "}\r\n\r\ndata: {\"model\":" MINE "}\r\r");
	/* An event whose data has lines. */
	check(DIALECT_OPENAI, STREAM_SSE,
	      "data: {\r\nid: {\"model\":\"a\"}\r\ndata: \"model\":\r\ndata: \"a\"}\r\n\r\n",
	      "data: {\r\nid: {\"model\":\"a\"}\r\ndata: \"model\":\r\ndata: " MINE "}\r\n\r\n");
	check(DIALECT_OPENAI, STREAM_SSE, "data: {\ndata: {\"model\":\"a\"}\n\n",
	      "data: {\ndata: {\"model\":\"a\"}\n\n");
	check(DIALECT_OPENAI, STREAM_SSE, "dat: {\"model\":\"a\"}\n{\"model\":\"a\"}\n\n",
	      "dat: {\"model\":\"a\"}\n{\"model\":\"a\"}\n\n");
}

static void
events_that_wrap_it_have_it_inside(void **state)
{
	static const char responses[] =
	    "data: "
	    "{\"response\":{\"output\":[{\"model\":\"b\"}],\"model\":\"a\"},\"x\":{\"model\":1}}\n\n";
	static const char messages[] = "data: {\"message\":{\"model\":\"a\"}}\n\n";

	check(DIALECT_OPENAI, STREAM_SSE, responses,
	      "data: {\"response\":{\"output\":[{\"model\":\"b\"}],\"model\":" MINE
	      "},\"x\":{\"model\":1}}\n\n");
	check(DIALECT_ANTHROPIC, STREAM_SSE, messages, "data: {\"message\":{\"model\":" MINE "}}\n\n");
	check(DIALECT_OPENAI, STREAM_SSE, messages, messages);
	check(DIALECT_ANTHROPIC, STREAM_SSE, responses, responses);
}

static void
nothing_but_the_name_is_held_back(void **state)
{
	struct rename *r = rename_create(DIALECT_OLLAMA, STREAM_NONE, "model", "b");
	struct buf out = {0};

	rename_feed(r, str_of("{\"model\":"), &out);
	assert_string_equal(buf_text(&out), "{\"model\":");
	rename_feed(r, str_of("\"a"), &out);
	assert_string_equal(buf_text(&out), "{\"model\":");
	rename_feed(r, str_of("\""), &out);
	assert_string_equal(buf_text(&out), "{\"model\":\"b\"");
	buf_finish(&out);
	rename_destroy(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_name_is_put_in_wherever_pieces_end),
	    cmocka_unit_test(it_is_found_however_it_is_written),
	    cmocka_unit_test(what_only_reads_like_it_stays),
	    cmocka_unit_test(what_is_no_json_stays),
	    cmocka_unit_test(a_name_of_any_length_is_not_kept),
	    cmocka_unit_test(each_line_has_it),
	    cmocka_unit_test(each_event_has_it),
	    cmocka_unit_test(events_that_wrap_it_have_it_inside),
	    cmocka_unit_test(nothing_but_the_name_is_held_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
