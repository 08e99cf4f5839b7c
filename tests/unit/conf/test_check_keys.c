/* Keys and what goes with them. */
#include "loading.h"

#define DIGEST "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae" /* of foo */

static void
a_key_is_told_itself_or_by_its_digest(void **state)
{
	struct loaded l = load_text_in(
	    "keys:\n"
	    "  - {name: itself, key: '${KEY}'}\n"
	    "  - name: digest\n"
	    "    key_sha256: 00ff2233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF\n",
	    WORDS("KEY=foo"));
	static const unsigned char foo[] = {0x2c, 0x26, 0xb4, 0x6b};

	assert_string_equal(buf_text(&l.why), "");
	assert_memory_equal(l.call.settings.keys[0].digest.bytes, foo, sizeof(foo));
	assert_int_equal(l.call.settings.keys[1].digest.bytes[1], 0xff);
	assert_int_equal(l.call.settings.keys[1].digest.bytes[31], 0xff);
	unload(&l);
}

static void
who_has_no_say_has_no_special_rights(void **state)
{
	struct loaded l = load_text("keys: [{name: a, key: b}]");
	const struct key_settings *k = &l.call.settings.keys[0];

	assert_int_equal(k->priority, PRIORITY_NORMAL);
	assert_int_equal(k->weight, 1);
	assert_int_equal(k->requests_per_minute, 0);
	assert_int_equal(k->concurrent, 0);
	assert_int_equal(k->models.count, 0);
	assert_false(k->admin);
	unload(&l);
}

static void
a_burst_is_ten_seconds_worth_unless_it_is_told(void **state)
{
	struct loaded l = load_text("keys:\n"
	                            "  - {name: a, key: a, requests_per_minute: 120}\n"
	                            "  - {name: b, key: b, requests_per_minute: 2}\n"
	                            "  - {name: c, key: c, requests_per_minute: 120, burst: 0}\n"
	                            "  - {name: d, key: d}\n");
	const struct key_settings *k = l.call.settings.keys;

	assert_string_equal(buf_text(&l.why), "");
	assert_int_equal(k[0].burst, 20);
	assert_int_equal(k[1].burst, 1);
	assert_int_equal(k[2].burst, 0);
	assert_int_equal(k[3].burst, 0);
	unload(&l);
	l = load_text("anonymous: {requests_per_minute: 60}");
	assert_int_equal(l.call.settings.anonymous.burst, 10);
	unload(&l);
}

