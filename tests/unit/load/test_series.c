/* A run over time: slots widen without losing anything, samples are a fair choice. */
#include "series.h"

#include "base/mem.h"

#include "../check.h"

#include <stdlib.h>

static void
slots_widen_and_nothing_is_lost(void **state)
{
	struct series *s = NEW(struct series);
	int64_t sum = 0;

	series_init(s);
	for (int64_t second = 0; second < 86400; second += 7) {
		struct slot *slot = series_at(s, second * 1000000);

		slot->whole++;
		slot->most_running = second;
	}
	assert_true(s->slot_count <= SERIES_SLOTS && s->slot_count > SERIES_SLOTS / 4);
	for (size_t i = 0; i < SERIES_SLOTS; i++)
		sum += s->slots[i].whole;
	assert_int_equal(sum, 86400 / 7 + 1);
	assert_int_equal(s->slots[s->slot_count - 1].most_running, 86394);
	assert_int_equal(86394 * INT64_C(1000000) / s->slot_us, s->slot_count - 1);
	free(s);
}

static void
what_runs_through_a_slot_is_seen_in_it(void **state)
{
	struct series *s = NEW(struct series);

	series_init(s);
	series_at(s, 0)->most_running = s->running = 3;
	series_at(s, 950000);
	for (size_t i = 0; i < s->slot_count; i++)
		assert_int_equal(s->slots[i].most_running, 3);
	assert_int_equal(s->slot_count, 10);
	free(s);
}

static void
samples_are_all_of_few_and_an_even_choice_of_many(void **state)
{
	struct series *s = NEW(struct series);
	double sum = 0;

	series_init(s);
	for (int64_t i = 0; i < 100; i++)
		series_sample(s, &(struct sample){.at_us = i});
	assert_int_equal(s->sample_count, 100);
	assert_int_equal(s->samples[99].at_us, 99);
	for (int64_t i = 100; i < 300000; i++)
		series_sample(s, &(struct sample){.at_us = i});
	assert_int_equal(s->sample_count, SERIES_SAMPLES);
	for (size_t i = 0; i < SERIES_SAMPLES; i++)
		sum += (double)s->samples[i].at_us;
	/* The mean of an even choice; its deviation is 150,000 / sqrt(3 x 3,000). */
	assert_true(llabs((int64_t)(sum / SERIES_SAMPLES) - 150000) < 5 * 1582);
	free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(slots_widen_and_nothing_is_lost),
	    cmocka_unit_test(what_runs_through_a_slot_is_seen_in_it),
	    cmocka_unit_test(samples_are_all_of_few_and_an_even_choice_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
