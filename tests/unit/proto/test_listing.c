#include "../check.h"

#include "proto/listing.h"

#include <string.h>

static void
join(const struct listing_model *m, void *arg)
{
	struct buf *out = arg;

	buf_addf(out, "%s ", m->name);
}

static void
join_contexts(const struct listing_model *m, void *arg)
{
	buf_addf(arg, "%s:%lld ", m->name, (long long)m->context_length);
}

static void
contexts_of_loaded_models_are_read(void **state)
{
	struct buf out = {0};

	assert_true(listing_read_models(
	    str_of("{\"models\":[{\"name\":\"a\",\"context_length\":8192},"
	           "{\"context_length\":\"x\",\"name\":\"b\",\"details\":{\"context_length\":1}},"
	           "{\"name\":\"c\",\"context_length\":-1}]}"),
	    join_contexts, &out));
	assert_string_equal(buf_text(&out), "a:latest:8192 b:latest:0 c:latest:0 ");
	buf_finish(&out);
}

static void
join_trained(const struct listing_model *m, void *arg)
{
	buf_addf(arg, "%s=%lld ", m->name, (long long)m->trained_length);
}

static void
what_models_were_trained_for_is_read(void **state)
{
	struct buf out = {0};

	assert_true(listing_read_models(
	    str_of("{\"models\":[{\"name\":\"a\",\"details\":{\"x\":{\"context_length\":1},"
	           "\"families\":[2],\"context_length\":40960}},"
	           "{\"context_length\":3,\"name\":\"b\",\"details\":[4],\"other\":{\"context_length\":"
	           "5}},"
	           "{\"details\":{\"context_length\":\"6\"},\"name\":\"c\"}]}"),
	    join_trained, &out));
	assert_string_equal(buf_text(&out), "a:latest=40960 b:latest=0 c:latest=0 ");
	buf_finish(&out);
}

static void
names_are(const char *body, bool ok, const char *want)
{
	struct buf out = {0};

	assert_int_equal(listing_read_models(str_of(body), join, &out), ok);
	if (ok)
		assert_string_equal(buf_text(&out), want);
	buf_finish(&out);
}

static void
models_are_named_canonically(void **state)
{
	names_are("{\"models\":[{\"name\":\"Llama3\",\"details\":{\"name\":\"x\"}},"
	          "{\"model\":\"b\",\"name\":\"library\\/b:8B\"}]}",
	          true, "llama3:latest b:8b ");
	names_are("{\"models\":[]}", true, "");
	names_are("{\"models\":null}", true, "");
	names_are("{\"x\":[{\"name\":\"a\"}],\"models\":[{\"name\":\"b\"}],\"y\":[[{\"name\":\"c\"}]]}",
	          true, "b:latest ");
}

static void
entries_without_a_name_are_left_out(void **state)
{
	names_are("{\"models\":[{},{\"name\":\"\"},{\"name\":5},{\"name\":null},{\"name\":\"a\\nb\"},"
	          "5,\"x\",[{\"name\":\"y\"}],{\"name\":\"ok\"}]}",
	          true, "ok:latest ");
}

static void
what_is_no_listing_is_told(void **state)
{
	names_are("", false, "");
	names_are("{}", false, "");
	names_are("[]", false, "");
	names_are("{\"models\":{}}", false, "");
	names_are("{\"models\":\"x\"}", false, "");
	names_are("{\"models\":[]", false, "");
	names_are("{\"models\":[{\"name\":\"a\"}]}x", false, "");
	names_are("404 page not found", false, "");
	names_are("{\"error\":\"no\"}", false, "");
}

static void
a_listing_is_bounded(void **state)
{
	struct buf body = {0};

	buf_adds(&body, "{\"models\":[{\"name\":\"a\"}");
	for (int i = 0; i < 10000; i++)
		buf_adds(&body, ",{}");
	buf_adds(&body, "]}");
	names_are(buf_text(&body), false, "");
	buf_finish(&body);
}

static void
the_version_is_a_text_at_the_top(void **state)
{
	char v[8];

	assert_true(listing_read_version(str_of("{\"version\":\"0.12.3\"}"), v, sizeof(v)));
	assert_string_equal(v, "0.12.3");
	assert_true(listing_read_version(str_of("{\"x\":{\"version\":\"9\"},\"version\":\"1234567\"}"),
	                                 v, sizeof(v)));
	assert_string_equal(v, "1234567");
	assert_false(listing_read_version(str_of("{\"version\":\"12345678\"}"), v, sizeof(v)));
	assert_false(listing_read_version(str_of("{\"version\":5}"), v, sizeof(v)));
	assert_false(listing_read_version(str_of("{\"x\":\"version\"}"), v, sizeof(v)));
	assert_false(listing_read_version(str_of("{\"version\":\"1\""), v, sizeof(v)));
	assert_false(listing_read_version(str_of("[\"version\"]"), v, sizeof(v)));
}

