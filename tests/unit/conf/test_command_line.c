#include "loading.h"

#define HINT "try drover --help\n"

static void
expect_usage(const char *const *arguments, const char *expected)
{
	struct loaded l = load(arguments, NO_WORDS);

	assert_string_equal(buf_text(&l.why), expected);
	assert_int_equal(l.status, 2);
	unload(&l);
}

static void
expect_command(const char *const *arguments, enum settings_command command)
{
	struct loaded l = load(arguments, NO_WORDS);

	assert_string_equal(buf_text(&l.why), "");
	assert_int_equal(l.status, 0);
	assert_int_equal(l.call.command, command);
	unload(&l);
}

static void
the_command_is_serve_unless_another_is_named(void **state)
{
	expect_command(NO_WORDS, COMMAND_SERVE);
	expect_command(WORDS("serve"), COMMAND_SERVE);
	expect_command(WORDS("check"), COMMAND_CHECK);
	expect_command(WORDS("check", "-c", "drover.yaml"), COMMAND_CHECK);
	expect_command(WORDS("-c", "drover.yaml", "check"), COMMAND_CHECK);
}

static void
help_and_version_ask_for_nothing_else(void **state)
{
	expect_command(WORDS("--help"), COMMAND_HELP);
	expect_command(WORDS("-h"), COMMAND_HELP);
	expect_command(WORDS("check", "--help"), COMMAND_HELP);
	expect_command(WORDS("--version"), COMMAND_VERSION);
	expect_command(WORDS("--version", "-c", "none.yaml"), COMMAND_VERSION);
}

static void
warm_takes_models_and_an_address(void **state)
{
	struct loaded l = load(WORDS("warm", "a", "--admin", "http://h:1", "b"), NO_WORDS);

	assert_int_equal(l.status, 0);
	assert_int_equal(l.call.command, COMMAND_WARM);
	assert_int_equal(l.call.word_count, 2);
	assert_string_equal(l.call.words[0], "a");
	assert_string_equal(l.call.words[1], "b");
	assert_string_equal(l.call.admin, "http://h:1");
	unload(&l);
	l = load(WORDS("warm", "a"), WORDS("DROVER_ADMIN=:2"));
	assert_string_equal(l.call.admin, ":2");
	unload(&l);
	l = load(WORDS("warm", "a"), NO_WORDS);
	assert_string_equal(l.call.admin, "127.0.0.1:8081");
	unload(&l);
	expect_usage(WORDS("warm"),
	             "warm needs a model: drover warm MODEL..., or --prompts FILE\n" HINT);
	expect_usage(WORDS("warm", "a", "--listen", ":1"),
	             "the only option of warm is --admin URL\n" HINT);
	expect_usage(WORDS("warm", "a", "-c", "x"), "the only option of warm is --admin URL\n" HINT);
}

static void
warm_takes_a_list_and_a_url(void **state)
{
	struct loaded l = load(WORDS("warm", "--prompts", "f"), NO_WORDS);

	assert_int_equal(l.status, 0);
	assert_int_equal(l.call.command, COMMAND_WARM);
	assert_string_equal(l.call.prompts, "f");
	assert_string_equal(l.call.url, "http://127.0.0.1:8080");
	assert_null(l.call.key);
	unload(&l);
	l = load(WORDS("warm", "--prompts", "-"), WORDS("DROVER_URL=http://e:1", "DROVER_KEY=k"));
	assert_string_equal(l.call.url, "http://e:1");
	assert_string_equal(l.call.key, "k");
	unload(&l);
	l = load(WORDS("warm", "--prompts", "-", "--url", "http://o:1"),
	         WORDS("DROVER_URL=http://e:1"));
	assert_string_equal(l.call.url, "http://o:1");
	unload(&l);
	expect_usage(WORDS("warm", "--prompts", "f", "a"),
	             "warm takes models or --prompts FILE, not both\n" HINT);
	expect_usage(WORDS("warm", "a", "--url", "http://o:1"),
	             "--url goes with --prompts FILE\n" HINT);
	expect_usage(WORDS("warm", "--prompts", "f", "--admin", ":1"),
	             "the only option of warm --prompts FILE is --url URL\n" HINT);
	expect_usage(WORDS("serve", "--prompts", "f"),
	             "--prompts and --url are for drover warm\n" HINT);
}

static void
options_may_be_given_several_times(void **state)
{
	struct loaded l = load(WORDS("serve", "--listen", ":1", "--listen=unix:/x", "--backend",
	                             "http://a:1", "--backend", "http://b:1", "--log-level", "warn"),
	                       NO_WORDS);

	assert_int_equal(l.status, 0);
	assert_int_equal(l.call.settings.listen.count, 2);
	assert_string_equal(l.call.settings.listen.items[0], ":1");
	assert_string_equal(l.call.settings.listen.items[1], "unix:/x");
	assert_int_equal(l.call.settings.backend_count, 2);
	assert_int_equal(l.call.settings.log.level, LOG_WARN);
	unload(&l);
}

