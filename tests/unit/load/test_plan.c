/* The command line: what is refused and with which words, and what is meant by what is left out. */
#include "plan.h"

#include "../check.h"

#include <stdio.h>
#include <string.h>

enum { MOST_WORDS = 24 };

/* Cuts a line at its blanks. */
static int
parse(const char *line, struct plan *p, struct buf *why)
{
	static char copy[1024];
	char *words[MOST_WORDS] = {copy};
	char *rest;
	int count = 0;

	snprintf(copy, sizeof(copy), "drover-bench %s", line);
	for (char *w = strtok_r(copy, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest))
		words[count++] = w;
	words[count] = NULL;
	return plan_read(count, words, p, why);
}

static void
expect_refused(const char *line, const char *words)
{
	struct buf why = {0};
	struct plan p;

	assert_int_equal(parse(line, &p, &why), 2);
	if (strstr(buf_text(&why), words) == NULL)
		fail_msg("%s: %s", line, buf_text(&why));
	buf_finish(&why);
}

static struct plan
must_parse(const char *line)
{
	struct buf why = {0};
	struct plan p;

	if (parse(line, &p, &why) != 0)
		fail_msg("%s: %s", line, buf_text(&why));
	buf_finish(&why);
	return p;
}

static void
what_is_left_out_is_a_small_closed_loop(void **state)
{
	struct plan p = must_parse("--model m");

	assert_int_equal(p.command, PLAN_RUN);
	assert_string_equal(p.url, "http://127.0.0.1:8080");
	assert_string_equal(p.api->name, "generate");
	assert_true(p.stream && p.tls_verify);
	assert_int_equal(p.requests, 100);
	assert_int_equal(p.concurrency, 1);
	assert_int_equal(p.prompt_tokens, 64);
	assert_int_equal(p.timeout_ms, 600000);
	plan_finish(&p);
	p = must_parse("--model m --rate 2.5 --duration 5m");
	assert_int_equal(p.requests, 0);
	assert_int_equal(p.concurrency, 0);
	assert_int_equal(p.duration_ms, 300000);
	assert_int_equal(p.arrival, ARRIVAL_POISSON);
	plan_finish(&p);
	p = must_parse("--model m --api embed");
	assert_false(p.stream);
	plan_finish(&p);
}

static void
an_address_is_taken_as_people_paste_it(void **state)
{
	static const char *const lines[][2] = {
	    {"--model m --url localhost:11434", "http://localhost:11434"},
	    {"--model m --url http://a:1/", "http://a:1"},
	    {"--model m --url https://a/v1", "https://a"},
	    {"--model m --url https://a/v1/", "https://a"},
	    {"--model m --url https://a/llm/", "https://a/llm"},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct plan p = must_parse(lines[i][0]);

		assert_string_equal(p.url, lines[i][1]);
		plan_finish(&p);
	}
}

static void
mixes_slos_and_options_are_read(void **state)
{
	struct plan p = must_parse("--model a=3 --model b --key k1 --key k2=2 --priority high "
	                           "--slo ttft=2s,tpot=50ms,e2e=30s --option temperature=0 "
	                           "--option stop=END --option think=false --seed 0");

	assert_int_equal(p.models.count, 2);
	assert_true(p.models.weights[0] == 3);
	assert_int_equal(p.keys.count, 2);
	assert_int_equal(p.classes.count, 1);
	assert_int_equal(p.slo.ttft_ms, 2000);
	assert_int_equal(p.slo.tpot_ms, 50);
	assert_int_equal(p.slo.e2e_ms, 30000);
	assert_int_equal(p.seed, 0);
	assert_string_equal(p.options, "\"temperature\":0,\"stop\":\"END\",\"think\":false");
	plan_finish(&p);
}

