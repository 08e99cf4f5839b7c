#include "../check.h"

#include "answer.h"
#include "reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct said {
	struct ask ask;
	struct answer answer;
};

static struct said *
say(enum ask_kind kind, ask_reader read, const char *body, bool thinks)
{
	struct said *s = calloc(1, sizeof(*s));
	struct refusal_text no = {0};

	assert_non_null(s);
	ask_init(&s->ask, kind);
	if (!read(&s->ask, str_of(body), &no))
		fail_msg("%s", buf_text(&no.message));
	answer_make(&s->answer, &s->ask, thinks);
	return s;
}

static struct said *
chat(const char *body)
{
	return say(ASK_CHAT, native_read_chat, body, false);
}

static void
forget(struct said *s)
{
	answer_finish(&s->answer);
	ask_finish(&s->ask);
	free(s);
}

static char *
text_of(const struct said *s, enum piece_kind kind)
{
	struct buf out = {0};

	answer_add_text(&out, &s->answer, kind);
	return buf_take(&out);
}

static void
check_same(struct said *a, struct said *b, bool same)
{
	char *x = text_of(a, PIECE_WORD), *y = text_of(b, PIECE_WORD);

	assert_int_equal(strcmp(x, y) == 0, same);
	assert_true(strlen(x) > 0);
	free(x);
	free(y);
	forget(a);
	forget(b);
}

#define ASKED "\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]"

static void
equal_asks_get_equal_words(void **state)
{
	check_same(chat("{\"model\":\"m\"," ASKED "}"),
	           chat("{ \"MESSAGES\" : [{\"content\":\"hello\",\"role\":\"user\"}], \"model\":\"m\","
	                "\"stream\":false,\"keep_alive\":\"1m\",\"options\":{\"num_ctx\":8192}}"),
	           true);
	check_same(chat("{\"model\":\"m\"," ASKED "}"), chat("{\"model\":\"other\"," ASKED "}"), false);
	check_same(chat("{\"model\":\"m\"," ASKED "}"),
	           chat("{\"model\":\"m\"," ASKED ",\"options\":{\"seed\":1}}"), false);
	check_same(chat("{\"model\":\"m\"," ASKED ",\"options\":{\"seed\":2}}"),
	           chat("{\"model\":\"m\"," ASKED ",\"options\":{\"seed\":1}}"), false);
}

static void
a_prompt_has_one_answer_in_all_dialects(void **state)
{
	static const char native[] = "{\"model\":\"m\"," ASKED "}";

	check_same(chat(native), say(ASK_CHAT, openai_read_chat, native, false), true);
	check_same(chat(native),
	           say(ASK_CHAT, responses_read, "{\"model\":\"m\",\"input\":\"hello\"}", false), true);
	check_same(
	    chat(native),
	    say(ASK_GENERATE, native_read_generate, "{\"model\":\"m\",\"prompt\":\"hello\"}", false),
	    true);
	check_same(chat("{\"model\":\"m\"," ASKED ",\"options\":{\"num_predict\":9}}"),
	           say(ASK_CHAT, messages_read, "{\"model\":\"m\",\"max_tokens\":9," ASKED "}", false),
	           true);
}

static void
check_length(const char *more, int words, bool cut)
{
	struct buf body = {0};
	struct said *s;

	buf_addf(&body, "{\"model\":\"m\",%s}", more);
	s = chat(body.data);
	assert_int_equal(s->answer.words, words);
	assert_int_equal(s->answer.tokens, words);
	assert_int_equal(s->answer.cut, cut);
	forget(s);
	buf_finish(&body);
}

static void
its_length_is_what_was_asked_for(void **state)
{
	struct said *s = chat("{\"model\":\"m\"," ASKED "}");

	assert_in_range(s->answer.words, 16, 64);
	assert_false(s->answer.cut);
	forget(s);
	check_length(ASKED ",\"options\":{\"num_predict\":500}", 500, true);
	check_length(ASKED ",\"options\":{\"num_predict\":1}", 1, true);
	check_length("\"messages\":[{\"role\":\"user\",\"content\":\"say tokens:7 please\"}]", 7,
	             false);
	check_length("\"messages\":[{\"role\":\"user\",\"content\":\"tokens:7\"}],\"options\":{\"num_"
	             "predict\":9}",
	             7, false);
	check_length("\"messages\":[{\"role\":\"user\",\"content\":\"tokens:7\"}],\"options\":{\"num_"
	             "predict\":4}",
	             4, true);
}

