#include "loading.h"

#include "syntax.h"
#include "table.h"
#include "value.h"

static void
expect_complaints(const char *variable, const char *expected)
{
	struct loaded l = load(NO_WORDS, WORDS(variable));

	assert_string_equal(buf_text(&l.why), expected);
	assert_int_equal(l.status, expected[0] == '\0' ? 0 : 1);
	unload(&l);
}

/* ---- DROVER_* ---- */

/* A value that is not the default. */
static const char *
other_value(const struct row *row)
{
	if (strcmp(row->path, "hosts") == 0)
		return "a,b";
	if (strcmp(row->path, "admin") == 0)
		return "off";
	switch (row->kind) {
	case KIND_DURATION: return row->least > 11000 ? "11h" : "11s";
	case KIND_SIZE: return "7MiB";
	case KIND_INTEGER: return "7";
	case KIND_RATIO: return "0.07";
	case KIND_BOOL: return strcmp(row->initial, "true") == 0 ? "false" : "true";
	case KIND_WORD: return row->words[1];
	case KIND_TEXT: return row->check == syntax_keep_alive ? "7h" : "/seven";
	case KIND_TEXTS:
		if (row->check == syntax_net)
			return "10.0.0.0/8,::1";
		return row->option != NULL ? ":7, :8" : "https://*,*";
	case KIND_PAIRS: return "a=b:1, c = d";
	case KIND_RECORDS: return "http://c:7,http://d:8";
	}
	abort();
}

static void
keys_are_told_in_the_file_alone(void **state)
{
	expect_complaints("DROVER_KEYS=planted", "DROVER_KEYS: keys: is told in the file alone\n");
}

static void
aliases_are_pairs(void **state)
{
	struct loaded l =
	    load(NO_WORDS, WORDS("DROVER_ALIASES=small=llama3.2:1b, large = qwen2.5:72b"));
	const struct text_map *aliases = &l.call.settings.aliases;

	assert_int_equal(aliases->count, 2);
	assert_string_equal(aliases->items[1].name, "large");
	assert_string_equal(aliases->items[1].value, "qwen2.5:72b");
	unload(&l);
	expect_complaints("DROVER_ALIASES=a=b,c",
	                  "DROVER_ALIASES: aliases: \"c\" is no pair; give name=text\n");
}

static void
every_key_has_its_variable(void **state)
{
	struct loaded before = load(NO_WORDS, NO_WORDS);

	for (size_t i = 0; i < settings_table.count; i++) {
		const struct row *row = &settings_table.rows[i];
		struct buf variable = {0};
		struct loaded l;

		/* What only a file can tell is refused as such. */
		if (row->kind == KIND_RECORDS && row->of->single_row == NO_SINGLE_ROW)
			continue;
		/* These name files, which must be there and fit each other. */
		if (strncmp(row->path, "tls.", 4) == 0)
			continue;
		table_add_variable(row->path, &variable);
		buf_addf(&variable, "=%s", other_value(row));
		/* What others need beside it is not in question here. */
		l = load(NO_WORDS, WORDS(buf_text(&variable), "DROVER_ANONYMOUS_REQUESTS_PER_MINUTE=1"));
		assert_string_equal(buf_text(&l.why), "");
		assert_false(value_equal(row, &before.call.settings, &l.call.settings));
		unload(&l);
		buf_finish(&variable);
	}
	unload(&before);
}

static void
an_error_names_the_variable(void **state)
{
	expect_complaints("DROVER_QUEUE_SIZE=x",
	                  "DROVER_QUEUE_SIZE: queue.size: \"x\" is no whole number; give 0 to "
	                  "1000000\n");
	expect_complaints("DROVER_BACKENDS=http://a,b",
	                  "DROVER_BACKENDS: backends[1].url: \"b\" is no URL; give http://host:port "
	                  "or https://host\n");
	expect_complaints("DROVER_LISTEN=:1,",
	                  "DROVER_LISTEN: listen: is empty; give it a value, or leave the key out\n");
}

static void
an_empty_variable_says_nothing(void **state)
{
	expect_complaints("DROVER_QUEUE_SIZE=", "");
	expect_complaints("DROVER_LISTEN=", "");
	expect_complaints("DROVER_CONFIG=", "");
}

static void
what_a_client_goes_by_is_no_setting(void **state)
{
	expect_complaints("DROVER_KEY=k", "");
	expect_complaints("DROVER_URL=u", "");
	expect_complaints("DROVER_ADMIN_KEY=k", "");
}

static void
a_misspelled_variable_is_told(void **state)
{
	expect_complaints("DROVER_QUEUE_SIZ=5",
	                  "DROVER_QUEUE_SIZ: unknown variable; did you mean DROVER_QUEUE_SIZE?\n");
	expect_complaints("DROVER_BACKEND=http://a",
	                  "DROVER_BACKEND: unknown variable; did you mean DROVER_BACKENDS?\n");
}

/* Kubernetes makes them of a service that is called drover. */
static void
variables_of_others_are_let_be(void **state)
{
	expect_complaints("DROVER_PORT=tcp://10.0.0.1:8080", "");
	expect_complaints("DROVER_SERVICE_HOST=10.0.0.1", "");
	expect_complaints("DROVER_PORT_8080_TCP_ADDR=10.0.0.1", "");
	expect_complaints("DROVER", "");
	expect_complaints("DROVER_=x", "");
	expect_complaints("QUEUE_SIZE=x", "");
}

