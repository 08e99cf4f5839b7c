/* The bytes of the dialects. What is expected here was compared with Ollama's own code. */
#include "../check.h"

#include "base/mem.h"
#include "embed.h"
#include "reply.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
	struct ask ask;
	struct answer answer;
	struct reply reply;
	struct buf out;
};

#define HELLO "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]"

/* An answer of one word, "a<b", after `thoughts` thoughts. */
static void
begin(struct fixture *f, const struct form *form, ask_reader read, const char *body, int thoughts)
{
	struct refusal_text no = {0};

	*f = (struct fixture){0};
	ask_init(&f->ask, ASK_CHAT);
	assert_true(read(&f->ask, str_of(body), &no));
	f->answer = (struct answer){
	    .hash = 1,
	    .thoughts = thoughts,
	    .words = 1,
	    .tokens = thoughts + 1,
	    .fixed = mem_strdup("a<b"),
	};
	f->reply = (struct reply){
	    .form = form,
	    .ask = &f->ask,
	    .answer = &f->answer,
	    .id = 42,
	    .now_ns = INT64_C(1700000000500000000),
	    .created_ns = INT64_C(1700000000500000000),
	    .metrics = {.total_ns = 9, .load_ns = 1, .prompt_ns = 2, .eval_ns = 3, .prompt_tokens = 5},
	};
}

static void
call_instead(struct fixture *f)
{
	f->answer.words = 0;
	f->answer.tool = mem_strdup("look");
	f->answer.args = mem_strdup("{\"at\":\"<x>\"}");
	strcpy(f->answer.call_id, "call_1");
}

static void
check_stream(struct fixture *f, const char *want)
{
	for (int i = 0; i < answer_pieces(&f->answer); i++) {
		enum piece_kind kind;
		struct str text = answer_piece(&f->answer, i, &kind);

		f->reply.form->add_piece(&f->out, &f->reply, kind, text);
	}
	f->reply.form->add_end(&f->out, &f->reply);
	assert_string_equal(buf_text(&f->out), want);
}

static void
check_whole(struct fixture *f, const char *want)
{
	f->reply.form->add_whole(&f->out, &f->reply);
	assert_string_equal(buf_text(&f->out), want);
}

static void
end(struct fixture *f)
{
	reply_finish(&f->reply);
	answer_finish(&f->answer);
	ask_finish(&f->ask);
	buf_finish(&f->out);
}

#define NATIVE_HEAD "{\"model\":\"m\",\"created_at\":\"2023-11-14T22:13:20.5Z\","
#define NATIVE_TAIL                                                                                \
	"\"total_duration\":9,\"load_duration\":1,\"prompt_eval_count\":5,\"prompt_eval_duration\":2," \
	"\"eval_count\":1,\"eval_duration\":3}"

static void
chat_streams_lines_and_ends_with_the_counts(void **state)
{
	struct fixture f;

	begin(&f, &form_chat, native_read_chat, "{\"model\":\"m\"," HELLO "}", 0);
	check_stream(&f,
	             NATIVE_HEAD "\"message\":{\"role\":\"assistant\",\"content\":\"a\\u003cb\"},"
	                         "\"done\":false}\n" NATIVE_HEAD
	                         "\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,"
	                         "\"done_reason\":\"stop\"," NATIVE_TAIL "\n");
	end(&f);
}

static void
chat_calls_tools_in_a_line_of_its_own(void **state)
{
	struct fixture f;

	begin(&f, &form_chat, native_read_chat, "{\"model\":\"m\"," HELLO "}", 0);
	call_instead(&f);
	check_stream(
	    &f, NATIVE_HEAD
	    "\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"call_1\","
	    "\"function\":{\"index\":0,\"name\":\"look\",\"arguments\":{\"at\":\"<x>\"}}}]},"
	    "\"done\":false}\n" NATIVE_HEAD
	    "\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,"
	    "\"done_reason\":\"stop\"," NATIVE_TAIL "\n");
	end(&f);
}

static void
generate_has_thoughts_and_the_context(void **state)
{
	struct fixture f;

	begin(&f, &form_generate, native_read_generate, "{\"model\":\"m\",\"prompt\":\"x\"}", 1);
	f.reply.metrics = (struct metrics){.prompt_tokens = 1};
	check_whole(&f, NATIVE_HEAD
	            "\"response\":\"a\\u003cb\",\"thinking\":\"answers\",\"done\":true,\"done_reason\":"
	            "\"stop\","
	            "\"context\":[112946,0,21366],\"prompt_eval_count\":1,\"eval_count\":2}");
	end(&f);
}

