#include "../check.h"

#include "base/buf.h"
#include "proto/body.h"

#include <stdio.h>
#include <string.h>

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

/* Reads the body in pieces of `step` bytes; `why` receives the reason of a refusal. */
static bool
read_in(const char *path, struct str body, size_t step, struct body_facts *out, char why[256])
{
	struct body_reader *r =
	    body_reader_create(route_of(path), str_of("multipart/form-data; boundary=\"xYz\""));
	bool ok = true;

	for (size_t at = 0; at < body.len && ok; at += step) {
		size_t n = body.len - at < step ? body.len - at : step;

		ok = body_reader_feed(r, (struct str){body.ptr + at, n});
	}
	ok = body_reader_end(r, out) && ok;
	strcpy(why, body_reader_why(r));
	body_reader_destroy(&r);
	assert_null(r);
	return ok;
}

static bool
read_body(const char *path, const char *body, struct body_facts *out, char why[256])
{
	struct body_facts again;
	char why_again[256];
	bool ok = read_in(path, str_of(body), strlen(body) + 1, out, why);

	for (size_t step = 1; step < 5; step++) {
		assert_int_equal(read_in(path, str_of(body), step, &again, why_again), ok);
		if (ok)
			assert_memory_equal(&again, out, sizeof(again));
		else
			assert_string_equal(why_again, why);
	}
	return ok;
}

static struct body_facts
facts_of(const char *path, const char *body)
{
	struct body_facts f;
	char why[256];

	if (!read_body(path, body, &f, why))
		fail_msg("%s: %s", body, why);
	return f;
}

static void
is_refused(const char *path, const char *body, const char *want)
{
	struct body_facts f;
	char why[256];

	if (read_body(path, body, &f, why))
		fail_msg("accepted: %s", body);
	assert_string_equal(why, want);
}

static void
is_at(struct body_span at, const char *body, const char *want)
{
	assert_int_equal(at.end - at.begin, strlen(want));
	assert_memory_equal(body + at.begin, want, strlen(want));
}

static void
an_ordinary_chat_is_read(void **state)
{
	const char *body = "{\"model\": \"llama3:8b\", \"messages\":[{\"role\":\"user\",\"content\":"
	                   "\"hi \\\"model\\\"\"}], \"options\": {\"num_ctx\": 8192, \"model\": 5},"
	                   "\"stream\":false,\"keep_alive\": \"5m\",\"tools\":[{\"Model\":1}]}";
	struct body_facts f = facts_of("/api/chat", body);

	assert_string_equal(f.model, "llama3:8b");
	is_at(f.model_at, body, "\"llama3:8b\"");
	is_at(f.options_at, body, "{\"num_ctx\": 8192, \"model\": 5}");
	is_at(f.keep_alive_at, body, "\"5m\"");
	assert_true(f.stream_given);
	assert_false(f.stream);
	assert_true(f.keep_alive_given);
	assert_false(f.keep_alive_zero);
	assert_false(f.load_only);
	assert_false(f.unload);
}

static void
is_number(const struct body_facts *f, enum body_member m, const char *body, const char *text,
          int64_t value)
{
	assert_int_equal(f->numbers[m].is, BODY_GIVEN);
	assert_int_equal(f->numbers[m].value, value);
	is_at(f->numbers[m].at, body, text);
}

static void
options_that_reload_a_model_are_found(void **state)
{
	static const char body[] =
	    "{\"model\":\"m\",\"options\":{\"temperature\":0.5,\"num_ctx\":8192.9,"
	    "\"num_batch\" : 512,\"num_gpu\":-1,\"main_gpu\":1,\"stop\":[\"num_ctx\"],"
	    "\"use_mmap\":false,\"num_thread\":4e0, \"num_predict\":-2}}";
	struct body_facts f = facts_of("/api/generate", body);

	is_number(&f, BODY_NUM_CTX, body, "8192.9", 8192);
	is_number(&f, BODY_NUM_BATCH, body, "512", 512);
	is_number(&f, BODY_NUM_GPU, body, "-1", -1);
	is_number(&f, BODY_MAIN_GPU, body, "1", 1);
	is_number(&f, BODY_USE_MMAP, body, "false", 0);
	is_number(&f, BODY_NUM_THREAD, body, "4e0", 4);
	is_number(&f, BODY_NUM_PREDICT, body, "-2", -2);
	assert_int_equal(f.options, BODY_GIVEN);
}