static void
no_bound_is_too_large_and_no_message_too_empty(void **state)
{
	struct said *s = chat("{\"model\":\"m\"," ASKED ",\"options\":{\"num_predict\":9e18}}");

	assert_in_range(s->answer.words, 1, 1000 * 1000);
	forget(s);
	s = say(ASK_CHAT, messages_read,
	        "{\"model\":\"m\",\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":[]}]}",
	        false);
	assert_int_equal(s->answer.words, 1);
	forget(s);
}

static void
thoughts_come_first_and_count_as_tokens(void **state)
{
	struct said *s = say(ASK_CHAT, native_read_chat, "{\"model\":\"m\"," ASKED "}", true);
	enum piece_kind kind;

	assert_in_range(s->answer.thoughts, 4, 12);
	assert_int_equal(s->answer.tokens, s->answer.thoughts + s->answer.words);
	assert_int_equal(answer_pieces(&s->answer), s->answer.tokens);
	for (int i = 0; i < s->answer.tokens; i++) {
		assert_true(answer_piece(&s->answer, i, &kind).len > 0);
		assert_int_equal(kind, i < s->answer.thoughts ? PIECE_THOUGHT : PIECE_WORD);
	}
	forget(s);
}

static void
stops_before_a_stop_text(void **state)
{
	struct said *s = chat("{\"model\":\"m\"," ASKED ",\"options\":{\"num_predict\":200}}");
	char *whole = text_of(s, PIECE_WORD), *text;
	enum piece_kind kind;
	struct str third = answer_piece(&s->answer, 2, &kind);
	struct buf body = {0};

	buf_addf(&body,
	         "{\"model\":\"m\"," ASKED ",\"options\":{\"num_predict\":200,\"stop\":[\"none\",");
	gojson_add_string(&body, third);
	buf_adds(&body, "]}}");
	forget(s);
	s = chat(body.data);
	text = text_of(s, PIECE_WORD);
	assert_in_range(s->answer.words, 1, 2);
	assert_false(s->answer.cut);
	assert_memory_equal(whole, text, strlen(text));
	free(whole);
	free(text);
	buf_finish(&body);
	forget(s);
}

#define TOOLS                                                                                    \
	",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\",\"parameters\":{" \
	"\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"},\"days\":{\"type\":"     \
	"\"integer\","                                                                               \
	"\"minimum\":1000},\"unit\":{\"enum\":[\"C\"]},\"all\":{\"type\":\"boolean\"}}}}}]"

static void
calls_the_tool_that_the_user_names(void **state)
{
	struct said *s = chat(
	    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"use get_weather\"}]" TOOLS
	    "}");
	struct buf why = {0};
	cJSON *args;

	assert_string_equal(s->answer.tool, "get_weather");
	assert_int_equal(answer_pieces(&s->answer), 1);
	args = gojson_parse(str_of(s->answer.args), &why);
	assert_non_null(args);
	assert_true(strlen(gojson_text(args, "city")) > 0);
	assert_in_range(gojson_int(args, "days", 0), 1000, 1099);
	assert_string_equal(gojson_text(args, "unit"), "C");
	assert_non_null(gojson_get(args, "all"));
	cJSON_Delete(args);
	forget(s);
	s = chat("{\"model\":\"m\"," ASKED TOOLS "}");
	assert_null(s->answer.tool);
	forget(s);
	/* Its result is there: now it answers. */
	s = chat("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"use get_weather\"},"
	         "{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"get_weather\","
	         "\"arguments\":{}}}]},"
	         "{\"role\":\"tool\",\"content\":\"rain\"}]" TOOLS "}");
	assert_null(s->answer.tool);
	forget(s);
}

static void
a_format_gives_json_that_fits(void **state)
{
	struct said *s = chat("{\"model\":\"m\"," ASKED ",\"format\":\"json\"}");
	struct buf why = {0};
	char *text = text_of(s, PIECE_WORD);
	cJSON *tree = gojson_parse(str_of(text), &why);

	assert_true(strlen(gojson_text(tree, "answer")) > 0);
	cJSON_Delete(tree);
	free(text);
	forget(s);
	s = chat("{\"model\":\"m\"," ASKED
	         ",\"format\":{\"type\":\"object\",\"properties\":{\"list\":{\"type\":"
	         "\"array\",\"items\":{\"anyOf\":[{\"type\":[\"number\",\"null\"]}]}},\"k\":{\"const\":"
	         "5}}}}");
	text = text_of(s, PIECE_WORD);
	tree = gojson_parse(str_of(text), &why);
	assert_true(cJSON_IsNumber(gojson_get(tree, "list")->child));
	assert_int_equal(gojson_int(tree, "k", 0), 5);
	cJSON_Delete(tree);
	free(text);
	forget(s);
}

