/*
 * Outcomes become numbers: of one made-up run whose every number is known, and of
 * files of earlier runs.
 */
#include "metrics.h"

#include "base/mem.h"
#include "compare.h"
#include "result.h"

#include "../check.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { START_US = 1000000, MS = 1000 };

static char no_options[] = "";

struct bed {
	struct plan plan;
	struct tally *tally;
};

static void
open_bed(struct bed *b)
{
	b->plan = (struct plan){.api = api_find("generate"),
	                        .stream = true,
	                        .options = no_options,
	                        .concurrency = 1,
	                        .slo = {.ttft_ms = 100, .e2e_ms = 1000}};
	mix_add(&b->plan.models, "a");
	mix_add(&b->plan.models, "b");
	mix_add(&b->plan.keys, "sk-first");
	mix_add(&b->plan.keys, "sk-second");
	b->tally = NEW(struct tally);
	tally_init(b->tally, &b->plan);
	tally_start(b->tally, START_US);
}

static void
close_bed(struct bed *b)
{
	tally_finish(b->tally);
	free(b->tally);
	mix_finish(&b->plan.models);
	mix_finish(&b->plan.keys);
}

/* Due at the start; its first token after `ttft_ms`, its end after `e2e_ms`, ten tokens. */
static void
end_one(struct bed *b, size_t model, int64_t ttft_ms, int64_t e2e_ms, enum cache_word cache)
{
	uint32_t gaps[9] = {5000, 5000, 5000, 5000, 5000, 5000, 5000, 5000, 5000};
	struct facts facts;
	struct outcome o = {
	    .end = OUTCOME_WHOLE,
	    .shot = {.model = model, .key = 1},
	    .due_us = START_US,
	    .first_us = START_US + ttft_ms * MS,
	    .end_us = START_US + e2e_ms * MS,
	    .status = 200,
	    .facts = &facts,
	    .tokens = 10,
	    .gaps_us = gaps,
	    .gap_count = 9,
	    .queue_ms = 20,
	    .cache = cache,
	};

	facts_init(&facts);
	facts.prompt_tokens = 100;
	facts.output_tokens = 11;
	facts.load_ns = INT64_C(700) * 1000 * MS;
	facts.eval_ns = INT64_C(550) * 1000 * MS;
	facts.prompt_eval_ns = INT64_C(50) * 1000 * MS;
	tally_begin(b->tally, 0, START_US);
	tally_end(b->tally, &o);
}

static void
refuse_one(struct bed *b, int status)
{
	struct facts facts;
	struct outcome o = {.end = OUTCOME_REFUSED,
	                    .due_us = START_US,
	                    .end_us = START_US + 1,
	                    .status = status,
	                    .why = "server busy",
	                    .facts = &facts,
	                    .queue_ms = -1};

	facts_init(&facts);
	tally_begin(b->tally, 0, START_US);
	tally_end(b->tally, &o);
}

static void
play(struct bed *b)
{
	open_bed(b);
	end_one(b, 0, 50, 550, CACHE_MISS);
	end_one(b, 0, 90, 590, CACHE_MISS);
	end_one(b, 1, 150, 650, CACHE_MISS); /* its first token is too late for the slo */
	end_one(b, 1, 90, 2000, CACHE_MISS); /* its end is */
	end_one(b, 0, 1, 2, CACHE_HIT);
	refuse_one(b, 503);
	refuse_one(b, 503);
	refuse_one(b, 429);
}

static void
expect(const struct metrics *m, const char *name, double value)
{
	const struct metric *it = metrics_find(m, name);

	if (it == NULL || !it->known)
		fail_msg("no %s", name);
	else if (fabs(it->value - value) > 0.001 * fabs(value) + 1e-9)
		fail_msg("%s is %g, wanted %g", name, it->value, value);
}

