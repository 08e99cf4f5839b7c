#include "../check.h"

#include "app/prompt_list.h"

struct lines {
	struct prompt_list list;
	struct prompt_request request;
	struct buf why;
};

static struct lines
open_lines(const char *text)
{
	struct lines l = {.list = {.file = tmpfile()}};

	assert_non_null(l.list.file);
	fputs(text, l.list.file);
	rewind(l.list.file);
	return l;
}

static void
close_lines(struct lines *l)
{
	fclose(l->list.file);
	prompt_list_finish(&l->list);
	prompt_request_finish(&l->request);
	buf_finish(&l->why);
}

static enum prompt_read
next(struct lines *l)
{
	buf_clear(&l->why);
	return prompt_list_next(&l->list, &l->request, &l->why);
}

static void
expect_request(const char *text, const char *path, const char *body)
{
	struct lines l = open_lines(text);

	assert_int_equal(next(&l), PROMPT_READ);
	assert_string_equal(buf_text(&l.request.path), path);
	assert_string_equal(buf_text(&l.request.body), body);
	assert_int_equal(next(&l), PROMPT_NO_MORE);
	close_lines(&l);
}

static void
expect_bad(const char *text, const char *why)
{
	struct lines l = open_lines(text);

	assert_int_equal(next(&l), PROMPT_BAD);
	assert_non_null(strstr(buf_text(&l.why), why));
	assert_int_equal(next(&l), PROMPT_NO_MORE);
	close_lines(&l);
}

static void
members_tell_the_path(void **state)
{
	expect_request("{\"prompt\":\"p\"}", "/api/generate", "{\"stream\":false,\"prompt\":\"p\"}");
	expect_request("{\"messages\":[]}", "/api/chat", "{\"stream\":false,\"messages\":[]}");
	expect_request("{\"input\":[\"a\"]}", "/api/embed", "{\"input\":[\"a\"]}");
	expect_request("{\"x\":{\"messages\":1},\"prompt\":\"p\",\"stream\":true}", "/api/generate",
	               "{\"x\":{\"messages\":1},\"prompt\":\"p\",\"stream\":true}");
}

static void
a_body_is_sent_byte_for_byte(void **state)
{
	expect_request(
	    " {\"prompt\" : \"\\u00e9\", \"seed\":9007199254740993 , \"t\":1.0} \r\n", "/api/generate",
	    "{\"stream\":false,\"prompt\" : \"\\u00e9\", \"seed\":9007199254740993 , \"t\":1.0}");
}

static void
a_path_has_its_body_beside_it(void **state)
{
	expect_request("{\"path\":\"/v1/chat/completions\",\"body\":{\"seed\": 1}}",
	               "/v1/chat/completions", "{\"seed\": 1}");
	expect_request("{\"body\": {\"a\":{\"stream\":1}} , \"path\":\"/api\\/chat\"}", "/api/chat",
	               "{\"stream\":false,\"a\":{\"stream\":1}}");
	expect_request("{\"path\":\"/api/chat\",\"body\":{}}", "/api/chat", "{\"stream\":false}");
}

static void
what_is_wrong_is_told(void **state)
{
	expect_bad("[]\n", "no JSON object");
	expect_bad("7\n", "no JSON object");
	expect_bad("{\"prompt\":\n", "");
	expect_bad("{\"prompt\":1}{}\n", "");
	expect_bad("{\"model\":\"a\"}\n", "messages, a prompt or an input");
	expect_bad("{\"path\":\"/api/chat\"}\n", "there must be a \"body\"");
	expect_bad("{\"path\":\"/api/chat\",\"body\":[]}\n", "there must be a \"body\"");
	expect_bad("{\"body\":{}}\n", "there must be a \"path\"");
	expect_bad("{\"path\":1,\"body\":{}}\n", "there must be a \"path\"");
	expect_bad("{\"path\":\"/api/tags\",\"body\":{}}\n", "no model is run by /api/tags");
	expect_bad("{\"path\":\"/api/pull\",\"body\":{}}\n", "no model is run by /api/pull");
	expect_bad("{\"path\":\"/none\",\"body\":{}}\n", "no model is run by /none");
	expect_bad("{\"path\":\"/api/chat\\r\\nX: y\",\"body\":{}}\n", "no model is run by");
}

static void
lines_are_counted_and_empty_ones_left_out(void **state)
{
	struct lines l = open_lines("\n{\"prompt\":\"a\"}\r\n \t\r\n\nno\n{\"prompt\":\"b\"}");

	assert_int_equal(next(&l), PROMPT_READ);
	assert_int_equal(l.list.line, 2);
	assert_int_equal(next(&l), PROMPT_BAD);
	assert_int_equal(l.list.line, 5);
	assert_int_equal(next(&l), PROMPT_READ);
	assert_int_equal(l.list.line, 6);
	assert_string_equal(buf_text(&l.request.body), "{\"stream\":false,\"prompt\":\"b\"}");
	assert_int_equal(next(&l), PROMPT_NO_MORE);
	close_lines(&l);
}

static void
a_line_that_is_too_long_does_not_harm_the_next(void **state)
{
	struct lines l = open_lines("{\"prompt\":\"");

	fseek(l.list.file, 0, SEEK_END);
	for (int i = 0; i < PROMPT_LINE_BYTES_MAX; i++)
		putc_unlocked('a', l.list.file);
	fputs("\"}\n{\"prompt\":\"b\"}\n", l.list.file);
	rewind(l.list.file);
	assert_int_equal(next(&l), PROMPT_BAD);
	assert_string_equal(buf_text(&l.why), "the line is longer than 16 MiB");
	assert_int_equal(next(&l), PROMPT_READ);
	assert_int_equal(l.list.line, 2);
	close_lines(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(members_tell_the_path),
	    cmocka_unit_test(a_body_is_sent_byte_for_byte),
	    cmocka_unit_test(a_path_has_its_body_beside_it),
	    cmocka_unit_test(what_is_wrong_is_told),
	    cmocka_unit_test(lines_are_counted_and_empty_ones_left_out),
	    cmocka_unit_test(a_line_that_is_too_long_does_not_harm_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
