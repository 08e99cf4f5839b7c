#include "../check.h"

#include "app/load_notes.h"

static void
nothing_is_known_of_a_model_that_was_never_loaded(void **state)
{
	struct load_notes n = {0};

	assert_false(load_notes_embeds(&n, "a"));
	assert_null(load_notes_find_failure(&n, "a"));
	load_notes_finish(&n);
}

static void
the_last_failure_is_told_until_a_load_succeeds(void **state)
{
	struct load_notes n = {0};

	load_notes_saw_failure(&n, "a", 500, "no memory");
	load_notes_saw_failure(&n, "a", 404, "gone");
	assert_int_equal(load_notes_find_failure(&n, "a")->status, 404);
	assert_string_equal(load_notes_find_failure(&n, "a")->message, "gone");
	assert_null(load_notes_find_failure(&n, "b"));
	load_notes_saw_success(&n, "a", false);
	assert_null(load_notes_find_failure(&n, "a"));
	load_notes_finish(&n);
}

static void
a_model_that_cannot_generate_is_remembered_through_failures(void **state)
{
	struct load_notes n = {0};

	load_notes_saw_success(&n, "a", true);
	load_notes_saw_failure(&n, "a", 500, "no memory");
	assert_true(load_notes_embeds(&n, "a"));
	load_notes_saw_success(&n, "a", false);
	assert_false(load_notes_embeds(&n, "a"));
	load_notes_finish(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_known_of_a_model_that_was_never_loaded),
	    cmocka_unit_test(the_last_failure_is_told_until_a_load_succeeds),
	    cmocka_unit_test(a_model_that_cannot_generate_is_remembered_through_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