static void
what_cannot_be_a_key_is_refused(void **state)
{
	static const char *const cases[][2] = {
	    {"keys: [{key: a}]", "t.yaml:1:8: keys[0]: name is missing; a key needs one\n"},
	    {"keys: [{name: a}]",
	     "t.yaml:1:8: keys[0]: key_sha256 is missing; drover key prints one\n"},
	    {"keys: [{name: a, key: b, key_sha256: " DIGEST "}]",
	     "t.yaml:1:38: keys[0].key_sha256: only one of key and key_sha256 can be given\n"},
	    {"keys: [{name: a, key: 'b c'}]",
	     "t.yaml:1:23: keys[0].key: the secret is no key; give printable ASCII without blanks\n"},
	    {"keys: [{name: a, key_sha256: abc}]",
	     "t.yaml:1:30: keys[0].key_sha256: the secret is no SHA-256; give 64 hex digits, as "
	     "drover key prints them\n"},
	    {"keys: [{name: a, key: b, burst: 2}]",
	     "t.yaml:1:33: keys[0].burst: only counts with requests_per_minute\n"},
	    {"keys: [{name: a, key: b, priority: top}]",
	     "t.yaml:1:36: keys[0].priority: \"top\" is not known; give high, normal or low\n"},
	    {"keys: []", ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_complaints(cases[i][0], NO_WORDS, cases[i][1]);
}

static void
two_keys_are_never_alike(void **state)
{
	assert_complaints("keys: [{name: a, key: b},\n {name: a, key: c}]", NO_WORDS,
	                  "t.yaml:2:9: keys[1].name: \"a\" is the name of keys[0] too\n");
	assert_complaints("keys: [{name: a, key: foo},\n {name: b, key_sha256: " DIGEST "}]", NO_WORDS,
	                  "t.yaml:2:2: keys[1]: is the same key as keys[0]\n");
}

static void
limits_of_addresses_are_for_where_no_keys_are(void **state)
{
	assert_complaints("anonymous: {requests_per_minute: 60, concurrent: 2}", NO_WORDS, "");
	assert_complaints("keys: [{name: a, key: b}]\nanonymous: {concurrent: 2}", NO_WORDS,
	                  "t.yaml:2:25: anonymous.concurrent: only counts where there are no keys\n");
	/* Nothing of the burst that follows from it. */
	assert_complaints("keys: [{name: a, key: b}]\nanonymous: {requests_per_minute: 2}", NO_WORDS,
	                  "t.yaml:2:34: anonymous.requests_per_minute: only counts where there are no "
	                  "keys\n");
	assert_complaints(
	    "anonymous: {burst: 2}", NO_WORDS,
	    "t.yaml:1:20: anonymous.burst: only counts with anonymous.requests_per_minute\n");
}

static void
proxies_are_addresses_and_networks(void **state)
{
	assert_complaints("trusted_proxies: [127.0.0.1, '::1', 10.0.0.0/8, 'fd00::/8', 'unix:']",
	                  NO_WORDS, "");
	assert_complaints("trusted_proxies: [10.0.0.1/8]", NO_WORDS,
	                  "t.yaml:1:19: trusted_proxies: \"10.0.0.1/8\" is no address and no network; "
	                  "give one like 10.0.0.5, 10.0.0.0/8 or fd00::/8, or unix:\n");
}

static void
aliases_stand_for_models(void **state)
{
	struct loaded l = load_text_in("aliases:\n"
	                               "  gpt-4o-mini: llama3.1:8b\n"
	                               "  \"a:b\": '${BIG}'\n",
	                               WORDS("BIG=qwen2.5:72b"));
	const struct text_map *aliases = &l.call.settings.aliases;
	struct buf yaml = {0};
	struct loaded again;

	assert_string_equal(buf_text(&l.why), "");
	assert_int_equal(aliases->count, 2);
	assert_string_equal(aliases->items[0].name, "gpt-4o-mini");
	assert_string_equal(aliases->items[0].value, "llama3.1:8b");
	assert_string_equal(aliases->items[1].value, "qwen2.5:72b");
	settings_add_yaml(&l.call.settings, &yaml);
	assert_non_null(strstr(buf_text(&yaml), "\naliases:\n  \"gpt-4o-mini\": \"llama3.1:8b\"\n"));
	again = load_text(buf_text(&yaml));
	assert_string_equal(buf_text(&again.why), "");
	assert_int_equal(again.call.settings.aliases.count, 2);
	unload(&again);
	unload(&l);
	buf_finish(&yaml);
}

static void
what_cannot_be_an_alias_is_refused(void **state)
{
	static const char *const cases[][2] = {
	    {"aliases: {}", ""},
	    {"aliases: [a]", "t.yaml:1:10: aliases: must be a mapping: {name: text, other: text}\n"},
	    {"aliases: {a: [b]}",
	     "t.yaml:1:14: aliases: each entry of this mapping must be NAME: TEXT\n"},
	    {"aliases: {a: }", "t.yaml:1:14: aliases: each entry of this mapping must be NAME: TEXT\n"},
	    {"aliases: {a: b, a: c}", "t.yaml:1:17: aliases: this name is here twice\n"},
	    {"aliases: {a: b, A: c}", "t.yaml:1:17: aliases: \"A\" is here twice\n"},
	    {"aliases: {a: 'x*'}", "t.yaml:1:11: aliases: \"x*\" is no model name; give one like "
	                           "qwen2.5:7b\n"},
	    {"aliases: {a: b, b: c}", "t.yaml:1:10: aliases: \"a\" stands for \"b\", which is an alias "
	                              "itself; name the model\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_complaints(cases[i][0], NO_WORDS, cases[i][1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_key_is_told_itself_or_by_its_digest),
	    cmocka_unit_test(who_has_no_say_has_no_special_rights),
	    cmocka_unit_test(a_burst_is_ten_seconds_worth_unless_it_is_told),
	    cmocka_unit_test(what_cannot_be_a_key_is_refused),
	    cmocka_unit_test(two_keys_are_never_alike),
	    cmocka_unit_test(limits_of_addresses_are_for_where_no_keys_are),
	    cmocka_unit_test(aliases_stand_for_models),
	    cmocka_unit_test(what_cannot_be_an_alias_is_refused),
	    cmocka_unit_test(proxies_are_addresses_and_networks),
	};

	return cmocka_run_group_tests(tests, enter_empty_directory, leave_directory);
}
