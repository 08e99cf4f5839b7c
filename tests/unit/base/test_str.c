#include "../check.h"

#include "base/str.h"

static void
splits_and_trims(void **state)
{
	struct str rest = str_of("a, b\t,,c"), part;
	const char *want[] = {"a", "b", "", "c"};
	int n = 0;

	while (str_split(&rest, ',', &part))
		assert_true(str_eq(str_trim(part), want[n++]));
	assert_int_equal(n, 4);
	assert_true(str_list_has(str_of("keep-alive , Close"), "close"));
	assert_false(str_list_has(str_of("enclose"), "close"));
}

static void
numbers_are_digits_only(void **state)
{
	uint64_t n;

	assert_true(str_to_u64(str_of("000123456789012345"), &n));
	assert_int_equal(n, 123456789012345);
	assert_false(str_to_u64(str_of(""), &n));
	assert_false(str_to_u64(str_of("+1"), &n));
	assert_false(str_to_u64(str_of("1 "), &n));
	assert_false(str_to_u64(str_of("1234567890123456789"), &n));
}

static void
globs_match_as_people_expect(void **state)
{
	assert_true(str_glob("qwen2.5:*", "Qwen2.5:72b"));
	assert_true(str_glob("*", ""));
	assert_true(str_glob("a*b*c", "aXXbXbYc"));
	assert_true(str_glob("a?c", "abc"));
	assert_false(str_glob("a?c", "ac"));
	assert_false(str_glob("qwen2.5:*", "qwen2:72b"));
	assert_false(str_glob("", "a"));
}

static void
a_hash_keeps_texts_and_their_parts_apart(void **state)
{
	uint64_t ab = str_hash(str_of("ab"), 0), none = str_hash(str_of(""), 0);

	assert_true(ab == str_hash((struct str){"abc", 2}, 0));
	assert_true(ab != str_hash(str_of("ba"), 0));
	assert_true(str_hash(str_of("c"), ab) != str_hash(str_of("bc"), str_hash(str_of("a"), 0)));
	assert_true(str_hash(str_of("12345678a"), 0) != str_hash(str_of("12345678b"), 0));
	assert_true(str_hash(str_of("a1234567"), 0) != str_hash(str_of("b1234567"), 0));
	assert_true(str_hash((struct str){"\0", 1}, 0) != none);
	assert_true(none != 0 && none != str_hash(str_of(""), ab));
}

static void
utf8_is_strict(void **state)
{
	assert_int_equal(str_utf8_len("a", 1), 1);
	assert_int_equal(str_utf8_len("\xc3\xa9", 2), 2);
	assert_int_equal(str_utf8_len("\xe2\x82\xac", 3), 3);
	assert_int_equal(str_utf8_len("\xf0\x9f\x98\x80", 4), 4);
	assert_int_equal(str_utf8_len("\xc0\x80", 2), 0);
	assert_int_equal(str_utf8_len("\xed\xa0\x80", 3), 0);
	assert_int_equal(str_utf8_len("\xf4\x90\x80\x80", 4), 0);
	assert_int_equal(str_utf8_len("\xe2\x82", 2), 0);
}

static void
globs_without_a_tag_mean_the_latest(void **state)
{
	assert_true(str_glob_model("llama3", "llama3:latest"));
	assert_true(str_glob_model("llama3:*", "llama3:latest"));
	assert_true(str_glob_model("*", "llama3:8b"));
	assert_false(str_glob_model("llama3", "llama3:8b"));
	assert_false(str_glob_model("llama3", "latest"));
	assert_false(str_glob_model("", ":latest:8b"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(splits_and_trims),
	    cmocka_unit_test(numbers_are_digits_only),
	    cmocka_unit_test(globs_match_as_people_expect),
	    cmocka_unit_test(a_hash_keeps_texts_and_their_parts_apart),
	    cmocka_unit_test(utf8_is_strict),
	    cmocka_unit_test(globs_without_a_tag_mean_the_latest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
