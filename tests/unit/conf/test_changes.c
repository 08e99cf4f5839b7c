/* What a reload says about two configurations. */
#include "loading.h"

static void
assert_changes(const char *before, const char *after, const char *all, const char *fixed)
{
	struct loaded b = load_text(before), a = load_text(after);
	struct buf said = {0};

	assert_int_equal(b.status, 0);
	assert_int_equal(a.status, 0);
	settings_add_changes(&b.call.settings, &a.call.settings, &said);
	assert_string_equal(buf_text(&said), all);
	buf_clear(&said);
	settings_add_fixed_changes(&b.call.settings, &a.call.settings, &said);
	assert_string_equal(buf_text(&said), fixed);
	buf_finish(&said);
	unload(&b);
	unload(&a);
}

static void
equal_ones_differ_in_nothing(void **state)
{
	assert_changes("", "", "", "");
	assert_changes("queue: {size: 512}\n", "queue:\n  size: 512\n", "", "");
}

static void
a_value_is_told_with_what_it_was(void **state)
{
	assert_changes("", "queue: {size: 7}\nlog: {level: warn}\n",
	               "queue.size: 512 -> 7\nlog.level: info -> warn\n", "");
	assert_changes("cache: {ttl: 90m}\nretry: {budget: 0.25}\n", "",
	               "retry.budget: 0.25 -> 0.1\ncache.ttl: 90m -> 1h\n", "");
	assert_changes("keep_alive: 5m\n", "", "keep_alive: 5m -> none\n", "");
}

static void
what_only_a_restart_changes_is_told_apart(void **state)
{
	assert_changes("", "listen: [127.0.0.1:8080, 127.0.0.1:9]\nstate: /tmp/x\ndrain: 1s\n",
	               "listen: +127.0.0.1:9\nstate: none -> /tmp/x\ndrain: 30s -> 1s\n",
	               "listen: +127.0.0.1:9\nstate: none -> /tmp/x\n");
	assert_changes("", "admin: off\n", "admin: 127.0.0.1:8081 -> off\n",
	               "admin: 127.0.0.1:8081 -> off\n");
}

static void
of_a_list_what_came_and_what_went_is_told(void **state)
{
	assert_changes("hosts: [a, b]\n", "hosts: [b, c]\n", "hosts: +c, -a\n", "");
	assert_changes("hosts: [a, b]\n", "hosts: [b, a]\n", "hosts: in another order\n", "");
	assert_changes("aliases: {x: m:1, y: m:1}\n", "aliases: {x: m:2, z: m:1}\n",
	               "aliases: +z, -y\naliases.x: m:1 -> m:2\n", "");
}

static void
of_a_long_list_the_first_are_told(void **state)
{
	struct buf yaml = {0};

	buf_adds(&yaml, "hosts: [");
	for (int i = 0; i < 30; i++)
		buf_addf(&yaml, "%sh%d", i == 0 ? "" : ", ", i);
	buf_adds(&yaml, "]\n");
	assert_changes(
	    "hosts: [x]\n", buf_text(&yaml),
	    "hosts: +h0, +h1, +h2, +h3, +h4, +h5, +h6, +h7, +h8, +h9, +h10, +h11, +h12, +h13, "
	    "+h14, +h15, +h16, +h17, +h18, +h19, +10 more, -x\n",
	    "");
	buf_finish(&yaml);
}

static void
records_go_by_their_names(void **state)
{
	assert_changes("backends:\n  - {name: a, url: http://a}\n  - {name: b, url: http://b}\n",
	               "backends:\n  - {name: c, url: http://c}\n"
	               "  - {name: a, url: http://a, weight: 3, models: [x]}\n",
	               "backends: +c, -b\nbackends.a.weight: 1 -> 3\nbackends.a.models: +x\n", "");
	assert_changes("backends:\n  - {name: a, url: http://a}\n  - {name: b, url: http://b}\n",
	               "backends:\n  - {name: b, url: http://b}\n  - {name: a, url: http://a}\n",
	               "backends: in another order\n", "");
	assert_changes("models: [{match: x, num_ctx: {max: 1}}]\n",
	               "models: [{match: x, num_ctx: {max: 2}}]\n", "models.x.num_ctx.max: 1 -> 2\n",
	               "");
}

static void
a_secret_is_never_told(void **state)
{
	assert_changes("keys: [{name: a, key: planted}]\n", "keys: [{name: a, key: other-one}]\n",
	               "keys.a.key: changed\n", "");
	assert_changes("backends: [{name: a, url: http://a, api_key: planted}]\n",
	               "backends: [{name: a, url: http://a}]\n", "backends.a.api_key: changed\n", "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equal_ones_differ_in_nothing),
	    cmocka_unit_test(a_value_is_told_with_what_it_was),
	    cmocka_unit_test(what_only_a_restart_changes_is_told_apart),
	    cmocka_unit_test(of_a_list_what_came_and_what_went_is_told),
	    cmocka_unit_test(of_a_long_list_the_first_are_told),
	    cmocka_unit_test(records_go_by_their_names),
	    cmocka_unit_test(a_secret_is_never_told),
	};

	return cmocka_run_group_tests(tests, enter_empty_directory, leave_directory);
}
