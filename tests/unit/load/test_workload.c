/* The requests of a run: when they are due, and what they ask. */
#include "workload.h"

#include "../check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 20000 };

static char no_options[] = "";

static struct plan
make_plan(void)
{
	struct plan p = {
	    .seed = 1, .trace_speed = 1, .stream = true, .prompt_tokens = 8, .options = no_options};

	p.api = api_find("generate");
	return p;
}

static struct workload *
must_create(const struct plan *p)
{
	struct buf why = {0};
	struct workload *w = workload_create(p, &why);

	if (w == NULL)
		fail_msg("%s", buf_text(&why));
	return w;
}

static void
a_constant_rate_does_not_drift(void **state)
{
	struct plan p = make_plan();
	struct workload *w;
	struct buf body = {0};
	struct shot s;

	mix_add(&p.models, "m");
	p.rate = 3;
	p.arrival = ARRIVAL_CONSTANT;
	w = must_create(&p);
	for (int64_t i = 0; i < 3000; i++) {
		buf_clear(&body);
		assert_true(workload_next(w, &s, &body));
		assert_true(llabs(s.due_us - i * 1000000 / 3) <= 1);
	}
	workload_destroy(&w);
	buf_finish(&body);
	mix_finish(&p.models);
}

static void
poisson_arrivals_have_the_rate_and_its_spread(void **state)
{
	struct plan p = make_plan();
	double squares = 0, mean;
	struct workload *w;
	struct buf body = {0};
	int64_t before = 0;
	struct shot s;

	mix_add(&p.models, "m");
	p.rate = 100;
	w = must_create(&p);
	for (int i = 0; i < MANY; i++) {
		double gap_s;

		buf_clear(&body);
		assert_true(workload_next(w, &s, &body));
		gap_s = (double)(s.due_us - before) / 1e6;
		squares += gap_s * gap_s;
		before = s.due_us;
	}
	mean = (double)before / 1e6 / MANY;
	assert_true(fabs(mean - 0.01) < 0.0003);
	/* Of exponential gaps the deviation is the mean. */
	assert_true(fabs(sqrt(squares / MANY - mean * mean) - 0.01) < 0.0005);
	workload_destroy(&w);
	buf_finish(&body);
	mix_finish(&p.models);
}

static void
it_ends_with_its_count_or_its_time(void **state)
{
	struct plan p = make_plan();
	struct workload *w;
	struct buf body = {0};
	struct shot s;
	int count = 0;

	mix_add(&p.models, "m");
	p.requests = 3;
	w = must_create(&p);
	assert_int_equal(workload_count(w), 3);
	for (int i = 0; i < 3; i++)
		assert_true(workload_next(w, &s, &body));
	assert_int_equal(s.due_us, -1);
	assert_false(workload_next(w, &s, &body));
	workload_destroy(&w);
	p.requests = 0;
	p.rate = 10;
	p.arrival = ARRIVAL_CONSTANT;
	p.duration_ms = 2000;
	w = must_create(&p);
	assert_int_equal(workload_count(w), -1);
	while (workload_next(w, &s, &body))
		count++;
	assert_int_equal(count, 20);
	workload_destroy(&w);
	buf_finish(&body);
	mix_finish(&p.models);
}

static void
made_up_prompts_differ_and_a_seed_repeats_them(void **state)
{
	struct plan p = make_plan();
	struct workload *w, *again;
	struct buf first = {0}, second = {0}, warm = {0}, repeated = {0};
	struct shot s;

	mix_add(&p.models, "m");
	w = must_create(&p);
	again = must_create(&p);
	workload_warm(w, 0, &s, &warm);
	workload_next(w, &s, &first);
	workload_next(w, &s, &second);
	workload_next(again, &s, &repeated);
	assert_string_not_equal(buf_text(&first), buf_text(&second));
	assert_string_not_equal(buf_text(&first), buf_text(&warm));
	assert_string_equal(buf_text(&first), buf_text(&repeated));
	workload_destroy(&w);
	workload_destroy(&again);
	buf_finish(&first);
	buf_finish(&second);
	buf_finish(&warm);
	buf_finish(&repeated);
	mix_finish(&p.models);
}

