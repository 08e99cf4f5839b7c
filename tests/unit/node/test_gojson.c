#include "../check.h"

#include "gojson.h"

#include <stdlib.h>
#include <string.h>

static void
escapes_as_go_does(void **state)
{
	struct buf out = {0};
	static const char text[] = "a\"\\<b>&\n\b\x01\xc3\xa9\xff\xe2\x80\xa8\x7f";

	gojson_add_string(&out, str_of(text));
	assert_string_equal(buf_text(&out),
	                    "\"a\\\"\\\\\\u003cb\\u003e\\u0026\\n\\b\\u0001\xc3\xa9\\ufffd"
	                    "\\u2028\x7f\"");
	buf_finish(&out);
}

static void
check_float32(float value, const char *want)
{
	char out[GOJSON_NUMBER_MAX];

	assert_int_equal(gojson_format_float32(out, value), strlen(want));
	assert_string_equal(out, want);
}

static void
check_float64(double value, const char *want)
{
	char out[GOJSON_NUMBER_MAX];

	assert_int_equal(gojson_format_float64(out, value), strlen(want));
	assert_string_equal(out, want);
}

static void
writes_the_shortest_number_that_reads_back(void **state)
{
	check_float32(0.1F, "0.1");
	check_float32(-0.010071029F, "-0.010071029");
	check_float32(1.0F, "1");
	check_float32(0.0F, "0");
	check_float32(0.0001F, "0.0001");
	check_float32(2.5e-7F, "2.5e-7");
	check_float32(16777216.0F, "16777216");
	check_float64((double)0.1F, "0.10000000149011612");
	check_float64(0.3, "0.3");
	check_float64(1e21, "1e+21");
	check_float64(12345678901234.0, "12345678901234");
	check_float64(-4, "-4");
}

static void
writes_times_without_trailing_zeros(void **state)
{
	struct buf out = {0};

	gojson_add_time(&out, INT64_C(1700000000123456000));
	buf_addc(&out, ' ');
	gojson_add_time(&out, INT64_C(1700000000000000000));
	buf_addc(&out, ' ');
	gojson_add_time(&out, INT64_C(1700000001000000001));
	assert_string_equal(buf_text(&out), "2023-11-14T22:13:20.123456Z 2023-11-14T22:13:20Z "
	                                    "2023-11-14T22:13:21.000000001Z");
	buf_finish(&out);
}

static cJSON *
parse(const char *text)
{
	struct buf why = {0};
	cJSON *tree = gojson_parse(str_of(text), &why);

	assert_string_equal(buf_text(&why), "");
	assert_non_null(tree);
	return tree;
}

static void
matches_keys_in_any_case_and_takes_the_last(void **state)
{
	cJSON *tree =
	    parse("{\"MODEL\":\"a\",\"model\":\"b\",\"Model\":null,\"n\":3.0,\"s\":false} tail");

	assert_string_equal(gojson_text(tree, "model"), "b");
	assert_int_equal(gojson_int(tree, "N", 7), 3);
	assert_int_equal(gojson_int(tree, "none", 7), 7);
	assert_false(gojson_bool(tree, "s", true));
	assert_true(gojson_bool(tree, "n", true));
	assert_null(gojson_get(tree, "mode"));
	cJSON_Delete(tree);
}

static void
says_what_go_says_of_a_body_that_is_no_json(void **state)
{
	struct buf why = {0};

	assert_null(gojson_parse(str_of(" \n"), &why));
	assert_string_equal(buf_text(&why), "EOF");
	buf_clear(&why);
	assert_null(gojson_parse(str_of("{\"a\":"), &why));
	assert_string_equal(buf_text(&why), "unexpected EOF");
	buf_clear(&why);
	assert_null(gojson_parse(str_of("x"), &why));
	assert_string_equal(buf_text(&why), "invalid character 'x' looking for beginning of value");
	buf_finish(&why);
}

static void
complains_of_a_wrong_type_as_go_does(void **state)
{
	static const struct gojson_field fields[] = {
	    {"model", GOJSON_TEXT, "string"},
	    {"top", GOJSON_INT, "int"},
	};
	struct buf why = {0};
	cJSON *tree = parse("{\"Model\":3}");

	assert_false(gojson_check(tree, "api.ChatRequest", fields, 2, &why));
	assert_string_equal(buf_text(&why), "json: cannot unmarshal number into Go struct field "
	                                    "ChatRequest.model of type string");
	cJSON_Delete(tree);
	buf_clear(&why);
	tree = parse("{\"top\":1.5}");
	assert_false(gojson_check(tree, "api.ChatRequest", fields, 2, &why));
	assert_string_equal(buf_text(&why), "json: cannot unmarshal number 1.5 into Go struct field "
	                                    "ChatRequest.top of type int");
	cJSON_Delete(tree);
	buf_clear(&why);
	tree = parse("[1]");
	assert_false(gojson_check(tree, "api.ChatRequest", fields, 2, &why));
	assert_string_equal(buf_text(&why),
	                    "json: cannot unmarshal array into Go value of type api.ChatRequest");
	cJSON_Delete(tree);
	tree = parse("{\"model\":\"m\",\"top\":null}");
	assert_true(gojson_check(tree, "api.ChatRequest", fields, 2, &why));
	cJSON_Delete(tree);
	buf_finish(&why);
}

static void
writes_a_tree_compactly_in_its_order(void **state)
{
	cJSON *tree = parse("{ \"b\" : [1, 2.5, \"<\"], \"a\": {\"x\": null, \"y\": true} }");
	struct buf out = {0};

	gojson_add_tree(&out, tree);
	assert_string_equal(buf_text(&out),
	                    "{\"b\":[1,2.5,\"\\u003c\"],\"a\":{\"x\":null,\"y\":true}}");
	cJSON_Delete(tree);
	buf_finish(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(escapes_as_go_does),
	    cmocka_unit_test(writes_the_shortest_number_that_reads_back),
	    cmocka_unit_test(writes_times_without_trailing_zeros),
	    cmocka_unit_test(matches_keys_in_any_case_and_takes_the_last),
	    cmocka_unit_test(says_what_go_says_of_a_body_that_is_no_json),
	    cmocka_unit_test(complains_of_a_wrong_type_as_go_does),
	    cmocka_unit_test(writes_a_tree_compactly_in_its_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
