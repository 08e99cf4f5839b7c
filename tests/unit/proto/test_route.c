#include "../check.h"

#include "proto/route.h"

#include <stdio.h>
#include <string.h>

static enum route_match
find(enum http_method method, const char *path, const struct route **r, struct str *tail)
{
	return route_find(method, str_of(path), r, tail);
}

static void
every_row_is_found_by_its_own_path_and_method(void **state)
{
	static const char *const methods[HTTP_METHODS] = {
	    [HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD", [HTTP_POST] = "POST", [HTTP_DELETE] = "DELETE"};
	const struct route *table, *r;
	struct str tail;
	char path[128];
	size_t count;

	table = route_table(&count);
	assert_true(count > 30);
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(table[i].path);

		strcpy(path, table[i].path);
		if (path[n - 1] == '*')
			strcpy(path + n - 1, "llama3:8b");
		assert_int_equal(find(table[i].method, path, &r, &tail), ROUTE_FOUND);
		assert_ptr_equal(r, &table[i]);
		assert_non_null(strstr(route_allow(str_of(path)), methods[table[i].method]));
	}
}

static void
a_wrong_method_is_not_an_unknown_path(void **state)
{
	const struct route *r;
	struct str tail;

	assert_int_equal(find(HTTP_GET, "/api/chat", &r, &tail), ROUTE_WRONG_METHOD);
	assert_string_equal(route_allow(str_of("/api/chat")), "POST");
	assert_int_equal(find(HTTP_POST, "/api/delete", &r, &tail), ROUTE_WRONG_METHOD);
	assert_string_equal(route_allow(str_of("/api/delete")), "DELETE");
	assert_int_equal(find(HTTP_HEAD, "/api/ps", &r, &tail), ROUTE_WRONG_METHOD);
	assert_string_equal(route_allow(str_of("/api/ps")), "GET");
	assert_int_equal(find(HTTP_PUT, "/", &r, &tail), ROUTE_WRONG_METHOD);
	assert_string_equal(route_allow(str_of("/")), "GET, HEAD");
	assert_int_equal(find(HTTP_GET, "/api/blobs/sha256:00", &r, &tail), ROUTE_WRONG_METHOD);
	assert_string_equal(route_allow(str_of("/api/blobs/sha256:00")), "HEAD, POST");
	assert_string_equal(route_allow(str_of("/nowhere")), "");
}

static void
the_name_of_a_model_in_a_path_may_be_escaped(void **state)
{
	static const char *const none[] = {"a%2fb", "a%5Cb", "a%25b", "a%00", "a%0a", "a%3",
	                                   "a%3g",  "%2e",   "%2E.",  "a%20", "a%7f"};
	const struct route *r;
	struct str tail;
	char name[32], path[64];

	assert_int_equal(find(HTTP_GET, "/v1/models/Llama%33%3A8b", &r, &tail), ROUTE_FOUND);
	assert_true(route_decode_tail(tail, name, sizeof(name)));
	assert_string_equal(name, "Llama3:8b");
	assert_true(route_decode_tail(str_of("abc"), name, 4));
	assert_false(route_decode_tail(str_of("abcd"), name, 4));
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		snprintf(path, sizeof(path), "/v1/models/%s", none[i]);
		assert_int_equal(find(HTTP_GET, path, &r, &tail), ROUTE_NOT_FOUND);
	}
	assert_int_equal(find(HTTP_POST, "/api/blobs/sha256%3A00", &r, &tail), ROUTE_NOT_FOUND);
}

static void
the_id_of_a_request_in_a_path_may_have_any_escape(void **state)
{
	const struct route *r;
	struct str tail;
	char id[16];

	assert_int_equal(find(HTTP_GET, "/drover/v1/requests/50%25%2F%23.", &r, &tail), ROUTE_FOUND);
	assert_int_equal(r->kind, ROUTE_REQUEST);
	assert_true(route_decode_name(tail, id, sizeof(id)));
	assert_string_equal(id, "50%/#.");
	assert_false(route_decode_name(str_of("a%00"), id, sizeof(id)));
	assert_false(route_decode_name(str_of("a%2"), id, sizeof(id)));
	assert_false(route_decode_name(str_of("0123456789abcdef"), id, sizeof(id)));
	assert_int_equal(find(HTTP_GET, "/drover/v1/requests/a%2", &r, &tail), ROUTE_NOT_FOUND);
	assert_int_equal(find(HTTP_GET, "/drover/v1/requests/a/b", &r, &tail), ROUTE_NOT_FOUND);
}