static void
tells_what_images_it_saw(void **state)
{
	struct said *s =
	    chat("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"look\",\"images\":"
	         "[\"aGVsbG8=\",\"eA==\"]}]}");
	char *text = text_of(s, PIECE_WORD);
	char hex[DIGEST_HEX_SIZE], want[64];

	digest_of(hex, str_of("hello"));
	snprintf(want, sizeof(want), "I see 2 images, the first is %.12s.", hex);
	assert_memory_equal(text, want, strlen(want));
	free(text);
	forget(s);
}

static void
check_refused(enum ask_kind kind, ask_reader read, const char *body, int status, const char *why)
{
	struct refusal_text no = {0};
	struct ask a;

	ask_init(&a, kind);
	assert_false(read(&a, str_of(body), &no));
	assert_int_equal(no.status, status);
	assert_string_equal(buf_text(&no.message), why);
	buf_finish(&no.message);
	ask_finish(&a);
}

static void
refuses_in_ollamas_words(void **state)
{
	check_refused(ASK_CHAT, native_read_chat, "", 400, "missing request body");
	check_refused(
	    ASK_CHAT, native_read_chat, "{\"model\":1}", 400,
	    "json: cannot unmarshal number into Go struct field ChatRequest.model of type string");
	check_refused(ASK_CHAT, native_read_chat, "{\"keep_alive\":\"300\"}", 400,
	              "time: missing unit in duration \"300\"");
	check_refused(ASK_CHAT, native_read_chat, "{\"keep_alive\":\"x\"}", 400,
	              "time: invalid duration \"x\"");
	check_refused(ASK_CHAT, native_read_chat, "{\"top_logprobs\":21}", 400,
	              "top_logprobs must be between 0 and 20");
	check_refused(ASK_CHAT, openai_read_chat, "{\"messages\":[]}", 400,
	              "[] is too short - 'messages'");
	check_refused(ASK_CHAT, messages_read, "{\"model\":\"m\",\"messages\":[{}]}", 400,
	              "max_tokens is required and must be positive");
	check_refused(ASK_EMBED, embed_read, "{\"input\":[1]}", 400, "invalid input type");
	check_refused(ASK_CHAT, native_read_chat,
	              "{\"messages\":[{\"role\":\"user\",\"images\":[\"***\"]}]}", 400,
	              "illegal base64 data at input byte 0");
}

static void
keep_alive_is_read_as_go_reads_it(void **state)
{
	static const struct {
		const char *value;
		int64_t ms;
	} rows[] = {{"0", 0},
	            {"1.5", 1500},
	            {"-1", KEEP_FOREVER},
	            {"\"5m\"", 300000},
	            {"\"0\"", 0},
	            {"\"-1s\"", KEEP_FOREVER},
	            {"null", KEEP_DEFAULT}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct refusal_text no = {0};
		struct buf body = {0};
		struct ask a;

		ask_init(&a, ASK_CHAT);
		buf_addf(&body, "{\"model\":\"m\",\"keep_alive\":%s}", rows[i].value);
		assert_true(native_read_chat(&a, (struct str){body.data, body.len}, &no));
		assert_true(a.keep_ms == rows[i].ms);
		ask_finish(&a);
		buf_finish(&body);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equal_asks_get_equal_words),
	    cmocka_unit_test(a_prompt_has_one_answer_in_all_dialects),
	    cmocka_unit_test(its_length_is_what_was_asked_for),
	    cmocka_unit_test(no_bound_is_too_large_and_no_message_too_empty),
	    cmocka_unit_test(thoughts_come_first_and_count_as_tokens),
	    cmocka_unit_test(stops_before_a_stop_text),
	    cmocka_unit_test(calls_the_tool_that_the_user_names),
	    cmocka_unit_test(a_format_gives_json_that_fits),
	    cmocka_unit_test(tells_what_images_it_saw),
	    cmocka_unit_test(refuses_in_ollamas_words),
	    cmocka_unit_test(keep_alive_is_read_as_go_reads_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