static void
a_key_may_stand_in_a_file(void **state)
{
	FILE *f = fopen("test_plan.key", "w");
	struct plan p;

	fputs("s3cret\nsecond line\n", f);
	fclose(f);
	p = must_parse("--model m --key @test_plan.key");
	assert_string_equal(p.keys.texts[0], "s3cret");
	plan_finish(&p);
	remove("test_plan.key");
	expect_refused("--model m --key @test_plan.key", "cannot be read");
}

static void
a_sweep_has_the_same_clients_for_all(void **state)
{
	struct plan p = must_parse("sweep --parallel 1,8,2 --model a --model b");

	assert_int_equal(p.command, PLAN_SWEEP);
	assert_int_equal(p.parallel_count, 3);
	assert_int_equal(p.parallel[1], 8);
	assert_int_equal(p.concurrency, 8);
	assert_int_equal(p.warmup, 2);
	plan_finish(&p);
}

static void
what_does_not_fit_is_refused_in_words(void **state)
{
	static const char *const lines[][2] = {
	    {"sweep --parallel 1", "which --model?"},
	    {"--model m --rate abc", "--rate: a number above 0 is needed, not 'abc'"},
	    {"--model m --rate 0", "--rate"},
	    {"--model m --rate nan", "--rate"},
	    {"--model m --requests 0", "--requests: a whole number of at least 1"},
	    {"--model m --requests -1", "--requests"},
	    {"--model m --duration 10", "a duration is needed"},
	    {"--model m --api soap", "--api: it is one of generate, chat"},
	    {"--model m --stream maybe", "yes or no"},
	    {"--model m --arrival uniform --rate 1", "poisson or constant"},
	    {"--model m --arrival constant", "--arrival needs a --rate"},
	    {"--model m --rate 1 --trace f", "take one"},
	    {"--model m --trace-speed 2", "needs a --trace"},
	    {"--model m --trace f --prompt x", "leave the prompt out"},
	    {"--model m --prompt x --prompts f", "exclude each other"},
	    {"--model m --api embed --stream yes", "does not stream"},
	    {"--model m --stream no --slo ttft=1s", "only seen in streams"},
	    {"--model m --slo fast", "durations are needed"},
	    {"--model m --slo p99=1s", "ttft, tpot and e2e"},
	    {"--model m --option temperature", "NAME=VALUE"},
	    {"--model m --parallel 1,2", "drover-bench sweep"},
	    {"--model m --start x", "drover-bench sweep"},
	    {"sweep --model m", "needs --parallel"},
	    {"sweep --model m --parallel 1,x", "whole numbers from 1 to 1000"},
	    {"sweep --model m --parallel 1 --url a:1", "leave --url out"},
	    {"sweep --model m --parallel 1 --compare x", "--compare is for a single run"},
	    {"--model m extra", "unexpected 'extra'"},
	    {"--model m --nonsense", "unknown option --nonsense"},
	    {"--model", "--model needs a value"},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		expect_refused(lines[i][0], lines[i][1]);
}

static void
help_names_every_option_and_fits_a_terminal(void **state)
{
	static const char *const names[] = {"--url", "--rate",    "--trace",
	                                    "--slo", "--compare", "--start"};
	struct buf out = {0};
	struct str rest, line;
	struct plan p;

	p = must_parse("--help --model");
	assert_int_equal(p.command, PLAN_HELP);
	plan_finish(&p);
	plan_add_help(&out);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_non_null(strstr(buf_text(&out), names[i]));
	rest = str_of(buf_text(&out));
	while (str_split(&rest, '\n', &line))
		if (line.len > 88)
			fail_msg("%.*s", STR_ARG(line));
	buf_finish(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_left_out_is_a_small_closed_loop),
	    cmocka_unit_test(an_address_is_taken_as_people_paste_it),
	    cmocka_unit_test(mixes_slos_and_options_are_read),
	    cmocka_unit_test(a_key_may_stand_in_a_file),
	    cmocka_unit_test(a_sweep_has_the_same_clients_for_all),
	    cmocka_unit_test(what_does_not_fit_is_refused_in_words),
	    cmocka_unit_test(help_names_every_option_and_fits_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
