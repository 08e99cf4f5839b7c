/* Who calls. */
#include "../check.h"
#include "app/callers.h"
#include "base/mem.h"
#include "base/sha256.h"

#include <stdio.h>
#include <string.h>

static struct key_settings
key_of(const char *name, int64_t concurrent)
{
	struct sha256_hasher *hasher = sha256_hasher_create();
	char text[32];
	struct key_settings k = {.name = mem_strdup(name), .concurrent = concurrent};

	snprintf(text, sizeof(text), "key-%s", name);
	k.digest = sha256_of(hasher, str_of(text));
	sha256_hasher_destroy(&hasher);
	return k;
}

/* Keys of these one-letter names; "admin" is of the last. */
static struct config *
keys_config(const char *names, int64_t concurrent, bool admin)
{
	struct settings s = {.key_count = strlen(names)};
	struct buf why = {0};

	s.keys = mem_zalloc(s.key_count, sizeof(s.keys[0]));
	for (size_t i = 0; i < s.key_count; i++)
		s.keys[i] = key_of((char[]){names[i], '\0'}, concurrent);
	if (admin)
		s.keys[s.key_count - 1].admin = true;
	return config_create(&s, &why);
}

/* The callers hold what they need of it. */
static struct callers *
open_with(struct config *config)
{
	struct callers *c = callers_create(config, 0);

	config_release(&config);
	return c;
}

static void
apply(struct callers *c, struct config *config)
{
	callers_apply(c, config, 0);
	config_release(&config);
}

static struct callers *
open_keys(void)
{
	return open_with(keys_config("abc", 0, false));
}

static struct config *
addresses_config(int64_t requests_per_minute)
{
	struct settings s = {.anonymous = {.requests_per_minute = requests_per_minute, .burst = 1}};
	struct buf why = {0};

	return config_create(&s, &why);
}

static struct callers *
open_addresses(int64_t requests_per_minute)
{
	return open_with(addresses_config(requests_per_minute));
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

		assert_string_equal(callers_find_key(c, str_of(key))->key->name,
		                    ((char[]){(char)('a' + i), '\0'}));
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
	apply(c, keys_config("abc", 0, true));
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

static struct caller *
find(struct callers *c, const char *key)
{
	return callers_find_key(c, str_of(key));
}

static void
a_key_stays_the_same_caller_over_a_reload(void **state)
{
	struct callers *c = open_keys();
	struct caller *b = find(c, "key-b");

	apply(c, keys_config("xcb", 7, false));
	assert_ptr_equal(find(c, "key-b"), b);
	assert_int_equal(b->key->concurrent, 7);
	assert_int_equal(limit_conf_of(b->limit)->concurrent, 7);
	assert_null(find(c, "key-a"));
	assert_non_null(find(c, "key-x"));
	callers_destroy(&c);
}

static void
who_is_inside_counts_over_a_reload(void **state)
{
	struct callers *c = open_keys();
	struct caller *a = find(c, "key-a");
	struct limit_stay one = {0}, two = {0};
	int64_t retry_ms;

	callers_hold(c, a);
	assert_int_equal(limit_enter(a->limit, &one, 0, 0, 0, &retry_ms), LIMIT_FREE);
	apply(c, keys_config("abc", 1, false));
	assert_int_equal(limit_enter(a->limit, &two, 0, 0, 0, &retry_ms), LIMIT_CONCURRENT);
	limit_leave(a->limit, &one, 0);
	assert_int_equal(limit_enter(a->limit, &two, 0, 0, 0, &retry_ms), LIMIT_FREE);
	limit_leave(a->limit, &two, 0);
	callers_release(c, &a);
	callers_destroy(&c);
}

static void
a_removed_key_opens_nothing_and_lives_until_its_requests_end(void **state)
{
	struct callers *c = open_keys();
	struct caller *a = find(c, "key-a");

	callers_hold(c, a);
	apply(c, keys_config("bc", 0, false));
	apply(c, keys_config("b", 0, false));
	assert_null(find(c, "key-a"));
	assert_string_equal(a->key->name, "a");
	callers_release(c, &a);
	callers_destroy(&c);
}

static void
a_key_that_comes_back_is_who_it_was(void **state)
{
	struct callers *c = open_keys();
	struct caller *a = find(c, "key-a"), *held = a;

	callers_hold(c, a);
	apply(c, keys_config("b", 0, false));
	apply(c, keys_config("ab", 0, false));
	assert_ptr_equal(find(c, "key-a"), a);
	callers_release(c, &held);
	assert_ptr_equal(find(c, "key-a"), a);
	callers_destroy(&c);
}

static void
limits_of_addresses_change_and_what_was_used_stays(void **state)
{
	struct callers *c = open_addresses(1);

	use_up(c, caller_of(c, 1));
	apply(c, addresses_config(60));
	assert_int_equal(limit_requests(caller_of(c, 1)->limit, 0).left, 0);
	assert_int_equal(limit_requests(caller_of(c, 1)->limit, 1000).left, 1);
	apply(c, keys_config("a", 0, false));
	assert_true(callers_have_keys(c));
	apply(c, addresses_config(0));
	assert_false(callers_have_keys(c));
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
	    cmocka_unit_test(a_key_stays_the_same_caller_over_a_reload),
	    cmocka_unit_test(who_is_inside_counts_over_a_reload),
	    cmocka_unit_test(a_removed_key_opens_nothing_and_lives_until_its_requests_end),
	    cmocka_unit_test(a_key_that_comes_back_is_who_it_was),
	    cmocka_unit_test(limits_of_addresses_change_and_what_was_used_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