static void
versions_compare_by_their_numbers(void **state)
{
	static const char *const ascending[] = {"0.0.0",       "0.9.6",     "0.12.3-rc1", "0.12.3-rc2",
	                                        "0.12.3-rc10", "0.12.3",    "0.12.4",     "0.24.0",
	                                        "0.33.1",      "1.0.0-rc0", "1.0",        "2"};
	size_t n = sizeof(ascending) / sizeof(ascending[0]);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++) {
			int order = listing_compare_versions(ascending[i], ascending[k]);

			assert_int_equal(order < 0, i < k);
			assert_int_equal(order == 0, i == k);
		}
	assert_int_equal(listing_compare_versions("1.0", "1.0.0"), 0);
	assert_true(listing_compare_versions("", "0.1") < 0);
}

typedef void merge_fn(const struct listing_part *, size_t, const struct listing_view *,
                      struct buf *);

static void
merges_seen(merge_fn *merge, const struct listing_view *view, const char *a, const char *b,
            const char *want)
{
	struct listing_part parts[] = {{"node-a", str_of(a), "a"}, {"node-b", str_of(b), "b"}};
	struct buf out = {0};

	merge(parts, 2, view, &out);
	assert_string_equal(buf_text(&out), want);
	buf_finish(&out);
}

static void
merges(merge_fn *merge, const char *a, const char *b, const char *want)
{
	const struct listing_view all = {0};

	merges_seen(merge, &all, a, b, want);
}

#define NEW_ "\"modified_at\":\"2025-06-04T14:38:31.8375-07:00\""
#define MID  "\"modified_at\":\"2025-06-04T21:38:30Z\""
#define OLD  "\"modified_at\":\"2024-01-01T00:00:00+05:30\""
#define BIG  "\"size\":9007199254740993, \"x\" : [1e5]"

static void
tags_are_a_union_with_the_newest_first(void **state)
{
	merges(listing_merge_tags, "{\"models\":[{\"name\":\"a\"," OLD "}]}",
	       "{\"models\":[{\"name\":\"b\"," NEW_ "," BIG "},{\"name\":\"c\"," MID "}]}",
	       "{\"models\":[{\"name\":\"b\"," NEW_ "," BIG "},{\"name\":\"c\"," MID "},"
	       "{\"name\":\"a\"," OLD "}]}");
}

static void
a_model_of_several_nodes_is_listed_once(void **state)
{
	/* As the first node lists it, */
	merges(listing_merge_tags, "{\"models\":[{\"name\":\"a\"," MID ",\"n\":1}]}",
	       "{\"models\":[{\"name\":\"A:latest\"," MID ",\"n\":2}]}",
	       "{\"models\":[{\"name\":\"a\"," MID ",\"n\":1}]}");
	merges(listing_merge_tags, "{\"models\":[{\"name\":\"a\",\"n\":1}]}",
	       "{\"models\":[{\"name\":\"a\",\"n\":2}]}", "{\"models\":[{\"name\":\"a\",\"n\":1}]}");
	/* unless another one has modified it later. */
	merges(listing_merge_tags, "{\"models\":[{\"name\":\"a\"," OLD ",\"n\":1}]}",
	       "{\"models\":[{\"name\":\"a\"," NEW_ ",\"n\":2}]}",
	       "{\"models\":[{\"name\":\"a\"," NEW_ ",\"n\":2}]}");
}

static void
a_bad_part_does_not_spoil_the_others(void **state)
{
	merges(listing_merge_tags, "{\"models\":[{\"name\":\"x\"},", "{\"models\":[{\"name\":\"a\"}]}",
	       "{\"models\":[{\"name\":\"a\"}]}");
	merges(listing_merge_tags, "<html>", "", "{\"models\":[]}");
	merges(listing_merge_ps, "{\"models\":[{\"name\":\"x\"}]]", "{\"models\":[]}",
	       "{\"models\":[]}");
}

