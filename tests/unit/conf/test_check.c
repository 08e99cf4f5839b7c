#include "loading.h"

static void
names_are_unique(void **state)
{
	assert_complaints("backends:\n"
	                  "  - {url: 'http://a', name: one}\n"
	                  "  - {url: 'http://b', name: one}\n",
	                  NO_WORDS,
	                  "t.yaml:3:29: backends[1].name: \"one\" is the name of backends[0] "
	                  "too\n");
	/* Made of the URL, so that is what is blamed. */
	assert_complaints("backends:\n"
	                  "  - {url: 'http://a:80'}\n"
	                  "  - {url: 'http://a/x'}\n",
	                  NO_WORDS,
	                  "t.yaml:3:11: backends[1].name: \"a:80\" is the name of backends[0] "
	                  "too\n");
	assert_complaints("backends:\n"
	                  "  - {url: 'http://a:80'}\n"
	                  "  - {url: 'http://b', name: 'a:80'}\n",
	                  NO_WORDS,
	                  "t.yaml:3:29: backends[1].name: \"a:80\" is the name of backends[0] "
	                  "too\n");
}

static void
a_password_in_a_url_is_not_shown(void **state)
{
	assert_complaints(
	    "backends: [{url: 'http://me:pass@word@a:80'}, {url: 'me:password@a'}]", NO_WORDS,
	    "t.yaml:1:18: backends[0].url: \"***@a:80\" has a user in it; a node's key goes "
	    "into api_key\n"
	    "t.yaml:1:53: backends[1].url: \"***@a\" is no URL; give http://host:port or "
	    "https://host\n");
}

static void
a_backend_needs_a_url(void **state)
{
	assert_complaints("backends:\n  - name: a\n  - {name: a}\n  - {}\n", NO_WORDS,
	                  "t.yaml:2:5: backends[0]: url is missing; a backend needs one\n"
	                  "t.yaml:3:5: backends[1]: url is missing; a backend needs one\n"
	                  "t.yaml:3:12: backends[1].name: \"a\" is the name of backends[0] too\n"
	                  "t.yaml:4:5: backends[2]: url is missing; a backend needs one\n");
	assert_complaints("backends: []", NO_WORDS,
	                  "t.yaml:1:11: backends: the list is empty; give a backend, or leave the key "
	                  "out\n");
}

static void
tls_is_for_https(void **state)
{
	assert_complaints("backends:\n"
	                  "  - url: http://a\n"
	                  "    tls: {ca: /dev/null, verify: false}\n",
	                  NO_WORDS,
	                  "t.yaml:3:15: backends[0].tls.ca: only counts for an https url\n"
	                  "t.yaml:3:34: backends[0].tls.verify: only counts for an https url\n");
	assert_complaints("backends: [{url: 'https://a', tls: {ca: /dev/null, verify: false}}]",
	                  NO_WORDS, "");
	assert_complaints("backends: [{url: 'https://a', tls: {ca: none.pem}}]", NO_WORDS,
	                  "t.yaml:1:41: backends[0].tls.ca: none.pem: No such file or directory\n");
}

static void
tls_needs_both_of_its_files(void **state)
{
	assert_complaints("listen: [':1']\ntls: {cert: c.pem}", NO_WORDS,
	                  "t.yaml:2:13: tls.cert: needs its key too; give tls.key\n");
	assert_complaints("tls: {key: k.pem}", NO_WORDS,
	                  "t.yaml:1:12: tls.key: needs its certificate too; give tls.cert\n");
	assert_complaints("tls: {cert: none.pem, key: none.pem}", NO_WORDS,
	                  "t.yaml:1:13: tls.cert: none.pem: No such file or directory\n");
	assert_complaints("tls: {cert: /dev/null, key: none.pem}", NO_WORDS,
	                  "t.yaml:1:13: tls.cert: /dev/null: holds no certificate; give a PEM file, "
	                  "the server's own certificate first, then those between it and its "
	                  "authority\n");
	assert_complaints("listen: ['unix:/s']\ntls: {cert: c.pem, key: k.pem}", NO_WORDS,
	                  "t.yaml:2:13: tls.cert: does nothing here: `listen` has sockets only, and "
	                  "those are never TLS\n");
}

static void
values_of_rules_are_checked(void **state)
{
	assert_complaints(
	    "models:\n"
	    "  - match: a\n"
	    "    keep_alive: 5 minutes\n"
	    "    fallback: ['x*']\n"
	    "    num_ctx: {unify: maybe}\n"
	    "    num_predict: {max: many}\n"
	    "    cache: some\n"
	    "    keepalive: 5m\n",
	    NO_WORDS,
	    "t.yaml:3:17: models[0].keep_alive: \"5 minutes\" is no time to keep a model; "
	    "give one like 30m or 24h, or -1 for ever\n"
	    "t.yaml:4:16: models[0].fallback: \"x*\" is no model name; give one like "
	    "qwen2.5:7b\n"
	    "t.yaml:5:22: models[0].num_ctx.unify: \"maybe\" is neither true nor false\n"
	    "t.yaml:6:24: models[0].num_predict.max: \"many\" is no whole number; give 0 to "
	    "1000000\n"
	    "t.yaml:7:12: models[0].cache: \"some\" is not known; give deterministic, all, off or "
	    "inherit\n"
	    "t.yaml:8:5: models[0].keepalive: unknown key; did you mean keep_alive?\n");
}

