#include "../check.h"

#include "near.h"

#include <string.h>

/* What is found among "queue", "queue.size", "listen", "url". */
static void
expect(const char *wrong, const char *found, size_t edits)
{
	struct near n = near_to(wrong);

	near_offer(&n, "queue");
	near_offer(&n, "queue.size");
	near_offer(&n, "listen");
	near_offer(&n, "url");
	assert_string_equal(n.found, found);
	if (found[0] != '\0')
		assert_int_equal(n.edits, edits);
}

static void
a_slip_of_the_finger_is_one_edit(void **state)
{
	expect("listen", "listen", 0);
	expect("listn", "listen", 1);
	expect("listeen", "listen", 1);
	expect("lisden", "listen", 1);
	expect("lisetn", "listen", 1);
	expect("urls", "url", 1);
}

static void
the_nearest_wins(void **state)
{
	struct near n = near_to("abcdef");

	near_offer(&n, "abcxyf");
	assert_string_equal(n.found, "abcxyf");
	near_offer(&n, "abcdxf");
	assert_string_equal(n.found, "abcdxf");
	/* As near as that one. */
	near_offer(&n, "abcdef1");
	assert_string_equal(n.found, "abcdxf");
}

static void
a_right_name_in_the_wrong_group_is_near(void **state)
{
	expect("size", "queue.size", 1);
	expect("retry.size", "queue.size", 1);
}

static void
what_is_far_is_not_named(void **state)
{
	expect("", "", 0);
	expect("x", "", 0);
	expect("something", "", 0);
	/* Half of a short name is not enough of it. */
	expect("uxx", "", 0);
}

static void
long_names_are_let_be(void **state)
{
	char wrong[200];
	struct near n;

	memset(wrong, 'a', sizeof(wrong) - 1);
	wrong[sizeof(wrong) - 1] = '\0';
	n = near_to(wrong);
	near_offer(&n, "a");
	assert_string_equal(n.found, "");
	n = near_to("a");
	near_offer(&n, wrong);
	assert_string_equal(n.found, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_slip_of_the_finger_is_one_edit),
	    cmocka_unit_test(the_nearest_wins),
	    cmocka_unit_test(a_right_name_in_the_wrong_group_is_near),
	    cmocka_unit_test(what_is_far_is_not_named),
	    cmocka_unit_test(long_names_are_let_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
