/* Lines of traces. */
#include "proto/trace.h"

#include "../check.h"

static void
a_line_of_mooncake_has_its_blocks(void **state)
{
	struct trace_row row = {0};

	assert_int_equal(trace_read_line(TRACE_MOONCAKE,
	                                 "{\"timestamp\": 27000, \"input_length\": 2700, "
	                                 "\"output_length\": 80, \"hash_ids\": [0, 1, 9007199254]}",
	                                 &row),
	                 TRACE_ROW);
	assert_true(row.at_s == 27.0);
	assert_int_equal(row.prompt_tokens, 2700);
	assert_int_equal(row.output_tokens, 80);
	assert_int_equal(row.block_count, 3);
	assert_true(row.blocks[2] == 9007199254u);
	assert_int_equal(row.model.len, 0);
	/* The next line forgets them. */
	assert_int_equal(
	    trace_read_line(TRACE_MOONCAKE,
	                    "{\"timestamp\": 0, \"input_length\": 1, \"output_length\": 2}", &row),
	    TRACE_ROW);
	assert_int_equal(row.block_count, 0);
	trace_row_finish(&row);
}

static void
a_line_of_burstgpt_has_model_and_kind_and_failed_ones_are_nothing(void **state)
{
	struct trace_row row = {0};

	assert_int_equal(
	    trace_read_line(TRACE_BURSTGPT, "118,GPT-4,417,276,693,Conversation log", &row), TRACE_ROW);
	assert_true(row.at_s == 118);
	assert_true(str_eq(row.model, "GPT-4"));
	assert_true(str_eq(row.class, "Conversation log"));
	assert_int_equal(row.prompt_tokens, 417);
	assert_int_equal(row.output_tokens, 276);
	assert_int_equal(trace_read_line(TRACE_BURSTGPT, "124,ChatGPT,300,0,300,API log", &row),
	                 TRACE_NOTHING);
	assert_int_equal(trace_read_line(TRACE_BURSTGPT,
	                                 "Timestamp,Model,Request tokens,Response tokens,Total "
	                                 "tokens,Log Type",
	                                 &row),
	                 TRACE_NOTHING);
}

static void
a_plain_line_names_model_class_and_key(void **state)
{
	struct trace_row row = {0};

	assert_int_equal(trace_read_line(TRACE_PLAIN, "12.404047,B,high,t2,789,553", &row), TRACE_ROW);
	assert_true(row.at_s == 12.404047);
	assert_true(str_eq(row.model, "B") && str_eq(row.class, "high") && str_eq(row.key, "t2"));
	assert_int_equal(row.output_tokens, 553);
}

static void
the_format_is_seen_from_the_first_line(void **state)
{
	enum trace_format f;

	assert_true(
	    trace_guess("Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type", &f) &&
	    f == TRACE_BURSTGPT);
	assert_true(trace_guess("5,ChatGPT,472,18,490,Conversation log", &f) && f == TRACE_BURSTGPT);
	assert_true(trace_guess("1.5,B,high,t2,789,553", &f) && f == TRACE_PLAIN);
	assert_true(trace_guess("{\"timestamp\":0,\"input_length\":1,\"output_length\":1}", &f) &&
	            f == TRACE_MOONCAKE);
	assert_false(trace_guess("", &f));
	assert_false(trace_guess("What is the weather?", &f));
	assert_false(trace_guess("{\"prompt\": \"x\"}", &f));
}

static void
what_is_no_line_of_the_format_is_refused(void **state)
{
	static const struct {
		enum trace_format format;
		const char *line;
	} bad[] = {
	    {TRACE_PLAIN, "12,B,high,t2,789"},
	    {TRACE_PLAIN, "-1,B,high,t2,789,553"},
	    {TRACE_BURSTGPT, "1,GPT-4,,276,693,x"},
	    {TRACE_BURSTGPT, "1,GPT-4,1e10,276,693,x"},
	    {TRACE_MOONCAKE, "{\"timestamp\":0,\"input_length\":1}"},
	    {TRACE_MOONCAKE, "{\"timestamp\":0,\"input_length\":-1,\"output_length\":1}"},
	    {TRACE_MOONCAKE,
	     "{\"timestamp\":0,\"input_length\":1,\"output_length\":1,\"hash_ids\":[\"a\"]}"},
	    {TRACE_MOONCAKE, "{"},
	};
	struct trace_row row = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(trace_read_line(bad[i].format, bad[i].line, &row), TRACE_BAD);
	assert_int_equal(trace_read_line(TRACE_PLAIN, "", &row), TRACE_NOTHING);
	trace_row_finish(&row);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_of_mooncake_has_its_blocks),
	    cmocka_unit_test(a_line_of_burstgpt_has_model_and_kind_and_failed_ones_are_nothing),
	    cmocka_unit_test(a_plain_line_names_model_class_and_key),
	    cmocka_unit_test(the_format_is_seen_from_the_first_line),
	    cmocka_unit_test(what_is_no_line_of_the_format_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