static void
rules_for_models_agree_with_themselves(void **state)
{
	assert_complaints(
	    "models:\n"
	    "  - keep_alive: 5m\n"
	    "  - match: a\n"
	    "    num_predict: {default: 600, max: 500}\n"
	    "    num_ctx: {max: 500, default: 600}\n"
	    "    warm: {backends: [nobody]}\n",
	    NO_WORDS,
	    "t.yaml:2:5: models[0]: match is missing; a rule needs one\n"
	    "t.yaml:4:28: models[1].num_predict.default: 600 is more than num_predict.max, "
	    "500\n"
	    "t.yaml:5:34: models[1].num_ctx.default: 600 is more than num_ctx.max, 500\n"
	    "t.yaml:6:22: models[1].warm.backends: \"nobody\" is no backend\n");
	assert_complaints(
	    "backends: [{url: 'http://a', name: b}]\n"
	    "models: [{match: 'x*', keep_alive: -1, warm: {at_start: true, backends: [b]},\n"
	    "          num_ctx: {default: 600}, fallback: [y, 'z:1b']}]",
	    NO_WORDS, "");
}

static void
without_an_administrators_key_the_admin_api_stays_on_the_machine(void **state)
{
	assert_complaints(
	    "admin: 0.0.0.0:1", NO_WORDS,
	    "t.yaml:1:8: admin: \"0.0.0.0:1\" is not of this machine alone, and no key has "
	    "admin: true; give 127.0.0.1:port, [::1]:port, localhost:port, unix:/path or "
	    "off\n");
	assert_complaints("admin: 0.0.0.0:1\nkeys: [{name: a, key: 0123456789abcdef, admin: true}]",
	                  NO_WORDS, "");
	assert_complaints("admin: 'unix:/run/x'", NO_WORDS, "");
}

static void
an_address_is_listened_on_once(void **state)
{
	assert_complaints("listen: [':1', ':2', ':1']", NO_WORDS,
	                  "t.yaml:1:9: listen: \":1\" is in the list twice\n");
	assert_complaints(
	    "listen: [':1', '127.0.0.1:2']\nadmin: 127.0.0.1:2", NO_WORDS,
	    "t.yaml:2:8: admin: \"127.0.0.1:2\" is in `listen` too; give it an address of "
	    "its own\n");
	assert_complaints("listen: ['127.0.0.1:0']\nadmin: 127.0.0.1:0", NO_WORDS, "");
	assert_complaints("listen: []", NO_WORDS,
	                  "t.yaml:1:9: listen: the list is empty; give an address\n");
}

static void
the_first_pause_is_not_longer_than_the_longest(void **state)
{
	assert_complaints("breaker: {open: 5m, max_open: 5m}", NO_WORDS, "");
	assert_complaints("breaker: {open: 10m}", NO_WORDS,
	                  "t.yaml:1:17: breaker.open: 10m is more than breaker.max_open, 5m\n");
	assert_complaints("breaker: {max_open: 1s}", NO_WORDS,
	                  "t.yaml:1:21: breaker.max_open: 1s is less than breaker.open, 10s\n");
	assert_complaints("breaker: {open: 10m}", WORDS("DROVER_BREAKER_MAX_OPEN=1m"),
	                  "DROVER_BREAKER_MAX_OPEN: breaker.max_open: 1m is less than breaker.open, "
	                  "10m\n");
}

static void
lists_are_bounded(void **state)
{
	struct buf yaml = {0};

	buf_adds(&yaml, "listen: [");
	for (int i = 1; i <= 65; i++)
		buf_addf(&yaml, "':%d',", i);
	buf_adds(&yaml, "]\nbackends:\n- url: http://a\n  models: [");
	for (int i = 0; i <= 1000; i++)
		buf_adds(&yaml, "m,");
	buf_adds(&yaml, "]\n");
	assert_complaints(buf_text(&yaml), NO_WORDS,
	                  "t.yaml:1:9: listen: has 65 entries; give at most 64\n"
	                  "t.yaml:4:11: backends[0].models: has 1001 entries; give at most 1000\n");
	buf_finish(&yaml);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_unique),
	    cmocka_unit_test(a_backend_needs_a_url),
	    cmocka_unit_test(a_password_in_a_url_is_not_shown),
	    cmocka_unit_test(tls_is_for_https),
	    cmocka_unit_test(tls_needs_both_of_its_files),
	    cmocka_unit_test(values_of_rules_are_checked),
	    cmocka_unit_test(rules_for_models_agree_with_themselves),
	    cmocka_unit_test(without_an_administrators_key_the_admin_api_stays_on_the_machine),
	    cmocka_unit_test(an_address_is_listened_on_once),
	    cmocka_unit_test(the_first_pause_is_not_longer_than_the_longest),
	    cmocka_unit_test(lists_are_bounded),
	};

	return cmocka_run_group_tests(tests, enter_empty_directory, leave_directory);
}
