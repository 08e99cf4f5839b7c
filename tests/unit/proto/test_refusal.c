#include "../check.h"

#include "proto/refusal.h"

#include <cjson/cJSON.h>
#include <string.h>

static void
is_body(enum dialect d, int status, const char *message, const char *want)
{
	struct buf out = {0};

	refusal_add_body(&out, d, status, message, "req-1");
	assert_string_equal(buf_text(&out), want);
	buf_finish(&out);
}

static void
each_dialect_has_its_body(void **state)
{
	is_body(DIALECT_OLLAMA, 404, "model 'x' not found", "{\"error\":\"model 'x' not found\"}");
	is_body(DIALECT_OPENAI, 404, "no",
	        "{\"error\":{\"message\":\"no\",\"type\":\"not_found_error\",\"param\":null,"
	        "\"code\":null}}");
	is_body(DIALECT_ANTHROPIC, 503, "no",
	        "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"no\"},"
	        "\"request_id\":\"req-1\"}");
}

static const char *
type_of(enum dialect d, int status, char *type)
{
	struct buf out = {0};
	cJSON *root;

	refusal_add_body(&out, d, status, "m", "r");
	root = cJSON_Parse(buf_text(&out));
	strcpy(type,
	       cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetObjectItem(root, "error"), "type")));
	cJSON_Delete(root);
	buf_finish(&out);
	return type;
}

static void
types_follow_the_status(void **state)
{
	static const struct {
		int status;
		const char *openai, *anthropic;
	} rows[] = {
	    {400, "invalid_request_error", "invalid_request_error"},
	    {401, "invalid_request_error", "authentication_error"},
	    {403, "api_error", "permission_error"},
	    {404, "not_found_error", "not_found_error"},
	    {405, "api_error", "invalid_request_error"},
	    {413, "api_error", "request_too_large"},
	    {429, "api_error", "rate_limit_error"},
	    {500, "api_error", "api_error"},
	    {502, "api_error", "api_error"},
	    {503, "api_error", "overloaded_error"},
	    {504, "api_error", "timeout_error"},
	    {529, "api_error", "overloaded_error"},
	};
	char type[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(type_of(DIALECT_OPENAI, rows[i].status, type), rows[i].openai);
		assert_string_equal(type_of(DIALECT_ANTHROPIC, rows[i].status, type), rows[i].anthropic);
	}
}

static void
a_missing_key_is_named_as_openai_names_it(void **state)
{
	is_body(DIALECT_OPENAI, 429, "later",
	        "{\"error\":{\"message\":\"later\",\"type\":\"api_error\",\"param\":null,"
	        "\"code\":\"rate_limit_exceeded\"}}");
	is_body(DIALECT_OPENAI, 401, "no key",
	        "{\"error\":{\"message\":\"no key\",\"type\":\"invalid_request_error\","
	        "\"param\":null,\"code\":\"invalid_api_key\"}}");
}

static void
a_body_is_one_line_whatever_the_message_holds(void **state)
{
	static const enum dialect all[] = {DIALECT_OLLAMA, DIALECT_OPENAI, DIALECT_ANTHROPIC};
	struct buf out = {0};
	for (int i = 0; i < 3; i++) {
		cJSON *root;

		buf_clear(&out);
		refusal_add_body(&out, all[i], 400, "a\r\n\"b\" \\ \x01 \xff", "r\n1");
		assert_null(strpbrk(buf_text(&out), "\r\n"));
		root = cJSON_Parse(buf_text(&out));
		assert_non_null(root);
		cJSON_Delete(root);
	}
	buf_finish(&out);
}

static void
forms_come_from_the_media_type(void **state)
{
	assert_int_equal(stream_form_of(str_of("application/x-ndjson")), STREAM_NDJSON);
	assert_int_equal(stream_form_of(str_of("Text/Event-Stream; charset=utf-8")), STREAM_SSE);
	assert_int_equal(stream_form_of(str_of(" text/event-stream ")), STREAM_SSE);
	assert_int_equal(stream_form_of(str_of("application/json; charset=utf-8")), STREAM_NONE);
	assert_int_equal(stream_form_of(str_of("")), STREAM_NONE);
	assert_int_equal(stream_form_of((struct str){NULL, 0}), STREAM_NONE);
}

static void
is_record(enum dialect d, enum stream_form form, bool at_line_start, const char *want)
{
	struct buf out = {0};

	refusal_add_stream_error(&out, d, form, at_line_start, 502, "gone", "r");
	assert_string_equal(buf_text(&out), want);
	buf_finish(&out);
}

static void
a_native_stream_ends_with_a_line_and_never_an_empty_one(void **state)
{
	is_record(DIALECT_OLLAMA, STREAM_NDJSON, true, "{\"error\":\"gone\"}\n");
	is_record(DIALECT_OLLAMA, STREAM_NDJSON, false, "\n{\"error\":\"gone\"}\n");
	is_record(DIALECT_OLLAMA, STREAM_NONE, true, "");
}

static void
an_event_stream_ends_with_an_event_of_its_own(void **state)
{
	is_record(DIALECT_OPENAI, STREAM_SSE, true,
	          "\ndata: {\"error\":{\"message\":\"gone\",\"type\":\"api_error\",\"param\":null,"
	          "\"code\":null}}\n\n");
	is_record(DIALECT_ANTHROPIC, STREAM_SSE, false,
	          "\n\nevent: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\","
	          "\"message\":\"gone\"},\"request_id\":\"r\"}\n\n");
}

static void
reads(const char *body, const char *want)
{
	struct buf out = {0};

	assert_int_equal(refusal_read_message(str_of(body), &out), want != NULL);
	assert_string_equal(buf_text(&out), want == NULL ? "" : want);
	buf_finish(&out);
}

static void
the_message_of_a_nodes_error_is_found_in_each_dialect(void **state)
{
	reads("{\"error\":\"no such thing\"}", "no such thing");
	reads("{\"error\":{\"message\":\"bad\",\"type\":\"api_error\"}}\n", "bad");
	reads("{\"type\":\"error\",\"error\":{\"type\":\"x\",\"message\":\"m\"}}", "m");
	reads("{\"message\":\"of another program\"}", NULL);
	reads("{\"error\":7}", NULL);
	reads("<html>", NULL);
	reads("", NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_dialect_has_its_body),
	    cmocka_unit_test(types_follow_the_status),
	    cmocka_unit_test(a_missing_key_is_named_as_openai_names_it),
	    cmocka_unit_test(a_body_is_one_line_whatever_the_message_holds),
	    cmocka_unit_test(forms_come_from_the_media_type),
	    cmocka_unit_test(a_native_stream_ends_with_a_line_and_never_an_empty_one),
	    cmocka_unit_test(an_event_stream_ends_with_an_event_of_its_own),
	    cmocka_unit_test(the_message_of_a_nodes_error_is_found_in_each_dialect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