/* The words of a prompt: what is between the quotes after "prompt". */
static size_t
count_words(const struct buf *body)
{
	const char *at = strstr(buf_text(body), "\"prompt\":\"");
	size_t words = 1;

	assert_non_null(at);
	for (at += strlen("\"prompt\":\""); *at != '"'; at++)
		words += *at == ' ';
	return words;
}

static void
a_mooncake_trace_has_its_times_lengths_and_common_beginnings(void **state)
{
	static const int64_t due_ms[] = {0, 1500, 13500, 15000, 30500};
	struct plan p = make_plan();
	struct buf bodies[5] = {{0}};
	struct workload *w;
	struct shot s;
	size_t same = 0;

	mix_add(&p.models, "m");
	p.trace = TRACES "/mooncake.jsonl";
	p.trace_speed = 2;
	w = must_create(&p);
	for (int i = 0; i < 5; i++) {
		assert_true(workload_next(w, &s, &bodies[i]));
		assert_int_equal(s.due_us, due_ms[i] * 1000);
	}
	assert_false(workload_next(w, &s, &bodies[0]));
	assert_int_equal(count_words(&bodies[0]), 2100);
	assert_non_null(strstr(buf_text(&bodies[0]), "\"num_predict\":120"));
	/* The third goes on where the first ended: four whole blocks of 512. */
	while (bodies[0].data[same] == bodies[2].data[same])
		same++;
	assert_true(same > 4 * 512 * 4);
	same = 0;
	while (bodies[0].data[same] == bodies[3].data[same])
		same++;
	assert_true(same < 100);
	for (int i = 0; i < 5; i++)
		buf_finish(&bodies[i]);
	workload_destroy(&w);
	mix_finish(&p.models);
}

static void
a_burstgpt_trace_gives_each_of_its_models_one_of_the_mix(void **state)
{
	static const size_t models[] = {0, 0, 1, 1};
	struct plan p = make_plan();
	struct workload *w;
	struct buf body = {0};
	struct shot s;

	mix_add(&p.models, "a");
	mix_add(&p.models, "b");
	p.trace = TRACES "/burstgpt.csv";
	w = must_create(&p);
	assert_int_equal(workload_count(w), 4);
	for (int i = 0; i < 4; i++) {
		buf_clear(&body);
		assert_true(workload_next(w, &s, &body));
		assert_int_equal(s.model, models[i]);
	}
	assert_int_equal(s.due_us, 125 * 1000000);
	workload_destroy(&w);
	buf_finish(&body);
	mix_finish(&p.models);
}

static void
a_warm_up_takes_the_models_in_turn(void **state)
{
	struct plan p = make_plan();
	struct workload *w;
	struct buf body = {0};
	struct shot s;

	mix_add(&p.models, "a=100");
	mix_add(&p.models, "b=1");
	w = must_create(&p);
	for (size_t i = 0; i < 4; i++) {
		workload_warm(w, (int64_t)i, &s, &body);
		assert_int_equal(s.model, i % 2);
	}
	workload_destroy(&w);
	buf_finish(&body);
	mix_finish(&p.models);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_constant_rate_does_not_drift),
	    cmocka_unit_test(poisson_arrivals_have_the_rate_and_its_spread),
	    cmocka_unit_test(it_ends_with_its_count_or_its_time),
	    cmocka_unit_test(made_up_prompts_differ_and_a_seed_repeats_them),
	    cmocka_unit_test(a_mooncake_trace_has_its_times_lengths_and_common_beginnings),
	    cmocka_unit_test(a_burstgpt_trace_gives_each_of_its_models_one_of_the_mix),
	    cmocka_unit_test(a_warm_up_takes_the_models_in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
