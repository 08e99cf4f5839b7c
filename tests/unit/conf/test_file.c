#include "loading.h"

/* ---- what loads ---- */

static void
every_key_of_a_file_arrives(void **state)
{
	struct loaded l = load_text_in("listen: [':1', 'unix:/run/x']\n"
	                               "max_body: 10MB\n"
	                               "max_connections: 7\n"
	                               "drain: 90s\n"
	                               "manage: none\n"
	                               "hosts: [a.example, '*.b.example', '::1']\n"
	                               "cors: {origins: ['*']}\n"
	                               "backends:\n"
	                               "  - {name: big, url: 'https://[::1]:443/x', weight: 3,\n"
	                               "     parallel: 4, max_loaded: 2, slots: 5,\n"
	                               "     models: ['qwen*'], api_key: 'k-${KEY}',\n"
	                               "     tls: {verify: false, ca: /dev/null}}\n"
	                               "queue: {size: 16, max_wait: 500ms, aging: 1h}\n"
	                               "retry: {attempts: 1, budget: 0.25}\n"
	                               "breaker: {failures: 2, window: 1m, open: 2s, max_open: 3s}\n"
	                               "log: {level: debug, format: json, access: off, slow: 0}\n",
	                               WORDS("KEY=secret"));
	const struct settings *s = &l.call.settings;
	const struct backend_settings *b = s->backends;

	assert_string_equal(buf_text(&l.why), "");
	assert_int_equal(s->listen.count, 2);
	assert_string_equal(s->listen.items[1], "unix:/run/x");
	assert_int_equal(s->max_body, 10000000);
	assert_int_equal(s->max_connections, 7);
	assert_int_equal(s->drain, 90000);
	assert_int_equal(s->manage, MANAGE_NONE);
	assert_int_equal(s->hosts.count, 3);
	assert_int_equal(s->cors_origins.count, 1);
	assert_int_equal(s->backend_count, 1);
	assert_string_equal(b->name, "big");
	assert_string_equal(b->url, "https://[::1]:443/x");
	assert_int_equal(b->weight, 3);
	assert_int_equal(b->slots, 5);
	assert_string_equal(b->models.items[0], "qwen*");
	assert_string_equal(b->api_key, "k-secret");
	assert_false(b->tls_verify);
	assert_string_equal(b->tls_ca, "/dev/null");
	assert_int_equal(s->queue.max_wait, 500);
	assert_int_equal(s->queue.aging, 3600000);
	assert_int_equal(s->retry.budget_percent, 25);
	assert_int_equal(s->breaker.max_open, 3000);
	assert_int_equal(s->log.level, LOG_DEBUG);
	assert_int_equal(s->log.format, LOG_JSON);
	assert_string_equal(s->log.access, "off");
	assert_int_equal(s->log.slow, 0);
	unload(&l);
}

