#include "../check.h"

#include "base/fingerprint.h"

#include <string.h>

static bool
are_equal(struct fingerprint a, struct fingerprint b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static struct fingerprint
of(struct fingerprinter *f, const char *a, const char *b)
{
	return fingerprint_of(f, str_of(a), str_of(b));
}

static void
equal_texts_have_one_and_others_have_others(void **state)
{
	struct fingerprinter *f = fingerprinter_create();
	struct str nul = {"a\0b", 3}, other = {"a\0c", 3}, none = {"", 0};

	assert_true(are_equal(of(f, "ab", "cd"), of(f, "ab", "cd")));
	assert_true(are_equal(of(f, "ab", "cd"), of(f, "abc", "d")));
	assert_true(are_equal(of(f, "", ""), of(f, "", "")));
	assert_false(are_equal(of(f, "ab", "cd"), of(f, "ab", "ce")));
	assert_false(are_equal(of(f, "ab", "cd"), of(f, "ac", "cd")));
	assert_false(are_equal(of(f, "ab", ""), of(f, "", "")));
	assert_false(are_equal(fingerprint_of(f, nul, none), fingerprint_of(f, other, none)));
	fingerprinter_destroy(&f);
	assert_null(f);
}

static void
each_maker_has_its_own(void **state)
{
	struct fingerprinter *f = fingerprinter_create(), *g = fingerprinter_create();

	assert_false(are_equal(of(f, "ab", "cd"), of(g, "ab", "cd")));
	fingerprinter_destroy(&f);
	fingerprinter_destroy(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equal_texts_have_one_and_others_have_others),
	    cmocka_unit_test(each_maker_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