static void
wrong_usage_is_told_with_a_hint(void **state)
{
	expect_usage(WORDS("--nonsense"), "unknown option or argument: --nonsense\n" HINT);
	expect_usage(WORDS("-x"), "unknown option -x\n" HINT);
	expect_usage(WORDS("--listen"), "--listen needs an argument\n" HINT);
	expect_usage(WORDS("-c"), "-c needs an argument\n" HINT);
	expect_usage(WORDS("--demo=yes"), "unknown option or argument: --demo=yes\n" HINT);
	expect_usage(WORDS("run"), "unknown command: run\n" HINT);
	expect_usage(WORDS("serve", "check"), "one argument too many: check\n" HINT);
	expect_usage(WORDS("--demo", "--backend", "http://a"),
	             "--demo brings its own backends; leave --backend out\n" HINT);
}

static void
a_key_is_made_for_a_name(void **state)
{
	struct loaded named = load(WORDS("key", "alice"), NO_WORDS),
	              unnamed = load(WORDS("key"), NO_WORDS);

	assert_int_equal(named.call.command, COMMAND_KEY);
	assert_string_equal(named.call.key_name, "alice");
	assert_int_equal(unnamed.call.command, COMMAND_KEY);
	assert_string_equal(unnamed.call.key_name, "me");
	unload(&named);
	unload(&unnamed);
	expect_usage(WORDS("key", "a b"), "\"a b\" is no name; give at most 128 letters, digits and "
	                                  ". - _ : [ ]\n" HINT);
	expect_usage(WORDS("key", "a", "b"), "one argument too many: b\n" HINT);
}

static void
usage_takes_what_it_asks_for(void **state)
{
	struct loaded l = load(WORDS("usage", "--by", "key", "--since", "2h", "--admin", ":1"),
	                       WORDS("DROVER_ADMIN_KEY=k"));

	assert_int_equal(l.call.command, COMMAND_USAGE);
	assert_string_equal(l.call.usage_by, "key");
	assert_string_equal(l.call.usage_since, "2h");
	assert_string_equal(l.call.admin, ":1");
	assert_string_equal(l.call.admin_key, "k");
	unload(&l);
	expect_usage(WORDS("usage", "x"), "one argument too many: x\n" HINT);
	expect_usage(WORDS("usage", "-c", "x"),
	             "the options of usage are --by, --since and --admin URL\n" HINT);
	expect_usage(WORDS("check", "--by", "key"), "--by and --since are for drover usage\n" HINT);
}

static void
top_takes_how_often_it_looks(void **state)
{
	struct loaded l = load(WORDS("top", "--interval", "250ms", "--once", "--admin", ":1"),
	                       WORDS("DROVER_ADMIN_KEY=k"));

	assert_int_equal(l.call.command, COMMAND_TOP);
	assert_int_equal(l.call.interval_ms, 250);
	assert_true(l.call.once);
	assert_string_equal(l.call.admin, ":1");
	assert_string_equal(l.call.admin_key, "k");
	unload(&l);
	expect_usage(WORDS("top", "x"), "one argument too many: x\n" HINT);
	expect_usage(WORDS("top", "--demo"),
	             "the options of top are --once, --interval and --admin URL\n" HINT);
	expect_usage(WORDS("top", "--interval", "1ms"),
	             "--interval: \"1ms\" is no time from 100ms to 1h\n" HINT);
	expect_usage(WORDS("--once"), "--once and --interval are for drover top\n" HINT);
}

static void
a_wrong_value_names_its_option(void **state)
{
	struct loaded l =
	    load(WORDS("--listen", "x", "--backend", "a", "--log-level", "loud"), NO_WORDS);

	assert_int_equal(l.status, 1);
	assert_string_equal(buf_text(&l.why),
	                    "--listen: listen: \"x\" is no address to listen on; give host:port, :port "
	                    "or unix:/path\n"
	                    "--backend: backends[0].url: \"a\" is no URL; give http://host:port or "
	                    "https://host\n"
	                    "--log-level: log.level: \"loud\" is not known; give error, warn, info or "
	                    "debug\n");
	unload(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_command_is_serve_unless_another_is_named),
	    cmocka_unit_test(help_and_version_ask_for_nothing_else),
	    cmocka_unit_test(warm_takes_models_and_an_address),
	    cmocka_unit_test(warm_takes_a_list_and_a_url),
	    cmocka_unit_test(options_may_be_given_several_times),
	    cmocka_unit_test(wrong_usage_is_told_with_a_hint),
	    cmocka_unit_test(a_key_is_made_for_a_name),
	    cmocka_unit_test(usage_takes_what_it_asks_for),
	    cmocka_unit_test(top_takes_how_often_it_looks),
	    cmocka_unit_test(a_wrong_value_names_its_option),
	};

	return cmocka_run_group_tests(tests, enter_empty_directory, leave_directory);
}
