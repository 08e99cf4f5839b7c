#include "loading.h"

#include "table.h"
#include "value.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char odd[] =
    "listen: [':1', 'unix:/run/$${x}']\n"
    "hosts: ['10', '*']\n"
    "cors: {origins: []}\n"
    "backends:\n"
    "  - {url: 'https://a', name: 'null', tls: {ca: /dev/null, verify: false}}\n"
    "  - {url: 'http://b/x', name: '~', models: ['*', 'true']}\n"
    "max_body: 1001KB\n"
    "drain: 61s\n"
    "retry: {budget: 0.05}\n";

static void
what_is_in_force_reads_as_yaml(void **state)
{
	struct loaded l = load_text("manage: all\nhosts: []\nretry: {budget: 1}\n");
	struct buf yaml = {0};

	settings_add_yaml(&l.call.settings, &yaml);
	assert_non_null(strstr(buf_text(&yaml), "listen:\n- \"127.0.0.1:8080\"\n"));
	assert_non_null(strstr(buf_text(&yaml), "\nmax_body: 64MiB\n"));
	assert_non_null(strstr(buf_text(&yaml), "\nmanage: all\n"));
	assert_non_null(strstr(buf_text(&yaml), "\nhosts: []\n"));
	assert_non_null(
	    strstr(buf_text(&yaml), "\nqueue:\n  size: 512\n  per_key: 128\n  max_wait: 10m\n"));
	assert_non_null(strstr(buf_text(&yaml), "\n  budget: 1\n"));
	assert_non_null(strstr(buf_text(&yaml), "\nbackends:\n- name: \"127.0.0.1:11434\"\n"));
	buf_finish(&yaml);
	unload(&l);
}

static void
it_loads_again_and_means_the_same(void **state)
{
	struct loaded l = load_text(odd), again;
	struct buf yaml = {0};

	assert_string_equal(buf_text(&l.why), "");
	settings_add_yaml(&l.call.settings, &yaml);
	again = load_text(buf_text(&yaml));
	assert_string_equal(buf_text(&again.why), "");
	for (size_t i = 0; i < settings_table.count; i++)
		if (!value_equal(&settings_table.rows[i], &l.call.settings, &again.call.settings))
			fail_msg("%s", settings_table.rows[i].path);
	buf_finish(&yaml);
	unload(&l);
	unload(&again);
}

static void
a_secret_is_masked(void **state)
{
	struct loaded l = load_text("backends: [{url: 'http://a', api_key: planted}]\n"
	                            "keys: [{name: a, key: planted},\n"
	                            "  {name: b, key_sha256: " DIGEST "}]\n");
	struct buf yaml = {0};

	settings_add_yaml(&l.call.settings, &yaml);
	assert_null(strstr(buf_text(&yaml), "planted"));
	assert_null(strstr(buf_text(&yaml), DIGEST));
	assert_non_null(strstr(buf_text(&yaml), "api_key: \"********\"\n"));
	assert_non_null(strstr(buf_text(&yaml), "  key: \"********\"\n"));
	assert_non_null(strstr(buf_text(&yaml), "  key_sha256: \"********\"\n"));
	buf_finish(&yaml);
	unload(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_in_force_reads_as_yaml),
	    cmocka_unit_test(it_loads_again_and_means_the_same),
	    cmocka_unit_test(a_secret_is_masked),
	};

	return cmocka_run_group_tests(tests, enter_empty_directory, leave_directory);
}
