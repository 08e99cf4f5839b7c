/* proto/cache_hint */
#include "../check.h"

#include "proto/cache_hint.h"

#include <stdio.h>

static bool
may_repeat(const char *body)
{
	return cache_hint_may_repeat(ANSWER_CHAT, str_of(body));
}

static void
a_seed_or_the_temperature_0_is_found_wherever_it_stands(void **state)
{
	assert_true(may_repeat("{\"seed\":7}"));
	assert_true(may_repeat("{\"options\" : { \"Seed\" \n:\t1}}"));
	assert_true(may_repeat("{\"temperature\":0}"));
	assert_true(may_repeat("{\"temperature\": 0.0, \"x\":1}"));
	assert_true(may_repeat("{\"TEMPERATURE\":-0}"));
	assert_true(may_repeat("{\"temperature\":0e9}"));
	assert_true(may_repeat("{\"temperature\":1,\"options\":{\"temperature\":0}}"));
}

static void
a_seed_is_found_at_every_place(void **state)
{
	char body[128];

	for (int before = 0; before < 40; before++)
		for (int after = 0; after < 40; after++) {
			snprintf(body, sizeof(body), "{\"%*s\":\"\",\"seed\":1%*s}", before, "t", after, "");
			assert_true(may_repeat(body));
			snprintf(body, sizeof(body), "{\"%*s\":\"\",\"send\":1%*s}", before, "t", after, "");
			assert_false(may_repeat(body));
		}
}

static void
other_temperatures_are_not(void **state)
{
	assert_false(may_repeat("{\"temperature\":0.7}"));
	assert_false(may_repeat("{\"temperature\":1}"));
	assert_false(may_repeat("{\"temperature\":0.001}"));
	assert_false(may_repeat("{\"temperature\":null}"));
	assert_false(may_repeat("{\"temperatures\":0}"));
	assert_false(may_repeat("{}"));
	assert_false(may_repeat(""));
}

static void
words_of_a_prompt_are_no_keys(void **state)
{
	assert_false(may_repeat("{\"prompt\":\"seed: 7, temperature: 0\"}"));
	assert_false(may_repeat("{\"prompt\":\"seed\"}"));
}

static void
a_body_that_breaks_off_is_read_to_its_end(void **state)
{
	static const char body[] = "{\"temperature\":0}";

	for (size_t len = 0; len < sizeof(body) - 2; len++)
		assert_false(cache_hint_may_repeat(ANSWER_CHAT, (struct str){body, len}));
	assert_false(may_repeat("{\"seed\":"));
	assert_false(may_repeat("{\"seed\""));
	assert_false(may_repeat("\""));
}

static void
embeddings_always_repeat(void **state)
{
	assert_true(cache_hint_may_repeat(ANSWER_EMBED, str_of("{}")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_seed_or_the_temperature_0_is_found_wherever_it_stands),
	    cmocka_unit_test(a_seed_is_found_at_every_place),
	    cmocka_unit_test(other_temperatures_are_not),
	    cmocka_unit_test(words_of_a_prompt_are_no_keys),
	    cmocka_unit_test(a_body_that_breaks_off_is_read_to_its_end),
	    cmocka_unit_test(embeddings_always_repeat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