static void
an_empty_ask_leaves_out_all_that_is_zero(void **state)
{
	struct fixture f;

	begin(&f, &form_generate, native_read_generate, "{\"model\":\"m\"}", 0);
	free(f.answer.fixed);
	f.answer = (struct answer){0};
	f.reply.metrics = (struct metrics){0};
	f.reply.done_reason = "load";
	check_whole(&f, NATIVE_HEAD "\"response\":\"\",\"done\":true,\"done_reason\":\"load\"}");
	end(&f);
}

#define CHUNK(rest)                                                                               \
	"data: {\"id\":\"chatcmpl-962\",\"object\":\"chat.completion.chunk\",\"created\":1700000000," \
	"\"model\":\"m\",\"system_fingerprint\":\"fp_ollama\"," rest "}\n\n"

static void
openai_chat_streams_chunks_and_the_usage(void **state)
{
	struct fixture f;

	begin(&f, &form_openai_chat, openai_read_chat,
	      "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true}," HELLO "}",
	      1);
	check_stream(
	    &f,
	    CHUNK("\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\","
	          "\"reasoning\":\"answers\"},\"finish_reason\":null}]")
	        CHUNK("\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\\u003cb\"},\"finish_"
	              "reason\":null}]")
	            CHUNK("\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]")
	                CHUNK("\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,"
	                      "\"total_tokens\":7}") "data: [DONE]\n\n");
	end(&f);
}

static void
openai_chat_calls_tools(void **state)
{
	struct fixture f;

	begin(&f, &form_openai_chat, openai_read_chat, "{\"model\":\"m\"," HELLO "}", 0);
	call_instead(&f);
	check_stream(
	    &f,
	    CHUNK("\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\","
	          "\"tool_calls\":[{\"id\":\"call_1\",\"index\":0,\"type\":\"function\",\"function\":{"
	          "\"name\":\"look\",\"arguments\":\"{\\\"at\\\":\\\"\\u003cx\\u003e\\\"}\"}}]},"
	          "\"finish_reason\":null}]") CHUNK("\"choices\":[{\"index\":0,\"delta\":{},\"finish_"
	                                            "reason\":\"tool_calls\"}]") "data: [DONE]\n\n");
	end(&f);
}

static void
completions_have_another_order_of_keys_when_streamed(void **state)
{
	struct fixture f;

	begin(&f, &form_openai_complete, openai_read_completion, "{\"model\":\"m\",\"prompt\":\"x\"}",
	      0);
	check_stream(
	    &f,
	    "data: {\"id\":\"cmpl-962\",\"object\":\"text_completion\",\"created\":1700000000,"
	    "\"choices\":[{\"text\":\"a\\u003cb\",\"index\":0,\"finish_reason\":null}],\"model\":\"m\","
	    "\"system_fingerprint\":\"fp_ollama\"}\n\n"
	    "data: {\"id\":\"cmpl-962\",\"object\":\"text_completion\",\"created\":1700000000,"
	    "\"choices\":[{\"text\":\"\",\"index\":0,\"finish_reason\":\"stop\"}],\"model\":\"m\","
	    "\"system_fingerprint\":\"fp_ollama\"}\n\ndata: [DONE]\n\n");
	buf_clear(&f.out);
	check_whole(
	    &f, "{\"id\":\"cmpl-962\",\"object\":\"text_completion\",\"created\":1700000000,\"model\":"
	        "\"m\","
	        "\"system_fingerprint\":\"fp_ollama\",\"choices\":[{\"text\":\"a\\u003cb\",\"index\":0,"
	        "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":1,"
	        "\"total_tokens\":6}}\n");
	end(&f);
}