static void
v1_models_have_their_own_shape(void **state)
{
	merges(listing_merge_v1_models,
	       "{\"object\":\"list\",\"data\":[{\"id\":\"a\",\"object\":\"model\",\"created\":5}]}",
	       "{\"object\":\"list\",\"data\":[{\"id\":\"b\",\"created\":7},{\"id\":\"a\",\"created\":"
	       "5}]}",
	       "{\"object\":\"list\",\"data\":[{\"id\":\"b\",\"created\":7},"
	       "{\"id\":\"a\",\"object\":\"model\",\"created\":5}]}\n");
	merges(listing_merge_v1_models, "{\"object\":\"list\",\"data\":null}", "{\"models\":[]}",
	       "{\"object\":\"list\",\"data\":[]}\n");
}

static void
running_models_name_their_backend(void **state)
{
	merges(listing_merge_ps, "{\"models\":[{\"name\":\"a\",\"size\":1}]}",
	       "{\"models\":[{\"name\":\"a\" },{\"name\":\"b\",\"backend\":\"inner\"}]}",
	       "{\"models\":[{\"name\":\"a\",\"size\":1,\"backend\":\"node-a\"},"
	       "{\"name\":\"a\" ,\"backend\":\"node-b\"},{\"name\":\"b\",\"backend\":\"inner\"}]}");
}

static const struct listing_alias aliases[] = {
    {"GPT \"x\"", "gpt \"x\":latest", "a:latest"},
    {"a", "a:latest", "b:latest"},
    {"none", "none:latest", "c:latest"},
};

static void
aliases_follow_their_model_and_hide_what_they_are_called_like(void **state)
{
	const struct listing_view view = {.aliases = aliases, .alias_count = 3};

	merges_seen(
	    listing_merge_tags, &view,
	    "{\"models\":[{ \"x\":{\"name\":\"a\"},\"model\" : \"\\u0061\",\"name\":\"a:latest\" ," NEW_
	    "}]}",
	    "{\"models\":[{\"name\":\"b\",\"n\":1e9}]}",
	    "{\"models\":[{ \"x\":{\"name\":\"a\"},\"model\" : \"GPT \\\"x\\\"\",\"name\":\"GPT "
	    "\\\"x\\\"\" ," NEW_ "},{\"name\":\"b\",\"n\":1e9},{\"name\":\"a\",\"n\":1e9}]}");
	merges_seen(listing_merge_v1_models, &view, "{\"data\":[{\"id\":\"b\",\"model\":\"b\"}]}", "",
	            "{\"object\":\"list\",\"data\":[{\"id\":\"b\",\"model\":\"b\"},{\"id\":\"a\","
	            "\"model\":\"b\"}]}\n");
	merges_seen(listing_merge_ps, &view, "{\"models\":[{\"name\":\"a\"}]}", "{\"models\":[]}",
	            "{\"models\":[{\"name\":\"a\",\"backend\":\"node-a\"}]}");
}

/* Model b of the first part. */
static bool
shows_one(const struct listing_part *part, const char *model, void *arg)
{
	assert_int_equal(*(const int *)arg, 4711);
	return strcmp(part->source, "a") == 0 && strcmp(model, "b:latest") == 0;
}

static void
what_is_not_shown_has_no_aliases_either(void **state)
{
	int mark = 4711;
	const struct listing_view view = {shows_one, &mark, aliases, 3};
	static const char both[] = "{\"models\":[{\"name\":\"a\"},{\"name\":\"b\"}]}";

	merges_seen(listing_merge_tags, &view, both, both,
	            "{\"models\":[{\"name\":\"b\"},{\"name\":\"a\"}]}");
	merges_seen(listing_merge_tags, &view, "", both, "{\"models\":[]}");
	merges_seen(listing_merge_ps, &view, both, both,
	            "{\"models\":[{\"name\":\"b\",\"backend\":\"node-a\"}]}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(models_are_named_canonically),
	    cmocka_unit_test(entries_without_a_name_are_left_out),
	    cmocka_unit_test(what_is_no_listing_is_told),
	    cmocka_unit_test(a_listing_is_bounded),
	    cmocka_unit_test(the_version_is_a_text_at_the_top),
	    cmocka_unit_test(versions_compare_by_their_numbers),
	    cmocka_unit_test(tags_are_a_union_with_the_newest_first),
	    cmocka_unit_test(a_model_of_several_nodes_is_listed_once),
	    cmocka_unit_test(a_bad_part_does_not_spoil_the_others),
	    cmocka_unit_test(aliases_follow_their_model_and_hide_what_they_are_called_like),
	    cmocka_unit_test(what_is_not_shown_has_no_aliases_either),
	    cmocka_unit_test(v1_models_have_their_own_shape),
	    cmocka_unit_test(running_models_name_their_backend),
	    cmocka_unit_test(contexts_of_loaded_models_are_read),
	    cmocka_unit_test(what_models_were_trained_for_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