static void
options_stand_under_options_alone(void **state)
{
	struct body_facts f =
	    facts_of("/api/chat", "{\"num_ctx\":1,\"messages\":[{\"num_ctx\":2}],"
	                          "\"options\":{\"x\":{\"num_ctx\":3},\"NUM_CTX\":4}}");

	assert_int_equal(f.numbers[BODY_NUM_CTX].is, BODY_ABSENT);
	f = facts_of("/v1/chat/completions", "{\"options\":{\"num_ctx\":1}}");
	assert_int_equal(f.numbers[BODY_NUM_CTX].is, BODY_ABSENT);
	assert_int_equal(f.options, BODY_ABSENT);
}

static void
options_of_an_odd_type_are_told_from_none(void **state)
{
	struct body_facts f =
	    facts_of("/api/chat", "{\"options\":{\"num_ctx\":\"8k\",\"num_batch\":null,\"num_gpu\":{},"
	                          "\"use_mmap\":1,\"num_predict\":1e999}}");

	assert_int_equal(f.numbers[BODY_NUM_CTX].is, BODY_ODD);
	assert_int_equal(f.numbers[BODY_NUM_BATCH].is, BODY_NULL);
	assert_int_equal(f.numbers[BODY_NUM_GPU].is, BODY_ODD);
	assert_int_equal(f.numbers[BODY_USE_MMAP].is, BODY_ODD);
	assert_int_equal(f.numbers[BODY_NUM_PREDICT].value, INT64_C(1) << 53);
	assert_int_equal(facts_of("/api/chat", "{\"options\":[1]}").options, BODY_ODD);
	assert_int_equal(facts_of("/api/chat", "{\"options\":null}").options, BODY_NULL);
	assert_int_equal(facts_of("/api/chat", "{}").options, BODY_ABSENT);
}

static void
the_bound_of_an_answer_is_called_as_the_route_has_it(void **state)
{
	static const char body[] =
	    "{\"max_tokens\":100,\"max_completion_tokens\":200,\"max_output_tokens\":300}";
	struct body_facts f = facts_of("/v1/chat/completions", body);

	is_number(&f, BODY_MAX_TOKENS, body, "100", 100);
	is_number(&f, BODY_MAX_COMPLETION_TOKENS, body, "200", 200);
	assert_int_equal(f.numbers[BODY_MAX_OUTPUT_TOKENS].is, BODY_ABSENT);
	f = facts_of("/v1/responses", body);
	is_number(&f, BODY_MAX_OUTPUT_TOKENS, body, "300", 300);
	assert_int_equal(f.numbers[BODY_MAX_TOKENS].is, BODY_ABSENT);
	f = facts_of("/v1/messages", body);
	is_number(&f, BODY_MAX_TOKENS, body, "100", 100);
	assert_int_equal(f.numbers[BODY_MAX_COMPLETION_TOKENS].is, BODY_ABSENT);
	f = facts_of("/api/chat", body);
	assert_int_equal(f.numbers[BODY_MAX_TOKENS].is, BODY_ABSENT);
	/* Into an integer Go reads digits alone. */
	assert_int_equal(
	    facts_of("/v1/completions", "{\"max_tokens\":1e2}").numbers[BODY_MAX_TOKENS].is, BODY_ODD);
}

static void
what_a_rule_changes_cannot_be_said_twice(void **state)
{
	is_refused("/api/chat", "{\"options\":{\"num_ctx\":1,\"num_ctx\":2}}",
	           "the option \"num_ctx\" occurs twice");
	is_refused("/api/chat", "{\"options\":{\"num_ctx\":1,\"num\\u005fctx\":2}}",
	           "the option \"num_ctx\" occurs twice");
	is_refused("/v1/completions", "{\"Max_Tokens\":1}",
	           "the key \"Max_Tokens\" must be written \"max_tokens\"");
}

static void
has_first_turn(const char *path, const char *body, const char *want)
{
	is_at(facts_of(path, body).first_turn, body, want);
}

