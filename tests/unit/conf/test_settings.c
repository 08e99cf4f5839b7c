#include "loading.h"

static void
nothing_said_means_the_defaults(void **state)
{
	struct loaded l = load(NO_WORDS, NO_WORDS);
	const struct settings *s = &l.call.settings;

	assert_int_equal(l.status, 0);
	assert_int_equal(l.call.command, COMMAND_SERVE);
	assert_int_equal(s->listen.count, 1);
	assert_string_equal(s->listen.items[0], "127.0.0.1:8080");
	assert_int_equal(s->max_body, 64 << 20);
	assert_int_equal(s->drain, 30000);
	assert_int_equal(s->manage, MANAGE_ADMIN);
	assert_int_equal(s->hosts.count, 0);
	assert_int_equal(s->cors_origins.count, 17);
	assert_int_equal(s->queue.size, 512);
	assert_int_equal(s->timeouts.load, 900000);
	assert_int_equal(s->retry.budget_percent, 10);
	assert_int_equal(s->log.level, LOG_INFO);
	assert_int_equal(s->log.format, LOG_TEXT);
	assert_string_equal(s->log.access, "stdout");
	assert_int_equal(s->backend_count, 1);
	assert_string_equal(s->backends[0].url, "http://127.0.0.1:11434");
	assert_string_equal(s->backends[0].name, "127.0.0.1:11434");
	assert_int_equal(s->backends[0].weight, 1);
	assert_int_equal(s->backends[0].slots, 3);
	assert_true(s->backends[0].tls_verify);
	assert_null(s->backends[0].api_key);
	unload(&l);
}

/* ---- order ---- */

static void
later_sources_overrule_earlier_ones(void **state)
{
	struct loaded l;

	write_file("t.yaml", "log: {level: error}", 19);
	l = load(WORDS("-c", "t.yaml"), NO_WORDS);
	assert_int_equal(l.call.settings.log.level, LOG_ERROR);
	unload(&l);
	l = load(WORDS("-c", "t.yaml"), WORDS("DROVER_LOG_LEVEL=warn"));
	assert_int_equal(l.call.settings.log.level, LOG_WARN);
	unload(&l);
	l = load(WORDS("-c", "t.yaml", "--log-level", "debug"), WORDS("DROVER_LOG_LEVEL=warn"));
	assert_int_equal(l.call.settings.log.level, LOG_DEBUG);
	unload(&l);
}

static void
a_list_of_a_later_source_replaces_the_earlier_one(void **state)
{
	struct loaded l;

	l = load(WORDS("--backend", "http://c:1", "--backend", "http://d:2"),
	         WORDS("DROVER_BACKENDS=http://a:1,http://b:1", "DROVER_LISTEN=:1, :2"));
	assert_int_equal(l.status, 0);
	assert_int_equal(l.call.settings.backend_count, 2);
	assert_string_equal(l.call.settings.backends[0].name, "c:1");
	assert_string_equal(l.call.settings.backends[1].name, "d:2");
	assert_int_equal(l.call.settings.listen.count, 2);
	assert_string_equal(l.call.settings.listen.items[1], ":2");
	unload(&l);
}

/* ---- which file ---- */

static void
the_file_of_the_option_counts_before_that_of_the_variable(void **state)
{
	struct loaded l;

	write_file("t.yaml", "drain: 1s", 9);
	l = load(WORDS("-c", "t.yaml"), WORDS("DROVER_CONFIG=drover.yaml"));
	assert_string_equal(l.call.settings.file, "t.yaml");
	assert_int_equal(l.call.settings.drain, 1000);
	unload(&l);
	l = load(NO_WORDS, WORDS("DROVER_CONFIG=t.yaml"));
	assert_string_equal(l.call.settings.file, "t.yaml");
	unload(&l);
	l = load(NO_WORDS, WORDS("DROVER_CONFIG="));
	assert_string_equal(l.call.settings.file, "drover.yaml");
	unload(&l);
}

static void
a_file_that_was_asked_for_must_be_there(void **state)
{
	struct loaded l = load(WORDS("-c", "none.yaml"), NO_WORDS);

	assert_int_equal(l.status, 1);
	assert_string_equal(buf_text(&l.why), "-c: none.yaml: No such file or directory\n");
	unload(&l);
	l = load(NO_WORDS, WORDS("DROVER_CONFIG=none.yaml"));
	assert_int_equal(l.status, 1);
	assert_string_equal(buf_text(&l.why), "DROVER_CONFIG: none.yaml: No such file or directory\n");
	unload(&l);
}

/* ---- for the caller ---- */

static void
a_simulated_node_is_added_with_the_defaults(void **state)
{
	struct loaded l = load(WORDS("--demo"), WORDS("DROVER_BACKENDS=http://a:1"));
	struct settings *s = &l.call.settings;

	assert_int_equal(l.status, 0);
	assert_true(s->demo);
	assert_int_equal(s->backend_count, 0);
	settings_add_backend(s, "one", "http://127.0.0.1:1");
	settings_add_backend(s, "two", "http://127.0.0.1:2");
	assert_int_equal(s->backend_count, 2);
	assert_string_equal(s->backends[1].name, "two");
	assert_int_equal(s->backends[1].slots, 3);
	unload(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_said_means_the_defaults),
	    cmocka_unit_test(later_sources_overrule_earlier_ones),
	    cmocka_unit_test(a_list_of_a_later_source_replaces_the_earlier_one),
	    cmocka_unit_test(the_file_of_the_option_counts_before_that_of_the_variable),
	    cmocka_unit_test(a_file_that_was_asked_for_must_be_there),
	    cmocka_unit_test(a_simulated_node_is_added_with_the_defaults),
	};

	return cmocka_run_group_tests(tests, enter_empty_directory, leave_directory);
}
