/* Answers of every API: cut in any way they are read the same, and time is what was passed in. */
#include "answer.h"

#include "../check.h"

#include <string.h>

static const char ndjson[] = "application/x-ndjson";
static const char sse[] = "text/event-stream";
static const char json[] = "application/json; charset=utf-8";

struct sample {
	const char *name;
	const char *type;
	bool streamed;
	const char *bytes;
	int64_t tokens;
	int64_t prompt_tokens;
	int64_t output_tokens;
};

static const struct sample good[] = {
    {"generate", ndjson, true,
     "{\"model\":\"m\",\"response\":\"Hel\",\"done\":false}\n"
     "{\"model\":\"m\",\"response\":\"lo\",\"done\":false}\n"
     "{\"model\":\"m\",\"response\":\"\",\"done\":true,\"done_reason\":\"stop\",\"total_duration\":"
     "9,"
     "\"load_duration\":1,\"prompt_eval_count\":7,\"prompt_eval_duration\":2,\"eval_count\":2,"
     "\"eval_duration\":3}\n",
     2, 7, 2},
    {"chat with thoughts and a call", ndjson, true,
     "{\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"hm\"},\"done\":false}\n"
     "{\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"function\":{"
     "\"name\":"
     "\"f\",\"arguments\":{\"response\":\"x\"}}}]},\"done\":false}\n"
     "{\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,\"eval_count\":5}\n",
     2, -1, 5},
    {"openai", sse, true,
     "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
     "\"finish_reason\":null}]}\n\n"
     ": queued\n\n"
     "data: "
     "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]}\r\n\r\n"
     "data: {\"choices\":[{\"delta\":{\"content\":\"\"},\"finish_reason\":\"stop\"}]}\n\n"
     "data: "
     "{\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1,\"total_tokens\":4}}"
     "\n\n"
     "data: [DONE]\n\n",
     1, 3, 1},
    {"completions", sse, true,
     "data:{\"choices\":[{\"text\":\"a\"}]}\n\ndata:{\"choices\":[{\"text\":\"b\"}]}\n\ndata:[DONE]"
     "\n\n",
     2, -1, -1},
    {"responses", sse, true,
     "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{}}\n\n"
     "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":"
     "\"Hi\"}\n\n"
     "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"output\":"
     "[{\"content\":[{\"text\":\"Hi\"}]}],\"usage\":{\"input_tokens\":4,\"output_tokens\":1}}}\n\n",
     1, 4, 1},
    {"messages", sse, true,
     "event: message_start\ndata: "
     "{\"type\":\"message_start\",\"message\":{\"content\":[],\"usage\":"
     "{\"input_tokens\":6,\"output_tokens\":0}}}\n\n"
     "data: "
     "{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"x\"}}\n\n"
     "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":"
     "{\"output_tokens\":1}}\n\n"
     "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
     1, 6, 1},
    {"generate, whole", json, false,
     "{\"response\":\"Hello\",\"done\":true,\"prompt_eval_count\":1,\"eval_count\":2}", 1, 1, 2},
    {"messages, whole, a call alone", json, false,
     "{\"type\":\"message\",\"content\":[{\"type\":\"tool_use\",\"name\":\"f\",\"input\":{}}],"
     "\"stop_reason\":\"tool_use\",\"usage\":{\"input_tokens\":3,\"output_tokens\":2}}",
     0, 3, 2},
    {"openai, whole", json, false,
     "{\"choices\":[{\"message\":{\"content\":\"a b\"},\"finish_reason\":\"stop\"}],\"usage\":"
     "{\"prompt_tokens\":3,\"completion_tokens\":2}}",
     1, 3, 2},
    {"embed", json, false,
     "{\"embeddings\":[[0.1,-2e-5],[1,2]],\"prompt_eval_count\":9,\"load_duration\":5}", 1, 9, -1},
    {"embeddings", json, false,
     "{\"object\":\"list\",\"data\":[{\"embedding\":[1.5],\"index\":0}],\"usage\":{\"prompt_"
     "tokens\":2}}",
     1, 2, -1},
};

/* In pieces of `step` bytes, one each millisecond. */
static bool
read_in_pieces(struct answer *a, const struct sample *s, size_t step)
{
	size_t len = strlen(s->bytes);
	int64_t now_us = 1000;

	answer_restart(a);
	answer_begin(a, str_of(s->type));
	for (size_t at = 0; at < len; at += step, now_us += 1000)
		answer_feed(a, (struct str){s->bytes + at, len - at < step ? len - at : step}, now_us);
	return answer_end(a, s->streamed, now_us);
}

