/* Weighted choices. */
#include "mix.h"

#include "../check.h"

#include <math.h>
#include <stdlib.h>

static void
a_number_after_the_last_equals_sign_is_a_weight(void **state)
{
	struct mix m = {0};

	assert_true(mix_add(&m, "llama3.2:3b"));
	assert_true(mix_add(&m, "qwen2.5:7b=2.5"));
	assert_true(mix_add(&m, "c2VjcmV0=="));
	assert_true(mix_add(&m, "a=b=3"));
	assert_true(mix_add(&m, "x=-1"));
	assert_true(mix_add(&m, "x=0"));
	assert_false(mix_add(&m, ""));
	assert_false(mix_add(&m, "=2"));
	assert_int_equal(m.count, 6);
	assert_string_equal(m.texts[1], "qwen2.5:7b");
	assert_true(m.weights[0] == 1 && m.weights[1] == 2.5);
	assert_string_equal(m.texts[2], "c2VjcmV0==");
	assert_string_equal(m.texts[3], "a=b");
	assert_string_equal(m.texts[4], "x=-1");
	assert_string_equal(m.texts[5], "x=0");
	assert_int_equal(mix_find(&m, "a=b", 3), 3);
	assert_int_equal(mix_find(&m, "a", 1), -1);
	mix_finish(&m);
}

static void
choices_come_by_weight_and_an_empty_mix_chooses_nothing(void **state)
{
	struct mix m = {0}, none = {0};
	int count[2] = {0};
	struct rng rng;

	rng_init(&rng, 1, 0);
	mix_add(&m, "a=3");
	mix_add(&m, "b=1");
	for (int i = 0; i < 10000; i++)
		count[mix_choose(&m, &rng)]++;
	assert_true(abs(count[0] - 7500) < 200);
	assert_int_equal(mix_choose(&none, &rng), 0);
	mix_finish(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_number_after_the_last_equals_sign_is_a_weight),
	    cmocka_unit_test(choices_come_by_weight_and_an_empty_mix_chooses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
