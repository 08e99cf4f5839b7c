/* Bodies of requests, letter by letter. */
#include "api.h"

#include "../check.h"

static void
expect(const char *name, struct ask ask, const char *body)
{
	struct buf out = {0};

	if (ask.options == NULL)
		ask.options = "";
	api_find(name)->add_body(&out, &ask);
	assert_string_equal(buf_text(&out), body);
	buf_finish(&out);
}

static void
native_apis_have_options_of_their_own(void **state)
{
	expect("generate", (struct ask){.model = "m", .prompt = "say \"a\"\n", .stream = true},
	       "{\"model\":\"m\",\"prompt\":\"say \\\"a\\\"\\n\",\"stream\":true}");
	expect("chat", (struct ask){.model = "m", .prompt = "x", .output_tokens = 5},
	       "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"stream\":false,"
	       "\"options\":{\"num_predict\":5}}");
	expect("generate",
	       (struct ask){.model = "m", .prompt = "x", .output_tokens = 5, .options = "\"seed\":1"},
	       "{\"model\":\"m\",\"prompt\":\"x\",\"stream\":false,\"options\":{\"num_predict\":5,"
	       "\"seed\":1}}");
	expect("embed", (struct ask){.model = "m", .prompt = "x", .options = "\"num_ctx\":64"},
	       "{\"model\":\"m\",\"input\":\"x\",\"options\":{\"num_ctx\":64}}");
}

static void
others_have_them_flat_and_streams_ask_for_the_counts(void **state)
{
	expect(
	    "openai",
	    (struct ask){.model = "m",
	                 .prompt = "x",
	                 .output_tokens = 5,
	                 .stream = true,
	                 .options = "\"temperature\":0"},
	    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"stream_options\":{"
	    "\"include_usage\":true},\"max_tokens\":5,\"temperature\":0,\"stream\":true}");
	expect("completions", (struct ask){.model = "m", .prompt = "x"},
	       "{\"model\":\"m\",\"prompt\":\"x\",\"stream\":false}");
	expect("responses", (struct ask){.model = "m", .prompt = "x", .output_tokens = 2},
	       "{\"model\":\"m\",\"input\":\"x\",\"max_output_tokens\":2,\"stream\":false}");
	expect("embeddings", (struct ask){.model = "m", .prompt = "x"},
	       "{\"model\":\"m\",\"input\":\"x\"}");
}

static void
anthropics_messages_always_have_a_limit(void **state)
{
	expect(
	    "messages", (struct ask){.model = "m", .prompt = "x"},
	    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"max_tokens\":4096,"
	    "\"stream\":false}");
}

static void
messages_of_a_file_are_sent_as_they_are(void **state)
{
	expect("chat", (struct ask){.model = "m", .messages = "[{\"role\":\"system\"}]"},
	       "{\"model\":\"m\",\"messages\":[{\"role\":\"system\"}],\"stream\":false}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(native_apis_have_options_of_their_own),
	    cmocka_unit_test(others_have_them_flat_and_streams_ask_for_the_counts),
	    cmocka_unit_test(anthropics_messages_always_have_a_limit),
	    cmocka_unit_test(messages_of_a_file_are_sent_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
