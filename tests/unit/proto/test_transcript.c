/* What is no plain answer of a node; plain ones are in tests/unit/node/test_transcript.c. */
#include "../check.h"

#include "proto/transcript.h"

#include <string.h>

static bool
write_as(enum answer_family family, enum transcript_form from, const char *body,
         enum transcript_form to, struct buf *out)
{
	struct transcript t = {family, from, str_of(body)};
	struct transcript_want want = {to, str_of("m"), false};

	buf_clear(out);
	return transcript_write(&t, &want, out);
}

static void
becomes(enum answer_family family, enum transcript_form from, const char *body, const char *want)
{
	struct buf out = {0};
	enum transcript_form to = from == TRANSCRIPT_WHOLE ? TRANSCRIPT_STREAM : TRANSCRIPT_WHOLE;

	if (!write_as(family, from, body, to, &out))
		fail_msg("refused: %s", body);
	assert_string_equal(buf_text(&out), want);
	buf_finish(&out);
}

static void
is_refused(enum answer_family family, enum transcript_form from, const char *body)
{
	struct buf out = {0};
	enum transcript_form to = from == TRANSCRIPT_WHOLE ? TRANSCRIPT_STREAM : TRANSCRIPT_WHOLE;

	if (write_as(family, from, body, to, &out))
		fail_msg("made %s of %s", buf_text(&out), body);
	buf_finish(&out);
}

static bool
is_complete(enum answer_family family, enum transcript_form form, const char *body)
{
	struct transcript t = {family, form, str_of(body)};

	return transcript_is_complete(&t);
}

static void
everything_that_comes_in_pieces_is_put_together(void **state)
{
	becomes(ANSWER_CHAT, TRANSCRIPT_STREAM,
	        "{\"model\":\"m\",\"created_at\":\"t\",\"message\":{\"role\":\"assistant\",\"content\":"
	        "\"a\\u00e9\"},\"done\":false,\"logprobs\":[{\"token\":\"a\",\"logprob\":-0.10}]}\r\n\n"
	        " {\"message\" : {\"content\":\"\\n\",\"tool_calls\":[ {\"f\":1} ],\"images\":null},"
	        "\"done\":false}\n"
	        "{\"message\":{\"content\":\"\",\"tool_calls\":[{\"f\":2}]},\"logprobs\":[],\"done\":"
	        "false}\n"
	        "{\"model\":\"m\",\"remote\":1,\"message\":{\"role\":\"assistant\",\"content\":\"z\"},"
	        "\"done\":true,\"done_reason\":\"stop\",\"logprobs\":[2],\"total_duration\":12}\n",
	        "{\"model\":\"m\",\"remote\":1,\"message\":{\"role\":\"assistant\",\"content\":"
	        "\"a\\u00e9\\nz\",\"tool_calls\":[{\"f\":1},{\"f\":2}]},\"done\":true,\"done_reason\":"
	        "\"stop\",\"total_duration\":12,\"logprobs\":[{\"token\":\"a\",\"logprob\":-0.10},2]}");
	becomes(
	    ANSWER_OPENAI_CHAT, TRANSCRIPT_STREAM,
	    ": queued\n\ndata:{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\","
	    "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"a\"},"
	    "\"logprobs\":{\"content\":[1]},\"finish_reason\":null}],\"usage\":null}\n\n"
	    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":null},\"logprobs\":{\"content\":"
	    "[2],\"refusal\":null},\"finish_reason\":\"length\"}]}\r\n\r\n"
	    "data: {\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\ndata: [DONE]\n\n",
	    "{\"id\":\"c\",\"object\":\"chat.completion\",\"model\":\"m\",\"choices\":[{\"index\":0,"
	    "\"message\":{\"role\":\"assistant\",\"content\":\"a\"},\"logprobs\":{\"content\":[1,2]},"
	    "\"finish_reason\":\"length\"}],\"usage\":{\"total_tokens\":3}}\n");
}

static void
everything_is_in_some_piece(void **state)
{
	becomes(
	    ANSWER_CHAT, TRANSCRIPT_WHOLE,
	    "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"w\",\"thinking\":"
	    "\"t\",\"tool_calls\":[{\"f\":1}]},\"logprobs\":[1],\"done\":true,\"eval_count\":2}",
	    "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":"
	    "\"t\"},\"done\":false}\n"
	    "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"w\"},\"done\":false,"
	    "\"logprobs\":[1]}\n"
	    "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":"
	    "[{\"f\":1}]},\"done\":false}\n"
	    "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,"
	    "\"eval_count\":2}\n");
}

#define LINE(m)  "{\"message\":{" m "},\"done\":false}\n"
#define LAST     "{\"message\":{\"content\":\"\"},\"done\":true}\n"
#define CHUNK(c) "data: {\"choices\":[" c "]}\n\n"
#define ENDED                                                      \
	CHUNK("{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}") \
	"data: {\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\ndata: [DONE]\n\n"