static void
a_known_run_has_known_numbers(void **state)
{
	struct metrics m;
	struct bed b;

	play(&b);
	metrics_make(b.tally, &b.tally->all, &m);
	expect(&m, "duration", 2);
	expect(&m, "completed", 5);
	expect(&m, "failed", 3);
	expect(&m, "rejected", 3);
	expect(&m, "total_input_tokens", 500);
	expect(&m, "total_output_tokens", 55);
	expect(&m, "request_throughput", 2.5);
	expect(&m, "request_goodput", 1.5);
	expect(&m, "output_throughput", 27.5);
	expect(&m, "mean_ttft_ms", (50 + 90 + 150 + 90 + 1) / 5.0);
	expect(&m, "median_ttft_ms", 90);
	expect(&m, "max_e2el_ms", 2000);
	expect(&m, "mean_itl_ms", 5);
	/* From the first token to the end, over the tokens after the first. */
	expect(&m, "median_tpot_ms", 50);
	expect(&m, "queue_wait_ms", 20);
	/* What a hit repeats of the server's durations is not counted again. */
	expect(&m, "model_loads", 4);
	expect(&m, "load_wait_ms", 700);
	expect(&m, "eval_rate", 20);
	expect(&m, "prompt_eval_rate", 2000);
	expect(&m, "cache_hits", 1);
	close_bed(&b);
}

static void
models_and_keys_have_figures_of_their_own(void **state)
{
	struct metrics m;
	struct bed b;

	play(&b);
	assert_int_equal(b.tally->group_count, 4);
	assert_string_equal(b.tally->groups[1].name, "b");
	metrics_make(b.tally, &b.tally->groups[1].figures, &m);
	expect(&m, "completed", 2);
	expect(&m, "failed", 0);
	metrics_make(b.tally, &b.tally->groups[0].figures, &m);
	expect(&m, "failed", 3);
	/* A key is a secret. */
	assert_string_equal(b.tally->groups[3].kind, "key");
	assert_string_equal(b.tally->groups[3].name, "2");
	assert_int_equal(b.tally->groups[3].figures.whole, 5);
	close_bed(&b);
}

static cJSON *
parse_result(const struct bed *b, const struct comparison *other)
{
	struct buf out = {0};
	cJSON *json;

	result_add_json(&out, b->tally, "http://x", other);
	json = cJSON_Parse(buf_text(&out));
	assert_non_null(json);
	assert_null(strstr(buf_text(&out), "sk-"));
	buf_finish(&out);
	return json;
}

static double
number_at(const cJSON *json, const char *name)
{
	const cJSON *it = cJSON_GetObjectItemCaseSensitive(json, name);

	if (!cJSON_IsNumber(it))
		fail_msg("no %s", name);
	return it->valuedouble;
}

static void
the_json_has_the_names_of_vllm_and_counts_that_add_up(void **state)
{
	static const char *const names[] = {
	    "duration",
	    "completed",
	    "failed",
	    "total_input_tokens",
	    "total_output_tokens",
	    "request_throughput",
	    "request_goodput",
	    "output_throughput",
	    "mean_ttft_ms",
	    "median_ttft_ms",
	    "p95_ttft_ms",
	    "p99_ttft_ms",
	    "mean_tpot_ms",
	    "median_tpot_ms",
	    "p95_tpot_ms",
	    "p99_tpot_ms",
	    "mean_itl_ms",
	    "median_itl_ms",
	    "p95_itl_ms",
	    "p99_itl_ms",
	    "mean_e2el_ms",
	    "median_e2el_ms",
	    "p95_e2el_ms",
	    "p99_e2el_ms",
	    "rejected",
	    "queue_wait_ms",
	    "load_wait_ms",
	    "cache_hits",
	    "joined",
	    "model_loads",
	};
	const cJSON *it, *statuses;
	double sum = 0;
	struct bed b;
	cJSON *json;

	play(&b);
	json = parse_result(&b, NULL);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		number_at(json, names[i]);
	cJSON_ArrayForEach (it, cJSON_GetObjectItem(json, "e2el_histogram"))
		sum += number_at(it, "count");
	assert_true(sum == 5);
	statuses = cJSON_GetObjectItem(json, "rejected_by_status");
	assert_true(number_at(statuses, "503") == 2 && number_at(statuses, "429") == 1);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "errors")), 2);
	cJSON_Delete(json);
	close_bed(&b);
}

static void
what_was_not_measured_is_null_and_not_zero(void **state)
{
	struct bed b;
	cJSON *json;

	open_bed(&b);
	refuse_one(&b, 503);
	json = parse_result(&b, NULL);
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(json, "mean_ttft_ms")));
	assert_true(number_at(json, "request_throughput") == 0);
	cJSON_Delete(json);
	close_bed(&b);
}