static void
messages_open_and_close_their_blocks(void **state)
{
	struct fixture f;

	begin(&f, &form_messages, messages_read, "{\"model\":\"m\",\"max_tokens\":9," HELLO "}", 1);
	check_stream(
	    &f, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":"
	        "\"msg_a759ea27d4727622c798d8ca\",\"type\":\"message\",\"role\":\"assistant\","
	        "\"model\":\"m\","
	        "\"content\":[],\"usage\":{\"input_tokens\":2,\"output_tokens\":0}}}\n\n"
	        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"
	        "\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\"}}\n\n"
	        "event: content_block_delta\ndata: "
	        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{"
	        "\"type\":\"thinking_delta\",\"thinking\":\"answers\"}}\n\n"
	        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
	        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1,"
	        "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
	        "event: content_block_delta\ndata: "
	        "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{"
	        "\"type\":\"text_delta\",\"text\":\"a\\u003cb\"}}\n\n"
	        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":1}\n\n"
	        "event: message_delta\ndata: "
	        "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},"
	        "\"usage\":{\"input_tokens\":5,\"output_tokens\":2}}\n\n"
	        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
	end(&f);
}

/* The names of the events, in order, and that they are numbered. */
static void
responses_number_their_events(void **state)
{
	static const char *const names[] = {
	    "response.created",           "response.in_progress",
	    "response.output_item.added", "response.content_part.added",
	    "response.output_text.delta", "response.output_text.done",
	    "response.content_part.done", "response.output_item.done",
	    "response.completed",
	};
	struct fixture f;
	struct str rest, line;
	int at = 0;

	begin(&f, &form_responses, responses_read, "{\"model\":\"m\",\"input\":\"x\"}", 0);
	f.reply.form->add_piece(&f.out, &f.reply, PIECE_WORD, str_of("a<b"));
	f.reply.form->add_end(&f.out, &f.reply);
	rest = (struct str){f.out.data, f.out.len};
	while (str_split(&rest, '\n', &line)) {
		struct buf why = {0};
		cJSON *tree;

		if (!str_starts_nocase(line, "data: "))
			continue;
		tree = gojson_parse((struct str){line.ptr + 6, line.len - 6}, &why);
		assert_non_null(tree);
		assert_string_equal(gojson_text(tree, "type"), names[at]);
		assert_int_equal(gojson_int(tree, "sequence_number", -1), at++);
		cJSON_Delete(tree);
	}
	assert_int_equal(at, sizeof(names) / sizeof(names[0]));
	end(&f);
}

static void
errors_have_the_words_of_their_family(void **state)
{
	struct buf out = {0};

	reply_add_error(&out, FAMILY_NATIVE, 404, "model 'x' not found", 1);
	assert_string_equal(buf_text(&out), "{\"error\":\"model 'x' not found\"}");
	buf_clear(&out);
	reply_add_error(&out, FAMILY_OPENAI, 404, "no", 1);
	assert_string_equal(buf_text(&out),
	                    "{\"error\":{\"message\":\"no\",\"type\":\"not_found_error\","
	                    "\"param\":null,\"code\":null}}");
	buf_clear(&out);
	reply_add_error(&out, FAMILY_ANTHROPIC, 503, "no", 1);
	assert_memory_equal(
	    buf_text(&out),
	    "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"no\"},"
	    "\"request_id\":\"req_",
	    84);
	buf_finish(&out);
}

static double
length(const float *v, int count)
{
	double sum = 0;

	for (int i = 0; i < count; i++)
		sum += (double)v[i] * (double)v[i];
	return sqrt(sum);
}

static void
vectors_are_of_length_one_and_of_their_text(void **state)
{
	float a[MODEL_DIMENSIONS], b[MODEL_DIMENSIONS], dot = 0;

	embed_vector("m", str_of("cat"), a, MODEL_DIMENSIONS);
	embed_vector("m", str_of("cat"), b, MODEL_DIMENSIONS);
	assert_memory_equal(a, b, sizeof(a));
	assert_true(fabs(length(a, MODEL_DIMENSIONS) - 1) < 1e-5);
	embed_vector("m", str_of("dog"), b, MODEL_DIMENSIONS);
	for (int i = 0; i < MODEL_DIMENSIONS; i++)
		dot += a[i] * b[i];
	assert_true(fabs((double)dot) < 0.5);
	embed_vector("m", str_of("cat"), b, 10);
	assert_true(fabs(length(b, 10) - 1) < 1e-5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(chat_streams_lines_and_ends_with_the_counts),
	    cmocka_unit_test(chat_calls_tools_in_a_line_of_its_own),
	    cmocka_unit_test(generate_has_thoughts_and_the_context),
	    cmocka_unit_test(an_empty_ask_leaves_out_all_that_is_zero),
	    cmocka_unit_test(openai_chat_streams_chunks_and_the_usage),
	    cmocka_unit_test(openai_chat_calls_tools),
	    cmocka_unit_test(completions_have_another_order_of_keys_when_streamed),
	    cmocka_unit_test(messages_open_and_close_their_blocks),
	    cmocka_unit_test(responses_number_their_events),
	    cmocka_unit_test(errors_have_the_words_of_their_family),
	    cmocka_unit_test(vectors_are_of_length_one_and_of_their_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