static void
every_api_is_understood_however_it_is_cut(void **state)
{
	struct answer a;

	answer_init(&a);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		for (size_t step = 1; step <= strlen(good[i].bytes); step++) {
			if (!read_in_pieces(&a, &good[i], step))
				fail_msg("%s in %zu: %s", good[i].name, step, a.facts.error);
			if (a.tokens != good[i].tokens)
				fail_msg("%s in %zu: %d tokens", good[i].name, step, (int)a.tokens);
			assert_int_equal(a.facts.prompt_tokens, good[i].prompt_tokens);
			assert_int_equal(a.facts.output_tokens, good[i].output_tokens);
		}
	answer_finish(&a);
}

static void
the_servers_durations_are_kept(void **state)
{
	struct answer a;

	answer_init(&a);
	assert_true(read_in_pieces(&a, &good[0], 1000));
	assert_int_equal(a.facts.total_ns, 9);
	assert_int_equal(a.facts.load_ns, 1);
	assert_int_equal(a.facts.prompt_eval_ns, 2);
	assert_int_equal(a.facts.eval_ns, 3);
	answer_finish(&a);
}

static void
a_token_is_timed_when_its_record_is_whole(void **state)
{
	struct answer a;

	answer_init(&a);
	answer_begin(&a, str_of(ndjson));
	answer_feed(&a, str_of("{\"response\":\"a"), 1000);
	assert_int_equal(a.tokens, 0);
	answer_feed(&a, str_of("\"}\n{\"response\":\"b\"}\n"), 5000);
	assert_int_equal(a.first_us, 5000);
	answer_feed(&a, str_of("{\"response\":\"c\"}\n"), 9000);
	answer_feed(&a, str_of("{\"response\":\"\",\"done\":true}\n"), 9500);
	assert_true(answer_end(&a, true, 9600));
	assert_int_equal(a.tokens, 3);
	assert_int_equal(a.last_us, 9000);
	assert_int_equal(a.gaps.count, 2);
	assert_int_equal(a.gaps.us[0], 0);
	assert_int_equal(a.gaps.us[1], 4000);
	answer_finish(&a);
}

static void
assert_broken(const char *type, bool streamed, const char *bytes, const char *why)
{
	struct sample s = {.type = type, .streamed = streamed, .bytes = bytes};
	struct answer a;

	answer_init(&a);
	for (size_t step = 1; step <= strlen(bytes) + 1; step++) {
		assert_false(read_in_pieces(&a, &s, step));
		assert_string_equal(a.facts.error, why);
	}
	answer_finish(&a);
}

static void
an_answer_that_is_not_whole_or_says_an_error_is_none(void **state)
{
	assert_broken(ndjson, true, "{\"response\":\"a\"}\n",
	              "the stream ended without its last record");
	assert_broken(sse, true, "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n",
	              "the stream ended without its last record");
	assert_broken(ndjson, true, "{\"response\":\"a\"}\n{\"error\":\"out of memory\"}\n",
	              "out of memory");
	assert_broken(sse, true, "data: {\"error\":{\"message\":\"gone\",\"type\":\"api_error\"}}\n\n",
	              "gone");
	assert_broken(sse, true,
	              "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"x\"}}\n\n",
	              "the server reported an error");
	assert_broken(ndjson, true, "<html>\n", "the answer is no JSON");
	assert_broken(json, false, "{\"response\":", "the answer is no JSON");
	assert_broken(json, false, "{}", "the answer has nothing in it");
}

static void
texts_of_tools_and_strangers_are_no_tokens(void **state)
{
	static const struct sample s = {
	    .type = ndjson,
	    .streamed = true,
	    .bytes =
	        "{\"x\":{\"response\":\"a\",\"done\":true},\"list\":[{\"response\":\"b\"},[\"c\"]],"
	        "\"a_very_long_name_that_no_api_has_and_that_does_not_fit\":{\"response\":\"d\"}}\n"
	        "{\"done\":true}\n",
	};
	struct answer a;

	answer_init(&a);
	assert_true(read_in_pieces(&a, &s, 7));
	assert_int_equal(a.tokens, 0);
	answer_finish(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_api_is_understood_however_it_is_cut),
	    cmocka_unit_test(the_servers_durations_are_kept),
	    cmocka_unit_test(a_token_is_timed_when_its_record_is_whole),
	    cmocka_unit_test(an_answer_that_is_not_whole_or_says_an_error_is_none),
	    cmocka_unit_test(texts_of_tools_and_strangers_are_no_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