static void
expect_step(int64_t from_ms, int64_t to_us, const char *text)
{
	struct buf out = {0};

	result_add_step(&out, from_ms * MS, to_us);
	assert_string_equal(buf_text(&out), text);
	buf_finish(&out);
}

static void
steps_of_the_distribution_are_named_as_people_do(void **state)
{
	expect_step(0, 100 * MS, "under 100 ms");
	expect_step(100, 500 * MS, "100-500 ms");
	expect_step(500, 1000 * MS, "0.5-1 s");
	expect_step(30000, 60000 * MS, "30-60 s");
	expect_step(60000, 300000 * MS, "1-5 min");
	expect_step(300000, INT64_MAX, "over 5 min");
	for (size_t i = 0; i < metrics_step_count; i++) {
		struct buf out = {0};

		result_add_step(&out, i == 0 ? 0 : metrics_steps_us[i - 1], metrics_steps_us[i]);
		assert_null(strstr(buf_text(&out), "null"));
		buf_finish(&out);
	}
}

static void
the_table_says_what_failed_and_why(void **state)
{
	struct buf out = {0};
	struct bed b;

	play(&b);
	result_add_table(&out, b.tally, "http://x", NULL);
	assert_non_null(
	    strstr(buf_text(&out), "8 in 2.00 s: 5 completed, 3 failed (3 of them refused)"));
	assert_non_null(strstr(buf_text(&out), "        2  refused, 503: server busy\n"));
	assert_non_null(strstr(buf_text(&out), "0.5-1 s"));
	assert_non_null(strstr(buf_text(&out), "model b"));
	assert_null(strstr(buf_text(&out), "sk-"));
	buf_finish(&out);
	close_bed(&b);
}

static void
write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void
an_earlier_run_is_compared_number_by_number(void **state)
{
	static const char path[] = "test_metrics.json";
	struct buf why = {0}, out = {0};
	struct comparison c;
	const cJSON *change;
	struct bed b;
	cJSON *json;

	/* As vllm bench serve writes it, among much else. */
	write_text(path, "{\"backend\": \"openai\", \"request_rate\": \"inf\", \"max_concurrency\": 8, "
	                 "\"completed\": 10, \"mean_ttft_ms\": 38.1, "
	                 "\"request_throughput\": 5, \"median_itl_ms\": null, \"ttfts\": [1, 2]}");
	play(&b);
	assert_true(comparison_read(&c, path, &b.plan, &why));
	remove(path);
	assert_string_equal(c.differs, "concurrency 8");
	json = parse_result(&b, &c);
	change = cJSON_GetObjectItem(cJSON_GetObjectItem(json, "compared_with"), "mean_ttft_ms");
	assert_true(fabs(number_at(change, "change_percent") - 100) < 0.1);
	result_add_table(&out, b.tally, "http://x", &c);
	assert_non_null(strstr(buf_text(&out), "+100.0 %  worse"));
	assert_non_null(strstr(buf_text(&out), "-50.0 %  worse"));
	cJSON_Delete(json);
	buf_finish(&out);
	close_bed(&b);
}

static void
a_file_that_is_no_result_is_refused(void **state)
{
	static const char path[] = "test_metrics.json";
	struct buf why = {0};
	struct comparison c;
	struct bed b;

	open_bed(&b);
	write_text(path, "[1]");
	assert_false(comparison_read(&c, path, &b.plan, &why));
	assert_non_null(strstr(buf_text(&why), "no result of drover-bench"));
	write_text(path, "{\"completed\": 1e999}");
	assert_false(comparison_read(&c, path, &b.plan, &why));
	remove(path);
	assert_false(comparison_read(&c, path, &b.plan, &why));
	buf_finish(&why);
	close_bed(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_known_run_has_known_numbers),
	    cmocka_unit_test(models_and_keys_have_figures_of_their_own),
	    cmocka_unit_test(the_json_has_the_names_of_vllm_and_counts_that_add_up),
	    cmocka_unit_test(what_was_not_measured_is_null_and_not_zero),
	    cmocka_unit_test(steps_of_the_distribution_are_named_as_people_do),
	    cmocka_unit_test(the_table_says_what_failed_and_why),
	    cmocka_unit_test(an_earlier_run_is_compared_number_by_number),
	    cmocka_unit_test(a_file_that_is_no_result_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
