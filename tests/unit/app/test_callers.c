/* Who calls. */
#include "../check.h"
#include "app/callers.h"
#include "base/sha256.h"

#include <stdio.h>
#include <string.h>

static struct key_settings keys[3];

static void
set_key(int i, char *name, const char *key)
{
	struct sha256_hasher *hasher = sha256_hasher_create();

	keys[i] = (struct key_settings){.name = name, .digest = sha256_of(hasher, str_of(key))};
	sha256_hasher_destroy(&hasher);
}

static struct callers *
open_keys(void)
{
	struct settings s = {.keys = keys, .key_count = 3};

	set_key(0, (char[]){"a"}, "key-a");
	set_key(1, (char[]){"b"}, "key-b");
	set_key(2, (char[]){"c"}, "key-c");
	return callers_create(&s, 0);
}

static struct callers *
open_addresses(int64_t requests_per_minute)
{
	struct settings s = {.anonymous = {.requests_per_minute = requests_per_minute, .burst = 1}};

	return callers_create(&s, 0);
}

static struct caller *
caller_of(struct callers *c, uint32_t n)
{
	char text[32];
	struct net net;

	snprintf(text, sizeof(text), "10.%u.%u.%u", n >> 16 & 0xff, n >> 8 & 0xff, n & 0xff);
	assert_true(net_parse_address(str_of(text), &net));
	return callers_of_address(c, &net, 0);
}

static void
each_key_is_found_and_no_other(void **state)
{
	static const char *const unknown[] = {"", "key-", "key-a ", "KEY-A", "key-d", "a"};
	struct callers *c = open_keys();

	assert_true(callers_have_keys(c));
	for (int i = 0; i < 3; i++) {
		char key[] = {'k', 'e', 'y', '-', (char)('a' + i), '\0'};

		assert_ptr_equal(callers_find_key(c, str_of(key))->key, &keys[i]);
	}
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_null(callers_find_key(c, str_of(unknown[i])));
	callers_destroy(&c);
}

static void
an_administrator_is_known(void **state)
{
	struct callers *c = open_keys();

	assert_false(callers_have_admin(c));
	keys[2].admin = true;
	assert_true(callers_have_admin(c));
	callers_destroy(&c);
}

static void
an_address_is_the_same_caller_each_time(void **state)
{
	struct callers *c = open_addresses(0);

	assert_false(callers_have_keys(c));
	assert_ptr_equal(caller_of(c, 1), caller_of(c, 1));
	assert_ptr_not_equal(caller_of(c, 1), caller_of(c, 2));
	assert_string_equal(caller_of(c, 1)->name, "10.0.0.1");
	assert_string_equal(callers_of_address(c, NULL, 0)->name, "unix");
	callers_destroy(&c);
}

static void
use_up(struct callers *c, struct caller *who)
{
	struct limit_stay stay = {0};
	int64_t retry_ms;

	callers_hold(c, who);
	assert_int_equal(limit_enter(who->limit, &stay, 0, 0, 0, &retry_ms), LIMIT_FREE);
	limit_leave(who->limit, &stay, 0);
	callers_release(c, &who);
	assert_null(who);
}

static void
what_an_address_used_is_remembered_until_many_others_came(void **state)
{
	struct callers *c = open_addresses(1);

	use_up(c, caller_of(c, 1));
	for (uint32_t n = 2; n < 4000; n++)
		use_up(c, caller_of(c, n));
	assert_false(limit_is_fresh(caller_of(c, 1)->limit, 0));
	for (uint32_t n = 4000; n < 9000; n++)
		use_up(c, caller_of(c, n));
	assert_true(limit_is_fresh(caller_of(c, 1)->limit, 0));
	callers_destroy(&c);
}

static void
who_has_a_request_is_not_forgotten(void **state)
{
	struct callers *c = open_addresses(1);
	struct caller *who = caller_of(c, 1);

	use_up(c, who);
	callers_hold(c, who);
	for (uint32_t n = 2; n < 9000; n++)
		use_up(c, caller_of(c, n));
	assert_ptr_equal(caller_of(c, 1), who);
	assert_false(limit_is_fresh(who->limit, 0));
	callers_release(c, &who);
	callers_destroy(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_key_is_found_and_no_other),
	    cmocka_unit_test(an_administrator_is_known),
	    cmocka_unit_test(an_address_is_the_same_caller_each_time),
	    cmocka_unit_test(what_an_address_used_is_remembered_until_many_others_came),
	    cmocka_unit_test(who_has_a_request_is_not_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
