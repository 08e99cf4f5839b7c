#include "../check.h"

#include "base/mem.h"
#include "proto/cache_memo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cache_key
key_of(unsigned char first)
{
	return (struct cache_key){.digest.bytes = {first}, .deterministic = first % 2 == 1};
}

static bool
is_new(struct cache_memo *m, const char *about, const char *body)
{
	struct cache_key key;

	return !cache_memo_find(m, str_of(about), str_of(body), &key);
}

static void
put(struct cache_memo *m, const char *about, const char *body, unsigned char first)
{
	struct cache_key key = key_of(first);

	assert_true(is_new(m, about, body));
	cache_memo_put(m, &key);
}

static bool
knows(struct cache_memo *m, const char *about, const char *body, unsigned char first)
{
	struct cache_key want = key_of(first), key;

	if (!cache_memo_find(m, str_of(about), str_of(body), &key))
		return false;
	assert_memory_equal(&key.digest, &want.digest, sizeof(key.digest));
	assert_int_equal(key.deterministic, want.deterministic);
	return true;
}

static void
knows_the_very_request_alone(void **state)
{
	struct cache_memo *m = cache_memo_create();

	assert_true(is_new(m, "", ""));
	put(m, "chat", "{\"a\":1}", 1);
	assert_true(knows(m, "chat", "{\"a\":1}", 1));
	assert_true(is_new(m, "chat", "{\"a\":2}"));
	assert_true(is_new(m, "chat", "{\"a\": 1}"));
	assert_true(is_new(m, "chas", "{\"a\":1}"));
	put(m, "chas", "{\"a\":1}", 2);
	assert_true(knows(m, "chat", "{\"a\":1}", 1));
	assert_true(knows(m, "chas", "{\"a\":1}", 2));
	cache_memo_destroy(&m);
	assert_null(m);
}

static void
bytes_behind_a_nul_count(void **state)
{
	struct cache_memo *m = cache_memo_create();
	struct cache_key key = key_of(1), found;
	struct str one = {"a\0b", 3}, other = {"a\0c", 3};

	assert_false(cache_memo_find(m, str_of("x"), one, &found));
	cache_memo_put(m, &key);
	assert_true(cache_memo_find(m, str_of("x"), one, &found));
	assert_false(cache_memo_find(m, str_of("x"), other, &found));
	cache_memo_destroy(&m);
}

static void
what_is_long_is_not_kept(void **state)
{
	enum { MOST = 64 * 1024 };
	struct cache_memo *m = cache_memo_create();
	char *body = mem_zalloc(1, MOST + 2);

	memset(body, 'x', MOST + 1);
	put(m, "", body, 1);
	assert_true(is_new(m, "", body));
	body[MOST] = '\0';
	put(m, "", body, 1);
	assert_true(knows(m, "", body, 1));
	assert_true(is_new(m, "y", body));
	free(body);
	cache_memo_destroy(&m);
}

static void
of_many_the_newest_are_known(void **state)
{
	enum { MANY = 40000, PLACES = 32768 };
	struct cache_memo *m = cache_memo_create();
	char body[16];
	int known = 0;

	for (int i = 0; i < MANY; i++) {
		snprintf(body, sizeof(body), "%d", i);
		put(m, "about", body, (unsigned char)i);
		assert_true(knows(m, "about", body, (unsigned char)i));
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(body, sizeof(body), "%d", i);
		known += knows(m, "about", body, (unsigned char)i);
	}
	assert_in_range(known, PLACES / 2, PLACES);
	cache_memo_destroy(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(knows_the_very_request_alone),
	    cmocka_unit_test(bytes_behind_a_nul_count),
	    cmocka_unit_test(what_is_long_is_not_kept),
	    cmocka_unit_test(of_many_the_newest_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
