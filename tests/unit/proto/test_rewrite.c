/* Members of bodies are changed, and nothing else. */
#include "../check.h"

#include "proto/rewrite.h"

static const struct route *
route_of(const char *path)
{
	const struct route *table;
	size_t count;

	table = route_table(&count);
	for (size_t i = 0; i < count; i++)
		if (strcmp(table[i].path, path) == 0)
			return &table[i];
	fail_msg("no route %s", path);
	return NULL;
}

static struct body_facts
facts_of(const char *path, struct str body)
{
	struct body_reader *r =
	    body_reader_create(route_of(path), str_of("multipart/form-data; boundary=xYz"));
	struct body_facts f = {0};

	if (!body_reader_feed(r, body) || !body_reader_end(r, &f))
		fail_msg("%s", body_reader_why(r));
	body_reader_destroy(&r);
	return f;
}

static void
becomes(const char *path, const char *body, const struct rewrite_edit *edits, size_t count,
        const char *want)
{
	struct body_facts f = facts_of(path, str_of(body));
	struct buf out = {0};

	rewrite_add(str_of(body), &f, edits, count, &out);
	assert_string_equal(buf_text(&out), want);
	buf_finish(&out);
}

static struct rewrite_edit
edit(enum body_member m, const char *value)
{
	return (struct rewrite_edit){m, str_of(value)};
}

static void
one_becomes(const char *path, const char *body, enum body_member m, const char *value,
            const char *want)
{
	struct rewrite_edit e = edit(m, value);

	becomes(path, body, &e, 1, want);
}

static void
a_value_is_replaced_where_it_stands(void **state)
{
	one_becomes("/api/chat",
	            " {\"model\" :\"m\" , \"options\":{ \"num_ctx\" :\t2048 ,\"x\":[1, 2]} }\n",
	            BODY_NUM_CTX, "8192",
	            " {\"model\" :\"m\" , \"options\":{ \"num_ctx\" :\t8192 ,\"x\":[1, 2]} }\n");
	one_becomes("/api/chat", "{\"model\":\"m\",\"keep_alive\":\"5m\"}", BODY_KEEP_ALIVE, "-1",
	            "{\"model\":\"m\",\"keep_alive\":-1}");
	one_becomes("/v1/completions", "{\"model\":\"m\",\"max_tokens\":null}", BODY_MAX_TOKENS, "64",
	            "{\"model\":\"m\",\"max_tokens\":64}");
	one_becomes("/api/show", "{\"model\":\"a\"}", BODY_MODEL, "\"bcd\"", "{\"model\":\"bcd\"}");
}

static void
what_is_not_there_is_put_first_into_its_object(void **state)
{
	one_becomes("/api/chat", "{ \"model\":\"m\"}", BODY_KEEP_ALIVE, "60",
	            "{\"keep_alive\":60, \"model\":\"m\"}");
	one_becomes("/api/chat", "{\"model\":\"m\",\"options\":{ \"seed\":1}}", BODY_NUM_CTX, "8192",
	            "{\"model\":\"m\",\"options\":{\"num_ctx\":8192, \"seed\":1}}");
}

static void
options_are_made_where_there_are_none(void **state)
{
	one_becomes("/api/chat", "{\"model\":\"m\"}", BODY_NUM_CTX, "8192",
	            "{\"options\":{\"num_ctx\":8192},\"model\":\"m\"}");
	one_becomes("/api/chat", "{\"model\":\"m\",\"options\":null}", BODY_NUM_CTX, "8192",
	            "{\"model\":\"m\",\"options\":{\"num_ctx\":8192}}");
	one_becomes("/api/chat", "{\"model\":\"m\",\"options\":{ }}", BODY_NUM_CTX, "8192",
	            "{\"model\":\"m\",\"options\":{\"num_ctx\":8192 }}");
}

static void
several_members_change_at_once(void **state)
{
	struct rewrite_edit edits[] = {
	    edit(BODY_MODEL, "\"n\""),
	    edit(BODY_KEEP_ALIVE, "60"),
	    edit(BODY_NUM_PREDICT, "512"),
	    edit(BODY_NUM_CTX, "8192"),
	};

	becomes(
	    "/api/chat", "{\"options\":{\"num_ctx\":1},\"model\":\"m\"}", edits, 4,
	    "{\"keep_alive\":60,\"options\":{\"num_predict\":512,\"num_ctx\":8192},\"model\":\"n\"}");
	becomes(
	    "/api/chat", "{\"model\":\"m\"}", edits, 4,
	    "{\"keep_alive\":60,\"options\":{\"num_predict\":512,\"num_ctx\":8192},\"model\":\"n\"}");
	becomes("/api/chat", "{\"model\":\"m\"}", edits, 0, "{\"model\":\"m\"}");
}

static void
what_a_node_refuses_is_left_to_it(void **state)
{
	struct body_facts f =
	    facts_of("/api/chat", str_of("{\"model\":\"m\",\"options\":{\"num_ctx\":\"8k\"}}"));

	assert_false(rewrite_can(&f, BODY_NUM_CTX));
	assert_true(rewrite_can(&f, BODY_NUM_PREDICT));
	f = facts_of("/api/chat", str_of("{\"model\":\"m\",\"options\":[]}"));
	assert_false(rewrite_can(&f, BODY_NUM_PREDICT));
	assert_true(rewrite_can(&f, BODY_KEEP_ALIVE));
}

static void
the_model_of_a_form_is_replaced(void **state)
{
#define HEAD "--xYz\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n"
	one_becomes("/v1/audio/transcriptions", HEAD "whisper\r\n--xYz--\r\n", BODY_MODEL, "other:1b",
	            HEAD "other:1b\r\n--xYz--\r\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_value_is_replaced_where_it_stands),
	    cmocka_unit_test(what_is_not_there_is_put_first_into_its_object),
	    cmocka_unit_test(options_are_made_where_there_are_none),
	    cmocka_unit_test(several_members_change_at_once),
	    cmocka_unit_test(what_a_node_refuses_is_left_to_it),
	    cmocka_unit_test(the_model_of_a_form_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