/* ---- Ollama's ---- */

static void
ollamas_variables_count_where_nothing_else_is_said(void **state)
{
	static const char *const ollama[] = {"OLLAMA_MAX_QUEUE=16", "OLLAMA_NUM_PARALLEL= \"4\" ",
	                                     "OLLAMA_MAX_LOADED_MODELS=2", "OLLAMA_KEEP_ALIVE=-1",
	                                     NULL};
	struct loaded l = load(NO_WORDS, ollama);

	assert_int_equal(l.status, 0);
	assert_string_equal(l.call.settings.keep_alive, "-1");
	assert_int_equal(l.call.settings.queue.size, 16);
	assert_int_equal(l.call.settings.backends[0].parallel, 4);
	assert_int_equal(l.call.settings.backends[0].max_loaded, 2);
	assert_int_equal(l.call.settings.backends[0].slots, 8);
	unload(&l);
	l = load_text_in("queue: {size: 5}\nbackends: [{url: 'http://a', parallel: 3}]", ollama);
	assert_int_equal(l.call.settings.queue.size, 5);
	assert_int_equal(l.call.settings.backends[0].parallel, 3);
	assert_int_equal(l.call.settings.backends[0].max_loaded, 2);
	unload(&l);
}

static void
ollamas_zero_is_ollamas_default(void **state)
{
	struct loaded l = load(NO_WORDS, WORDS("OLLAMA_NUM_PARALLEL=0", "OLLAMA_MAX_LOADED_MODELS=0",
	                                       "OLLAMA_MAX_QUEUE=0"));

	assert_int_equal(l.status, 0);
	assert_int_equal(l.call.settings.backends[0].parallel, 1);
	assert_int_equal(l.call.settings.backends[0].max_loaded, 3);
	assert_int_equal(l.call.settings.queue.size, 0);
	unload(&l);
}

static void
a_wrong_variable_of_ollama_is_told_only_where_it_counts(void **state)
{
	struct loaded l = load_text_in("queue: {size: 5}", WORDS("OLLAMA_MAX_QUEUE=many"));

	assert_int_equal(l.status, 0);
	unload(&l);
	expect_complaints("OLLAMA_MAX_QUEUE=many", "OLLAMA_MAX_QUEUE: queue.size: \"many\" is no whole "
	                                           "number; give 0 to 1000000\n");
	expect_complaints("OLLAMA_HOST=a b", "OLLAMA_HOST: backends[0].url: \"a b\" is no address; "
	                                     "give host, host:port or http://host:port\n");
}

static void
ollamas_host_is_the_backend_where_none_is_told(void **state)
{
	struct loaded l = load(NO_WORDS, WORDS("OLLAMA_HOST=0.0.0.0:1234"));

	assert_int_equal(l.call.settings.backend_count, 1);
	assert_string_equal(l.call.settings.backends[0].url, "http://127.0.0.1:1234");
	unload(&l);
	l = load(WORDS("--backend", "http://a"), WORDS("OLLAMA_HOST=b"));
	assert_int_equal(l.call.settings.backend_count, 1);
	assert_string_equal(l.call.settings.backends[0].url, "http://a");
	unload(&l);
	l = load(WORDS("--demo"), WORDS("OLLAMA_HOST=b"));
	assert_int_equal(l.call.settings.backend_count, 0);
	unload(&l);
}

static void
ollamas_origins_are_added_to_its_own(void **state)
{
	static const char *const ollama[] = {"OLLAMA_ORIGINS=https://a.example, moz-extension://*",
	                                     NULL};
	struct loaded l = load(NO_WORDS, ollama);
	const struct text_list *origins = &l.call.settings.cors_origins;

	assert_int_equal(origins->count, 19);
	assert_string_equal(origins->items[0], "http://localhost");
	assert_string_equal(origins->items[17], "https://a.example");
	assert_string_equal(origins->items[18], "moz-extension://*");
	unload(&l);
	l = load_text_in("cors: {origins: []}", ollama);
	assert_int_equal(l.call.settings.cors_origins.count, 0);
	unload(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_are_told_in_the_file_alone),
	    cmocka_unit_test(aliases_are_pairs),
	    cmocka_unit_test(every_key_has_its_variable),
	    cmocka_unit_test(an_error_names_the_variable),
	    cmocka_unit_test(an_empty_variable_says_nothing),
	    cmocka_unit_test(what_a_client_goes_by_is_no_setting),
	    cmocka_unit_test(a_misspelled_variable_is_told),
	    cmocka_unit_test(variables_of_others_are_let_be),
	    cmocka_unit_test(ollamas_variables_count_where_nothing_else_is_said),
	    cmocka_unit_test(ollamas_zero_is_ollamas_default),
	    cmocka_unit_test(a_wrong_variable_of_ollama_is_told_only_where_it_counts),
	    cmocka_unit_test(ollamas_host_is_the_backend_where_none_is_told),
	    cmocka_unit_test(ollamas_origins_are_added_to_its_own),
	};

	return cmocka_run_group_tests(tests, enter_empty_directory, leave_directory);
}
