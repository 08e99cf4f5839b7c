#include "../check.h"

#include "proto/usage.h"

#include <stdlib.h>
#include <string.h>

static bool
read_pieces(const char *text, size_t piece, enum dialect d, enum stream_form form,
            struct usage *out)
{
	struct str rest = str_of(text);
	struct usage_reader u;

	usage_init(&u);
	while (rest.len > 0) {
		size_t n = piece < rest.len ? piece : rest.len;

		usage_add(&u, (struct str){rest.ptr, n});
		rest = (struct str){rest.ptr + n, rest.len - n};
	}
	return usage_read(&u, d, form, out);
}

/* However it comes. */
static void
costs(const char *text, enum dialect d, enum stream_form form, int prompt, int output)
{
	for (size_t piece = 1; piece <= strlen(text) + 1; piece += 7) {
		struct usage u;

		assert_true(read_pieces(text, piece, d, form, &u));
		assert_false(u.is_estimate);
		assert_int_equal(u.prompt, prompt);
		assert_int_equal(u.output, output);
	}
}

static void
the_last_native_line_has_them(void **state)
{
	costs("{\"response\":\"a\",\"done\":false}\n"
	      "{\"response\":\"\",\"done\":true,\"done_reason\":\"stop\",\"context\":[1,2],"
	      "\"total_duration\":5,\"prompt_eval_count\":11,\"prompt_eval_duration\":3,"
	      "\"eval_count\":22,\"eval_duration\":4}\n",
	      DIALECT_OLLAMA, STREAM_NDJSON, 11, 22);
	costs("{\"embeddings\":[[0.1]],\"prompt_eval_count\": 7}", DIALECT_OLLAMA, STREAM_NONE, 7, 0);
}

static void
usage_of_openai_has_them(void **state)
{
	costs("{\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,"
	      "\"total_tokens\":7}}\n",
	      DIALECT_OPENAI, STREAM_NONE, 3, 4);
	costs("data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n"
	      "data: [DONE]\n\n",
	      DIALECT_OPENAI, STREAM_SSE, 3, 4);
}

static void
usage_of_responses_and_messages_has_them(void **state)
{
	static const char text[] =
	    "event: done\ndata: {\"usage\":{\"input_tokens\":5,\"output_tokens\":6}}\n\n";

	costs(text, DIALECT_OPENAI, STREAM_SSE, 5, 6);
	costs(text, DIALECT_ANTHROPIC, STREAM_SSE, 5, 6);
}

static void
words_of_an_answer_are_not_taken_for_counts(void **state)
{
	costs("{\"response\":\"say \\\"eval_count\\\":9 \",\"prompt_eval_count\":1,\"eval_count\":2,"
	      "\"model\":\"\\\"eval_count\\\":7\"}",
	      DIALECT_OLLAMA, STREAM_NONE, 1, 2);
}

/* Of a tool that a model calls. */
static void
the_last_one_counts(void **state)
{
	costs("{\"arguments\":{\"eval_count\":99},\"prompt_eval_count\":1,\"eval_count\":2}",
	      DIALECT_OLLAMA, STREAM_NONE, 1, 2);
}

static void
estimates(const char *text, enum dialect d, enum stream_form form, int output)
{
	struct usage u;

	assert_true(read_pieces(text, 5, d, form, &u));
	assert_true(u.is_estimate);
	assert_int_equal(u.prompt, 0);
	assert_int_equal(u.output, output);
}

static void
a_stream_without_them_is_counted_by_its_records(void **state)
{
	estimates("{\"response\":\"a\"}\n{\"response\":\"b\"}\n", DIALECT_OLLAMA, STREAM_NDJSON, 2);
	estimates("data: 1\n\ndata: 2\n\ndata: 3\n\n", DIALECT_OPENAI, STREAM_SSE, 3);
	estimates("event: a\ndata: 1\n\nevent: b\ndata: 2\n\n", DIALECT_ANTHROPIC, STREAM_SSE, 2);
}

static void
other_answers_say_nothing(void **state)
{
	struct usage u;

	assert_false(read_pieces("{\"error\":\"no\"}", 5, DIALECT_OLLAMA, STREAM_NONE, &u));
	assert_false(read_pieces("", 5, DIALECT_OPENAI, STREAM_NONE, &u));
}

/* What is far from the end is forgotten, however long the answer is. */
static void
only_the_end_is_kept(void **state)
{
	enum { SIZE = 100000 };
	char *text = malloc(SIZE + 1);
	static const char end[] = "\"prompt_eval_count\":8,\"eval_count\":99999999999}";
	struct usage u;

	memset(text, 'x', SIZE);
	text[SIZE] = '\0';
	memcpy(text, "\"eval_count\":5", 14);
	for (size_t piece = 1; piece < SIZE; piece = piece * 3 + 1)
		assert_false(read_pieces(text, piece, DIALECT_OLLAMA, STREAM_NONE, &u));
	memcpy(text + SIZE - strlen(end), end, strlen(end));
	for (size_t piece = 1; piece < SIZE; piece = piece * 3 + 1) {
		assert_true(read_pieces(text, piece, DIALECT_OLLAMA, STREAM_NONE, &u));
		assert_int_equal(u.prompt, 8);
		assert_int_equal(u.output, 2147483647);
	}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_last_native_line_has_them),
	    cmocka_unit_test(usage_of_openai_has_them),
	    cmocka_unit_test(usage_of_responses_and_messages_has_them),
	    cmocka_unit_test(words_of_an_answer_are_not_taken_for_counts),
	    cmocka_unit_test(the_last_one_counts),
	    cmocka_unit_test(a_stream_without_them_is_counted_by_its_records),
	    cmocka_unit_test(other_answers_say_nothing),
	    cmocka_unit_test(only_the_end_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