static void
what_is_not_known_is_not_guessed_at(void **state)
{
	is_refused(ANSWER_CHAT, TRANSCRIPT_STREAM, LINE("\"content\":5") LAST);
	is_refused(ANSWER_CHAT, TRANSCRIPT_STREAM, LINE("\"content\":\"a\",\"audio\":\"b\"") LAST);
	is_refused(ANSWER_CHAT, TRANSCRIPT_STREAM, LINE("\"tool_calls\":{}") LAST);
	is_refused(ANSWER_CHAT, TRANSCRIPT_STREAM, "{\"error\":\"no\"}\n" LAST);
	is_refused(ANSWER_CHAT, TRANSCRIPT_STREAM, LAST LINE("\"content\":\"a\""));
	is_refused(ANSWER_CHAT, TRANSCRIPT_STREAM, LINE("\"content\":\"a\""));
	is_refused(ANSWER_CHAT, TRANSCRIPT_STREAM, "[]\n" LAST);
	is_refused(ANSWER_CHAT, TRANSCRIPT_STREAM, "");
	is_refused(ANSWER_GENERATE, TRANSCRIPT_STREAM, "{\"response\":[],\"done\":true}\n");

	is_refused(ANSWER_OPENAI_CHAT, TRANSCRIPT_STREAM,
	           CHUNK("{\"index\":1,\"delta\":{\"content\":\"b\"}}") ENDED);
	is_refused(ANSWER_OPENAI_CHAT, TRANSCRIPT_STREAM,
	           CHUNK("{\"index\":0,\"delta\":{}},{\"index\":0,\"delta\":{}}") ENDED);
	is_refused(ANSWER_OPENAI_CHAT, TRANSCRIPT_STREAM,
	           CHUNK("{\"index\":0,\"delta\":{\"refusal\":\"no\"}}") ENDED);
	is_refused(ANSWER_OPENAI_CHAT, TRANSCRIPT_STREAM, "data: {\"error\":{}}\n\n" ENDED);
	is_refused(ANSWER_OPENAI_CHAT, TRANSCRIPT_STREAM, "data: [DONE]\n\n");
	/* A call in fragments: only the first has an id. */
	is_refused(ANSWER_OPENAI_CHAT, TRANSCRIPT_STREAM,
	           CHUNK("{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{}}]}}")
	               ENDED);
	is_refused(ANSWER_OPENAI_CHAT, TRANSCRIPT_WHOLE, "{\"choices\":[]}");
	is_refused(ANSWER_OPENAI_CHAT, TRANSCRIPT_WHOLE, "data: {}");
	is_refused(ANSWER_RESPONSES, TRANSCRIPT_WHOLE, "{}");
	is_refused(ANSWER_MESSAGES, TRANSCRIPT_STREAM, "");
	is_refused(ANSWER_EMBED, TRANSCRIPT_WHOLE, "{}");
}

static void
loading_errors_and_cut_ends_are_not_complete(void **state)
{
	assert_true(is_complete(ANSWER_CHAT, TRANSCRIPT_STREAM, LAST));
	assert_false(is_complete(ANSWER_CHAT, TRANSCRIPT_STREAM,
	                         "{\"done\":true,\"done_reason\":"
	                         "\"load\"}\n"));
	assert_false(is_complete(ANSWER_CHAT, TRANSCRIPT_WHOLE,
	                         "{\"done\":true,\"done_reason\":"
	                         "\"unload\"}"));
	assert_false(is_complete(ANSWER_CHAT, TRANSCRIPT_STREAM, LAST "{\"error\":\"x\"}\n"));
	assert_false(is_complete(ANSWER_CHAT, TRANSCRIPT_WHOLE, "{\"done\":true,\"error\":\"x\"}"));
	/* [DONE], but nothing said why it ended. */
	assert_false(is_complete(ANSWER_OPENAI_CHAT, TRANSCRIPT_STREAM,
	                         CHUNK("{\"index\":0,\"delta\":{}}") "data: [DONE]\n\n"));
	assert_true(is_complete(ANSWER_OPENAI_CHAT, TRANSCRIPT_STREAM, ENDED));
	assert_true(is_complete(ANSWER_EMBED, TRANSCRIPT_WHOLE, "{\"embeddings\":[[1]]}"));
	assert_true(is_complete(ANSWER_EMBEDDINGS, TRANSCRIPT_WHOLE, "{\"embedding\":[1]}"));
	assert_true(is_complete(ANSWER_OPENAI_EMBEDDINGS, TRANSCRIPT_WHOLE, "{\"data\":[]}"));
	assert_false(is_complete(ANSWER_EMBED, TRANSCRIPT_WHOLE, "{\"error\":\"x\"}"));
	assert_false(is_complete(ANSWER_EMBED, TRANSCRIPT_STREAM, "{\"embeddings\":[]}"));
	assert_false(is_complete(ANSWER_RESPONSES, TRANSCRIPT_WHOLE, "{\"status\":\"failed\"}"));
	assert_false(is_complete(ANSWER_RESPONSES, TRANSCRIPT_STREAM,
	                         "event: response.failed\ndata: {\"type\":\"response.failed\"}\n\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(everything_that_comes_in_pieces_is_put_together),
	    cmocka_unit_test(everything_is_in_some_piece),
	    cmocka_unit_test(what_is_not_known_is_not_guessed_at),
	    cmocka_unit_test(loading_errors_and_cut_ends_are_not_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