static void
the_first_turn_ends_with_the_users_first_message(void **state)
{
#define SYSTEM "{\"role\":\"system\",\"content\":\"s\"}"
#define USER   "{\"content\":[{\"role\":\"x\",\"type\":\"text\"}],\"role\":\"user\"}"
	has_first_turn("/api/chat", "{\"messages\":[" SYSTEM ", " USER "]}", "[" SYSTEM ", " USER);
	has_first_turn("/v1/chat/completions", "{\"messages\":[" USER "," SYSTEM "," USER "]}",
	               "[" USER);
	has_first_turn("/v1/messages", "{\"messages\":[" USER "]}", "[" USER);
	has_first_turn("/v1/responses", "{\"input\":[" USER "]}", "[" USER);
}

static void
what_is_no_conversation_has_no_first_turn(void **state)
{
	static const char *const bodies[] = {
	    "{}",
	    "{\"messages\":null}",
	    "{\"messages\":[]}",
	    ("{\"messages\":[" SYSTEM "]}"),
	    "{\"messages\":[{\"role\":\"users\"},{\"role\":7},{\"x\":\"user\"},\"user\",[\"user\"]]}",
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_int_equal(facts_of("/api/chat", bodies[i]).first_turn.end, 0);
	assert_int_equal(facts_of("/v1/responses", "{\"input\":\"user\"}").first_turn.end, 0);
	assert_int_equal(facts_of("/api/generate", "{\"prompt\":\"user\"}").first_turn.end, 0);
}

static void
images_are_no_text(void **state)
{
	struct buf body = {0};
	struct body_facts f;
	uint64_t rest;

	buf_adds(&body, "{\"images\":[\"");
	for (int i = 0; i < 3000; i++)
		buf_addc(&body, "iVBORw0KGgo+/"[i % 13]);
	buf_adds(&body, "\"],\"prompt\":\"");
	rest = body.len - 3000;
	for (int i = 0; i < 3000; i++)
		buf_addc(&body, "words between blanks "[i % 21]);
	rest += 3000;
	buf_adds(&body, "\"}");
	rest += 2;
	f = facts_of("/api/generate", buf_text(&body));
	assert_in_range(f.text_bytes, rest - 2, rest);
	buf_finish(&body);
}

static void
what_is_left_out_has_the_routes_default(void **state)
{
	struct body_facts f = facts_of("/api/generate", "{}");

	assert_string_equal(f.model, "");
	assert_int_equal(f.model_at.end, 0);
	assert_true(f.stream);
	assert_false(f.stream_given);
	assert_false(f.keep_alive_given);
	assert_int_equal(f.options_at.end, 0);
	assert_false(facts_of("/v1/chat/completions", "{\"model\":\"m\"}").stream);
	assert_true(facts_of("/v1/chat/completions", "{\"stream\":true}").stream);
	assert_true(facts_of("/api/chat", "{\"stream\":null}").stream);
	assert_false(facts_of("/api/chat", "{\"stream\":null}").stream_given);
	assert_true(facts_of("/api/pull", "{\"model\":\"m\"}").stream);
}

static void
null_is_as_if_left_out(void **state)
{
	struct body_facts f = facts_of("/api/chat", "{\"model\":null,\"keep_alive\":null,"
	                                            "\"messages\":null,\"options\":null}");

	assert_string_equal(f.model, "");
	assert_false(f.keep_alive_given);
	assert_true(f.load_only);
	assert_false(f.unload);
}

static bool
loads_only(const char *path, const char *member)
{
	char body[200];

	snprintf(body, sizeof(body), "{\"model\":\"m\"%s%s}", member[0] == '\0' ? "" : ",", member);
	return facts_of(path, body).load_only;
}

static void
without_a_prompt_or_messages_it_only_loads(void **state)
{
	assert_true(loads_only("/api/generate", ""));
	assert_true(loads_only("/api/generate", "\"prompt\":\"\""));
	assert_true(loads_only("/api/generate", "\"suffix\":\"x\",\"images\":[\"aGk=\"]"));
	assert_true(loads_only("/api/generate", "\"messages\":[{}]"));
	assert_false(loads_only("/api/generate", "\"prompt\":\" \""));
	assert_false(loads_only("/api/generate", "\"prompt\":\"\\u0000\""));
	assert_false(loads_only("/api/generate", "\"prompt\":5"));
	assert_true(loads_only("/api/chat", ""));
	assert_true(loads_only("/api/chat", "\"messages\":[ ]"));
	assert_true(loads_only("/api/chat", "\"prompt\":\"x\""));
	assert_false(loads_only("/api/chat", "\"messages\":[null]"));
	assert_false(loads_only("/api/chat", "\"messages\":[{}]"));
	assert_false(loads_only("/api/chat", "\"messages\":{}"));
	assert_false(loads_only("/api/embed", "\"input\":\"\""));
	assert_false(loads_only("/v1/chat/completions", "\"messages\":[]"));
}

static bool
is_zero(const char *keep_alive)
{
	char body[200];
	struct body_facts f;

	snprintf(body, sizeof(body), "{\"keep_alive\":%s}", keep_alive);
	f = facts_of("/api/generate", body);
	assert_true(f.keep_alive_given);
	assert_int_equal(f.unload, f.keep_alive_zero);
	return f.keep_alive_zero;
}

static void
keep_alive_is_zero_where_ollama_takes_it_for_zero(void **state)
{
	assert_true(is_zero("0"));
	assert_true(is_zero("-0"));
	assert_true(is_zero("0.9"));
	assert_true(is_zero("1e-400"));
	assert_true(is_zero("\"0\""));
	assert_true(is_zero("\"0s\""));
	assert_true(is_zero("\"0h0m\""));
	assert_true(is_zero("\"500ms\""));
	assert_true(is_zero("\"\\u0030s\""));
	assert_false(is_zero("1"));
	assert_false(is_zero("-1"));
	assert_false(is_zero("-0.5"));
	assert_false(is_zero("1e400"));
	assert_false(is_zero("\"5m\""));
	assert_false(is_zero("\"-1s\""));
	assert_false(is_zero("\"300\""));
	assert_false(is_zero("\"\""));
	assert_false(is_zero("true"));
	assert_false(is_zero("[0]"));
}

static void
an_unload_needs_both(void **state)
{
	assert_true(facts_of("/api/chat", "{\"messages\":[],\"keep_alive\":0}").unload);
	assert_false(facts_of("/api/chat", "{\"messages\":[{}],\"keep_alive\":0}").unload);
	assert_false(facts_of("/api/chat", "{\"messages\":[],\"keep_alive\":\"1s\"}").unload);
	assert_false(facts_of("/api/chat", "{\"messages\":[]}").unload);
	assert_false(facts_of("/v1/completions", "{\"keep_alive\":0}").unload);
	assert_false(facts_of("/api/embed", "{\"input\":[],\"keep_alive\":0}").unload);
}

static void
a_routing_key_that_go_reads_in_another_case_is_refused(void **state)
{
	is_refused("/api/chat", "{\"Model\":\"m\"}", "the key \"Model\" must be written \"model\"");
	is_refused("/api/chat", "{\"MODEL\":1}", "the key \"MODEL\" must be written \"model\"");
	is_refused("/api/chat", "{\"\\u004dodel\":\"m\"}",
	           "the key \"Model\" must be written \"model\"");
	is_refused("/api/chat", "{\"\xc5\xbftream\":true}",
	           "the key \"\xc5\xbftream\" must be written \"stream\"");
	is_refused("/api/chat",
	           "{\"me\\u017f\xc5\xbf"
	           "age\\u017F\":[]}",
	           "the key \"me\xc5\xbf\xc5\xbf"
	           "age\xc5\xbf\" must be written \"messages\"");
	is_refused("/api/chat",
	           "{\"\xe2\x84\xaa"
	           "eep_alive\":0}",
	           "the key \"\xe2\x84\xaa"
	           "eep_alive\" must be written \"keep_alive\"");
	is_refused("/api/generate", "{\"Prompt\":\"\"}",
	           "the key \"Prompt\" must be written \"prompt\"");
	is_refused("/api/embed", "{\"Options\":{}}", "the key \"Options\" must be written \"options\"");
	is_refused("/api/pull", "{\"Name\":\"m\"}", "the key \"Name\" must be written \"name\"");
}

static void
a_routing_key_that_occurs_twice_is_refused(void **state)
{
	is_refused("/api/chat", "{\"model\":\"a\",\"x\":1,\"model\":\"b\"}",
	           "the key \"model\" occurs twice");
	is_refused("/api/chat", "{\"model\":\"a\",\"m\\u006fdel\":\"a\"}",
	           "the key \"model\" occurs twice");
	is_refused("/api/chat", "{\"stream\":true,\"stream\":true}", "the key \"stream\" occurs twice");
	is_refused("/v1/messages", "{\"model\":null,\"model\":\"a\"}",
	           "the key \"model\" occurs twice");
}

static void
other_keys_are_nobodys_business(void **state)
{
	facts_of("/api/chat", "{\"x\":1,\"X\":2,\"x\":3}");
	facts_of("/api/chat", "{\"modell\":1,\"mode\":2,\"model \":3,\"\":4,\"mod\xc3\xa9l\":5}");
	facts_of("/v1/chat/completions", "{\"Options\":1,\"keep_alive\":0,\"Keep_Alive\":1}");
	facts_of("/api/chat", "{\"Name\":1,\"name\":1,\"Source\":2}");
	facts_of("/api/chat", "{\"an_unknown_key_that_is_longer_than_any_that_the_gateway_knows\":1}");
	facts_of("/api/chat", "{\"options\":{\"model\":1,\"model\":2,\"Stream\":3}}");
}

static void
a_nul_in_a_key_is_refused_at_any_depth(void **state)
{
	is_refused("/api/chat", "{\"model\\u0000\":1}", "invalid JSON at byte 7: a NUL in a key");
	is_refused("/api/chat", "{\"a\":[{\"\\u0000\":1}]}", "invalid JSON at byte 8: a NUL in a key");
}

static void
routing_values_of_a_wrong_type_are_refused(void **state)
{
	is_refused("/api/chat", "{\"model\":1}", "\"model\" must be a string");
	is_refused("/api/chat", "{\"model\":[\"a\"]}", "\"model\" must be a string");
	is_refused("/api/chat", "{\"model\":{}}", "\"model\" must be a string");
	is_refused("/api/chat", "{\"model\":true}", "\"model\" must be a string");
	is_refused("/api/chat", "{\"stream\":\"true\"}", "\"stream\" must be true or false");
	is_refused("/api/chat", "{\"stream\":1}", "\"stream\" must be true or false");
	is_refused("/api/chat", "{\"stream\":[]}", "\"stream\" must be true or false");
	is_refused("/api/chat", "{\"model\":\"a\\u0000b\"}", "\"model\" has a NUL in it");
	is_refused("/api/pull", "{\"name\":1}", "\"name\" must be a string");
}

static void
a_body_that_is_no_object_is_refused(void **state)
{
	is_refused("/api/chat", "", "missing request body");
	is_refused("/api/chat", "[]", "the body must be a JSON object");
	is_refused("/api/chat", "null", "the body must be a JSON object");
	is_refused("/api/chat", "\"model\"", "the body must be a JSON object");
	is_refused("/api/chat", "5", "the body must be a JSON object");
	is_refused("/api/chat", "{\"model\":\"a\"", "invalid JSON at byte 12: it ends too early");
	is_refused("/api/chat", "{\"model\":\"a\"}{}", "invalid JSON at byte 13: more than one value");
	is_refused("/api/chat", "model=a", "invalid JSON at byte 0: not a value");
}

static void
models_have_a_bounded_name(void **state)
{
	char body[700], name[BODY_MODEL_MAX + 1];
	struct body_facts f;

	memset(name, 'a', sizeof(name));
	snprintf(body, sizeof(body), "{\"model\":\"%.*s\"}", BODY_MODEL_MAX - 1, name);
	f = facts_of("/api/chat", body);
	assert_int_equal(strlen(f.model), BODY_MODEL_MAX - 1);
	snprintf(body, sizeof(body), "{\"model\":\"%.*s\"}", BODY_MODEL_MAX, name);
	is_refused("/api/chat", body, "\"model\" is too long");
}

static void
management_takes_the_old_name_too(void **state)
{
	const char *body = "{\"name\":\"m\",\"model\":\"\"}";
	struct body_facts f = facts_of("/api/pull", body);

	assert_string_equal(f.model, "m");
	is_at(f.model_at, body, "\"m\"");
	assert_string_equal(facts_of("/api/show", "{\"name\":\"m\"}").model, "m");
	assert_string_equal(facts_of("/api/delete", "{\"model\":\"m\",\"name\":\"m\"}").model, "m");
	assert_string_equal(facts_of("/api/copy", "{\"source\":\"a\",\"destination\":\"b\"}").model,
	                    "a");
	assert_string_equal(facts_of("/api/copy", "{\"name\":\"x\",\"model\":\"y\"}").model, "");
	is_refused("/api/push", "{\"model\":\"a\",\"name\":\"b\"}", "\"model\" and \"name\" differ");
}

static void
too_many_values_are_refused_early(void **state)
{
	struct body_reader *r = body_reader_create(route_of("/api/chat"), str_of(""));
	char ones[8192];
	uint64_t fed = 0;

	for (size_t i = 0; i < sizeof(ones); i++)
		ones[i] = "1,"[i % 2];
	assert_true(body_reader_feed(r, str_of("{\"messages\":[")));
	while (body_reader_feed(r, (struct str){ones, sizeof(ones)}))
		fed += sizeof(ones);
	assert_true(fed / 2 < BODY_NODES_MAX);
	assert_non_null(strstr(body_reader_why(r), "too many values"));
	body_reader_destroy(&r);
}

#define PART(name) "--xYz\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define AUDIO                                                                        \
	"--xYz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n" \
	"Content-Type: audio/wav\r\n\r\nRIFF\r\n--xY\r\r\n\r\n"
#define TRANSCRIPTIONS "/v1/audio/transcriptions"

static void
a_form_names_its_model_in_a_field(void **state)
{
	const char *body = AUDIO PART("model") "whisper\r\n" PART("stream") "true\r\n--xYz--\r\n";
	struct body_facts f = facts_of(TRANSCRIPTIONS, body);

	assert_string_equal(f.model, "whisper");
	is_at(f.model_at, body, "whisper");
	assert_true(f.stream);
	assert_true(f.stream_given);
	f = facts_of(TRANSCRIPTIONS, PART("Model") "x\r\n" PART("stream") "no\r\n--xYz--");
	assert_string_equal(f.model, "");
	assert_false(f.stream);
}

static void
a_form_that_could_be_read_in_two_ways_is_refused(void **state)
{
	is_refused(TRANSCRIPTIONS, PART("model") "a\r\n" PART("model") "b\r\n--xYz--",
	           "the field \"model\" occurs twice");
	is_refused(
	    TRANSCRIPTIONS,
	    "--xYz\r\nContent-Disposition: form-data; name=model; filename=x\r\n\r\na\r\n--xYz--",
	    "the field \"model\" must not be a file");
	is_refused(TRANSCRIPTIONS, "{\"model\":\"a\"}",
	           "invalid form at byte 0: it does not begin with the boundary");
	is_refused(TRANSCRIPTIONS, "", "invalid form at byte 0: it ends too early");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_ordinary_chat_is_read),
	    cmocka_unit_test(options_that_reload_a_model_are_found),
	    cmocka_unit_test(options_stand_under_options_alone),
	    cmocka_unit_test(options_of_an_odd_type_are_told_from_none),
	    cmocka_unit_test(the_bound_of_an_answer_is_called_as_the_route_has_it),
	    cmocka_unit_test(what_a_rule_changes_cannot_be_said_twice),
	    cmocka_unit_test(the_first_turn_ends_with_the_users_first_message),
	    cmocka_unit_test(what_is_no_conversation_has_no_first_turn),
	    cmocka_unit_test(images_are_no_text),
	    cmocka_unit_test(what_is_left_out_has_the_routes_default),
	    cmocka_unit_test(null_is_as_if_left_out),
	    cmocka_unit_test(without_a_prompt_or_messages_it_only_loads),
	    cmocka_unit_test(keep_alive_is_zero_where_ollama_takes_it_for_zero),
	    cmocka_unit_test(an_unload_needs_both),
	    cmocka_unit_test(a_routing_key_that_go_reads_in_another_case_is_refused),
	    cmocka_unit_test(a_routing_key_that_occurs_twice_is_refused),
	    cmocka_unit_test(other_keys_are_nobodys_business),
	    cmocka_unit_test(a_nul_in_a_key_is_refused_at_any_depth),
	    cmocka_unit_test(routing_values_of_a_wrong_type_are_refused),
	    cmocka_unit_test(a_body_that_is_no_object_is_refused),
	    cmocka_unit_test(models_have_a_bounded_name),
	    cmocka_unit_test(management_takes_the_old_name_too),
	    cmocka_unit_test(too_many_values_are_refused_early),
	    cmocka_unit_test(a_form_names_its_model_in_a_field),
	    cmocka_unit_test(a_form_that_could_be_read_in_two_ways_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