static void
a_file_without_keys_changes_nothing(void **state)
{
	static const char *const texts[] = {"", "# a comment\n", "---\n", "{}", "\n\n"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_complaints(texts[i], NO_WORDS,
		                  i == 2 ? "t.yaml:2:1: a configuration is a mapping "
		                           "of keys, as in queue: {size: 512}\n"
		                         : "");
}

static void
slots_and_name_follow_from_what_was_said(void **state)
{
	struct loaded l = load_text("backends:\n"
	                            "  - {url: 'http://a', parallel: 4, max_loaded: 2}\n"
	                            "  - {url: 'https://[fe80::1]/x', parallel: 4, slots: 3}\n");
	const struct backend_settings *b = l.call.settings.backends;

	assert_int_equal(l.status, 0);
	assert_string_equal(b[0].name, "a:80");
	assert_int_equal(b[0].slots, 8);
	assert_string_equal(b[1].name, "[fe80::1]:443");
	assert_int_equal(b[1].slots, 3);
	unload(&l);
}

/* ---- what does not, and where ---- */

struct bad {
	const char *yaml;
	const char *complaints;
};

static void
check_bad(const struct bad *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_complaints(cases[i].yaml, WORDS("SET=1", "NL=a\nb", "EMPTY="), cases[i].complaints);
}

#define CHECK_BAD(cases) check_bad(cases, sizeof(cases) / sizeof((cases)[0]))

static void
a_wrong_value_is_told_with_its_place(void **state)
{
	static const struct bad cases[] = {
	    {"queue:\n  size: many",
	     "t.yaml:2:9: queue.size: \"many\" is no whole number; give 0 to 1000000\n"},
	    {"queue: {size: -1}",
	     "t.yaml:1:15: queue.size: \"-1\" is no whole number; give 0 to 1000000\n"},
	    {"queue: {size: 1.5}",
	     "t.yaml:1:15: queue.size: \"1.5\" is no whole number; give 0 to 1000000\n"},
	    {"queue: {size: 99999999999999999999}", "t.yaml:1:15: queue.size: \"99999999999999999999\" "
	                                            "is no whole number; give 0 to 1000000\n"},
	    {"drain: 5", "t.yaml:1:8: drain: \"5\" is no duration; give 0 to 1d, with one of "
	                 "ms s m h d\n"},
	    {"drain: 2d", "t.yaml:1:8: drain: \"2d\" is too large; give 0 to 1d, with one of "
	                  "ms s m h d\n"},
	    {"max_body: 1kb", "t.yaml:1:11: max_body: \"1kb\" is no size; give 1KiB to 4GiB, with one "
	                      "of B KB MB GB KiB MiB GiB\n"},
	    {"retry:\n  budget: 10%", "t.yaml:2:11: retry.budget: \"10%\" is no ratio; give 0 to 1\n"},
	    {"retry: {budget: 0.125}",
	     "t.yaml:1:17: retry.budget: \"0.125\" is no ratio; give 0 to 1\n"},
	    {"retry: {budget: 1.5}", "t.yaml:1:17: retry.budget: \"1.5\" is too large; give 0 to 1\n"},
	    {"manage: some", "t.yaml:1:9: manage: \"some\" is not known; give admin, all or none\n"},
	    {"log: {format: JSON}",
	     "t.yaml:1:15: log.format: \"JSON\" is not known; give text or json\n"},
	    {"backends: [{url: 'http://a', tls: {verify: yes}}]",
	     "t.yaml:1:44: backends[0].tls.verify: \"yes\" is neither true nor false\n"},
	    {"log: {access: stout}", "t.yaml:1:15: log.access: \"stout\" is no place for it; give "
	                             "stdout, off or the path of a file\n"},
	    {"log: {access: ''}",
	     "t.yaml:1:15: log.access: is empty; give it a value, or leave the key out\n"},
	    {"listen:\n  - :1\n  - nowhere\n",
	     "t.yaml:3:5: listen: \"nowhere\" is no address to listen "
	     "on; give host:port, :port or unix:/path\n"},
	    {"hosts: ['a b']", "t.yaml:1:9: hosts: \"a b\" is no host; give a name or an address "
	                       "without port; * is any text\n"},
	    {"hosts: [\"a\\tb\"]", "t.yaml:1:9: hosts: the text has a control character in it\n"},
	    {"\xef\xbb\xbf"
	     "drain: 5\r\n",
	     "t.yaml:1:8: drain: \"5\" is no duration; give 0 to 1d, with one of ms s m h d\n"},
	    {"# \xc3\xa4\nqueue: {'size': \xc3\xa4}",
	     "t.yaml:2:17: queue.size: \"\xc3\xa4\" is no whole number; give 0 to 1000000\n"},
	};

	CHECK_BAD(cases);
}

static void
a_secret_is_not_repeated(void **state)
{
	struct loaded l = load_text_in("backends: [{url: 'http://a', api_key: 'hush hush'}]", NO_WORDS);

	assert_string_equal(buf_text(&l.why), "t.yaml:1:39: backends[0].api_key: the secret is no key; "
	                                      "give printable ASCII without blanks\n");
	unload(&l);
}

static void
a_wrong_shape_is_told_with_its_place(void **state)
{
	static const struct bad cases[] = {
	    {"- a", "t.yaml:1:1: a configuration is a mapping of keys, as in queue: {size: 512}\n"},
	    {"text", "t.yaml:1:1: a configuration is a mapping of keys, as in queue: {size: 512}\n"},
	    {"queue: 5", "t.yaml:1:8: queue: must have keys of its own under it\n"},
	    {"queue: [size]", "t.yaml:1:8: queue: must have keys of its own under it\n"},
	    {"queue:\n", "t.yaml:1:7: queue: nothing under it; leave the key out for the defaults\n"},
	    {"queue:\n  size:\n",
	     "t.yaml:2:8: queue.size: no value; leave the key out for its default\n"},
	    {"drain: ~", "t.yaml:1:8: drain: no value; leave the key out for its default\n"},
	    {"drain: [5s]", "t.yaml:1:8: drain: must be a single value\n"},
	    {"drain: {a: 1}", "t.yaml:1:8: drain: must be a single value\n"},
	    {"listen: ':1'",
	     "t.yaml:1:9: listen: must be a list: [one, two], or a line with - for each\n"},
	    {"listen: [[':1']]", "t.yaml:1:10: listen: each entry of this list must be a text\n"},
	    {"listen: [null]", "t.yaml:1:10: listen: each entry of this list must be a text\n"},
	    {"backends: {url: 'http://a'}",
	     "t.yaml:1:11: backends: must be a list: [one, two], or a line with - for each\n"},
	    {"backends: ['http://a']",
	     "t.yaml:1:12: backends[0]: each entry of this list must be a mapping of keys\n"},
	    {"backends: [{url: 'http://a', tls: true}]",
	     "t.yaml:1:35: backends[0].tls: must have keys of its own under it\n"},
	};

	CHECK_BAD(cases);
}

static void
a_wrong_key_is_told_with_its_place(void **state)
{
	static const struct bad cases[] = {
	    {"queue:\n  siez: 5", "t.yaml:2:3: queue.siez: unknown key; did you mean queue.size?\n"},
	    {"Queue: {size: 5}", "t.yaml:1:1: Queue: unknown key; did you mean queue?\n"},
	    {"size: 5", "t.yaml:1:1: size: unknown key; did you mean queue.size?\n"},
	    {"nonsense: {deep: [1, {a: b}]}", "t.yaml:1:1: nonsense: unknown key\n"},
	    {"queue.size: 5", "t.yaml:1:1: queue.size: unknown key; a dot makes no path here: nest it, "
	                      "as in queue: {size: 512}\n"},
	    {"queue.x: 5", "t.yaml:1:1: queue.x: unknown key\n"},
	    {"queue: {size: 1, size: 2}", "t.yaml:1:18: queue.size: this key is here twice\n"},
	    {"drain: 1s\ndrain: 2s\n", "t.yaml:2:1: drain: this key is here twice\n"},
	    {"backends: [{url: 'http://a', wieght: 2}]",
	     "t.yaml:1:30: backends[0].wieght: unknown key; did you mean weight?\n"},
	    {"\"a\\nb\": 1", "t.yaml:1:1: a?b: unknown key\n"},
	    {"<<: {drain: 1s}", "t.yaml:1:1: <<: unknown key\n"},
	    {"? [a]\n: b", "t.yaml:1:3: a key must be a text\n"},
	};

	CHECK_BAD(cases);
}

static void
variables_are_filled_in(void **state)
{
	static const struct bad cases[] = {
	    {"queue: {size: \"${SET}\"}", ""},
	    {"queue: {size: ${SET}}", "t.yaml:1:16: no YAML: did not find expected ',' or '}' while "
	                              "parsing a flow mapping\n"},
	    {"queue:\n  size: ${SET}0\n", ""},
	    {"queue:\n  size: ${UNSET}\n", "t.yaml:2:9: queue.size: the variable UNSET is not set\n"},
	    {"drain: ${EMPTY}", "t.yaml:1:8: drain: \"\" is no duration; give 0 to 1d, with one of "
	                        "ms s m h d\n"},
	    {"drain: ${", "t.yaml:1:8: drain: ${ without a name and a }; write $${ for ${ itself\n"},
	    {"log: {access: \"/x/${NL}\"}",
	     "t.yaml:1:15: log.access: the text has a control character in it\n"},
	    /* What a variable holds is never YAML. */
	    {"listen: [\"${SET},:2\"]",
	     "t.yaml:1:10: listen: \"1,:2\" is no address to listen on; give "
	     "host:port, :port or unix:/path\n"},
	};

	CHECK_BAD(cases);
}

static void
what_could_be_misread_is_refused(void **state)
{
	static const struct bad cases[] = {
	    {"queue: &a {size: 5}\n",
	     "t.yaml:1:8: anchors and aliases are not used here; write the value out\n"},
	    {"drain: *a", "t.yaml:1:8: anchors and aliases are not used here; write the value out\n"},
	    {"drain: !!str 5s", "t.yaml:1:8: tags are not used here; the key tells the type\n"},
	    {"queue: !x {size: 5}", "t.yaml:1:8: tags are not used here; the key tells the type\n"},
	    {"drain: 1s\n---\ndrain: 2s\n",
	     "t.yaml:2:1: a second document; a configuration is a single one\n"},
	    {"hosts: [\"a\\0b\"]", "t.yaml:1:9: a NUL in a text\n"},
	    {"a: [[[[[[[[[[[[[[[[[[[[", "t.yaml:1:19: nested too deeply for a configuration\n"},
	    {"queue:\n\tsize: 5", "t.yaml:2:1: no YAML: found character that cannot start any token "
	                          "while scanning for the next token\n"},
	    {"queue: {size: 5", "t.yaml:2:1: no YAML: did not find expected ',' or '}' while parsing a "
	                        "flow mapping\n"},
	    {"a: 1\nb: \xff", "t.yaml:2:4: no YAML: invalid leading UTF-8 octet\n"},
	};

	CHECK_BAD(cases);
}

static void
all_that_is_wrong_is_told_in_the_order_of_the_file(void **state)
{
	assert_complaints("queue:\n"
	                  "  size: many\n"
	                  "  sizes: 1\n"
	                  "backends:\n"
	                  "  - {url: ftp://a, weight: 0}\n"
	                  "tsl: {}\n"
	                  "drain: soon\n",
	                  NO_WORDS,
	                  "t.yaml:2:9: queue.size: \"many\" is no whole number; give 0 to 1000000\n"
	                  "t.yaml:3:3: queue.sizes: unknown key; did you mean queue.size?\n"
	                  "t.yaml:5:11: backends[0].url: \"ftp://a\" is no URL; give http://host:port "
	                  "or https://host\n"
	                  "t.yaml:5:28: backends[0].weight: \"0\" is too small; give 1 to 1000\n"
	                  "t.yaml:6:1: tsl: unknown key; did you mean tls?\n"
	                  "t.yaml:7:8: drain: \"soon\" is no duration; give 0 to 1d, with one of "
	                  "ms s m h d\n");
}

/* ---- bounds ---- */

static void
a_file_is_at_most_a_mebibyte(void **state)
{
	size_t len = 1024 * 1024 + 1;
	char *text = malloc(len);
	struct loaded l;

	assert_non_null(text);
	memset(text, '#', len);
	write_file("t.yaml", text, len - 1);
	l = load(WORDS("-c", "t.yaml"), NO_WORDS);
	assert_int_equal(l.status, 0);
	unload(&l);
	write_file("t.yaml", text, len);
	l = load(WORDS("-c", "t.yaml"), NO_WORDS);
	assert_int_equal(l.status, 1);
	assert_string_equal(buf_text(&l.why), "t.yaml: is larger than 1 MiB\n");
	unload(&l);
	free(text);
}

static void
the_number_of_values_is_bounded(void **state)
{
	struct buf yaml = {0};
	struct loaded l;

	buf_adds(&yaml, "hosts: [");
	for (int i = 0; i < 60000; i++)
		buf_adds(&yaml, "a,");
	buf_adds(&yaml, "a]");
	l = load_text(buf_text(&yaml));
	assert_int_equal(l.status, 1);
	assert_non_null(strstr(buf_text(&l.why), ": too many values for a configuration\n"));
	unload(&l);
	buf_finish(&yaml);
}

static void
a_directory_is_no_configuration(void **state)
{
	struct loaded l = load(WORDS("-c", "."), NO_WORDS);

	assert_int_equal(l.status, 1);
	assert_string_equal(buf_text(&l.why), ".: Is a directory\n");
	unload(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_key_of_a_file_arrives),
	    cmocka_unit_test(a_file_without_keys_changes_nothing),
	    cmocka_unit_test(slots_and_name_follow_from_what_was_said),
	    cmocka_unit_test(a_wrong_value_is_told_with_its_place),
	    cmocka_unit_test(a_secret_is_not_repeated),
	    cmocka_unit_test(a_wrong_shape_is_told_with_its_place),
	    cmocka_unit_test(a_wrong_key_is_told_with_its_place),
	    cmocka_unit_test(variables_are_filled_in),
	    cmocka_unit_test(what_could_be_misread_is_refused),
	    cmocka_unit_test(all_that_is_wrong_is_told_in_the_order_of_the_file),
	    cmocka_unit_test(a_file_is_at_most_a_mebibyte),
	    cmocka_unit_test(the_number_of_values_is_bounded),
	    cmocka_unit_test(a_directory_is_no_configuration),
	};

	return cmocka_run_group_tests(tests, enter_empty_directory, leave_directory);
}
