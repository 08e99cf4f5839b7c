#include "../check.h"

#include "app/origin.h"

static char gpu[] = "gpu.example.org", lab[] = "*.lab", star[] = "*";
static char local[] = "http://localhost", local_port[] = "http://localhost:*", app[] = "app://*";

static char *no_items[] = {NULL};
static char *hosts[] = {gpu, lab};
static char *origins[] = {local, local_port, app};
static char *any[] = {star};

static bool
host_ok(char **items, size_t count, bool loopback, const char *host)
{
	struct text_list list = {items, count};
	struct host_rule rule = {&list, loopback};

	return host_is_allowed(&rule, str_of(host));
}

static void
on_loopback_only_local_names_are_hosts(void **state)
{
	const char *const good[] = {
	    "localhost",   "localhost:8080", "127.0.0.1:8080", "[::1]:8080",     "10.1.2.3:80",
	    "172.16.0.1",  "192.168.1.1",    "box.local",      "a.b.internal:1", "",
	    "0.0.0.0:8080"};
	const char *const bad[] = {"evil.example", "evil.example:8080",      "8.8.8.8",
	                           "172.32.0.1",   "localhost.evil.example", "[2001:db8::1]:80",
	                           "[::1"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(host_ok(no_items, 0, true, good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(host_ok(no_items, 0, true, bad[i]));
}

static void
loopback_has_few_names(void **state)
{
	const char *const good[] = {
	    "localhost", "LOCALHOST:8081", "127.0.0.1:8081", "127.1.2.3", "[::1]:8081", "[::1]", ""};
	const char *const bad[] = {"box.local",          "a.localhost",       "127.0.0.1.example:80",
	                           "10.0.0.1",           "0.0.0.0:8081",      "[::]:8081",
	                           "[::ffff:127.0.0.1]", "localhost.example", "evil.example"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(host_is_loopback(str_of(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(host_is_loopback(str_of(bad[i])));
}

static void
elsewhere_any_host_will_do(void **state)
{
	assert_true(host_ok(no_items, 0, false, "evil.example"));
}

static void
configured_hosts_are_the_only_ones(void **state)
{
	assert_true(host_ok(hosts, 2, true, "gpu.example.org:8080"));
	assert_true(host_ok(hosts, 2, false, "one.lab"));
	assert_false(host_ok(hosts, 2, true, "localhost"));
	assert_false(host_ok(hosts, 2, false, "evil.example"));
}

static void
origins_are_the_listed_ones_and_the_own(void **state)
{
	struct text_list list = {origins, 3};
	struct origin_rule rule = {&list};

	assert_true(origin_is_allowed(&rule, str_of("http://localhost:3000"), str_of("x")));
	assert_true(origin_is_allowed(&rule, str_of("app://obsidian.md"), str_of("x")));
	assert_true(origin_is_allowed(&rule, str_of("https://gpu:1"), str_of("gpu:1")));
	assert_false(origin_is_allowed(&rule, str_of("http://evil.example"), str_of("x")));
	assert_false(origin_is_allowed(&rule, str_of("null"), str_of("x")));
	assert_false(origin_any_allowed(&rule));
}

static void
a_star_allows_any_origin(void **state)
{
	struct text_list list = {any, 1};
	struct origin_rule rule = {&list};

	assert_true(origin_is_allowed(&rule, str_of("http://evil.example"), str_of("x")));
	assert_true(origin_any_allowed(&rule));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(on_loopback_only_local_names_are_hosts),
	    cmocka_unit_test(loopback_has_few_names),
	    cmocka_unit_test(elsewhere_any_host_will_do),
	    cmocka_unit_test(configured_hosts_are_the_only_ones),
	    cmocka_unit_test(origins_are_the_listed_ones_and_the_own),
	    cmocka_unit_test(a_star_allows_any_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