static void
nothing_but_the_exact_normal_path_is_found(void **state)
{
	static const char *const paths[] = {
	    "",
	    "*",
	    "api/chat",
	    "/api",
	    "/api/",
	    "/api/chat/",
	    "/api/chatx",
	    "/api/cha",
	    "/API/chat",
	    "//api/chat",
	    "/api//chat",
	    "/api/./chat",
	    "/api/x/../chat",
	    "/api/%63hat",
	    "/api/chat%00",
	    "/api\\chat",
	    "/v1/models/",
	    "/v1/models/.",
	    "/v1/models/..",
	    "/v1/models/a/b",
	    "/v1/models/a%2fb",
	    "/v1/models/a\\b",
	    "/api/blobs/",
	    "/api/blobs/../tags",
	    "/api/blobs",
	    "/api/user/keys",
	    "/debug/pprof",
	    "/debug/pprof/heap",
	    "/drover/v1/requests/",
	    "/admin/v1/status",
	    "/metrics",
	};
	const struct route *r;
	struct str tail;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		for (int m = 0; m < HTTP_METHODS; m++)
			assert_int_equal(find((enum http_method)m, paths[i], &r, &tail), ROUTE_NOT_FOUND);
		assert_string_equal(route_allow(str_of(paths[i])), "");
	}
}

static void
the_star_is_handed_over(void **state)
{
	const struct route *r;
	struct str tail;

	assert_int_equal(find(HTTP_GET, "/v1/models/llama3:8b", &r, &tail), ROUTE_FOUND);
	assert_int_equal(r->kind, ROUTE_V1_MODEL);
	assert_true(str_eq(tail, "llama3:8b"));
	assert_int_equal(find(HTTP_GET, "/v1/models", &r, &tail), ROUTE_FOUND);
	assert_int_equal(r->kind, ROUTE_V1_MODELS);
	assert_int_equal(tail.len, 0);
}

static void
a_left_out_stream_means_what_ollama_takes_it_for(void **state)
{
	static const char *const streaming[] = {"/api/generate", "/api/chat",   "/api/pull",
	                                        "/api/push",     "/api/create", NULL};
	const struct route *table;
	size_t count;

	table = route_table(&count);
	for (size_t i = 0; i < count; i++) {
		bool want = false;

		for (int k = 0; streaming[k] != NULL; k++)
			want = want || strcmp(table[i].path, streaming[k]) == 0;
		assert_int_equal(table[i].streams, want);
	}
}

static void
what_runs_a_model_names_it(void **state)
{
	const struct route *table;
	size_t count;

	table = route_table(&count);
	for (size_t i = 0; i < count; i++)
		if (table[i].kind == ROUTE_RUN || table[i].kind == ROUTE_SHOW ||
		    table[i].kind == ROUTE_MANAGE)
			assert_non_null(table[i].model_key);
		else
			assert_null(table[i].model_key);
}

static void
dialects_go_by_path_also_where_nothing_is(void **state)
{
	assert_int_equal(route_dialect(str_of("/v1/messages")), DIALECT_ANTHROPIC);
	assert_int_equal(route_dialect(str_of("/v1/messages/count_tokens")), DIALECT_ANTHROPIC);
	assert_int_equal(route_dialect(str_of("/v1/messagesx")), DIALECT_OPENAI);
	assert_int_equal(route_dialect(str_of("/v1/nothing")), DIALECT_OPENAI);
	assert_int_equal(route_dialect(str_of("/v1")), DIALECT_OPENAI);
	assert_int_equal(route_dialect(str_of("/v10")), DIALECT_OLLAMA);
	assert_int_equal(route_dialect(str_of("/api/chat")), DIALECT_OLLAMA);
	assert_int_equal(route_dialect(str_of("")), DIALECT_OLLAMA);
}

static void
rows_agree_with_the_dialect_of_their_path(void **state)
{
	const struct route *table;
	size_t count;

	table = route_table(&count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(table[i].dialect, route_dialect(str_of(table[i].path)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_is_found_by_its_own_path_and_method),
	    cmocka_unit_test(a_wrong_method_is_not_an_unknown_path),
	    cmocka_unit_test(the_name_of_a_model_in_a_path_may_be_escaped),
	    cmocka_unit_test(the_id_of_a_request_in_a_path_may_have_any_escape),
	    cmocka_unit_test(nothing_but_the_exact_normal_path_is_found),
	    cmocka_unit_test(the_star_is_handed_over),
	    cmocka_unit_test(a_left_out_stream_means_what_ollama_takes_it_for),
	    cmocka_unit_test(what_runs_a_model_names_it),
	    cmocka_unit_test(dialects_go_by_path_also_where_nothing_is),
	    cmocka_unit_test(rows_agree_with_the_dialect_of_their_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
