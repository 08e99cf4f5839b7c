#include "loading.h"

#include "table.h"
#include "value.h"

static const struct table *
table_of(const char *path)
{
	int row = table_find(&settings_table, path);

	assert_true(row >= 0);
	return settings_table.rows[row].of;
}

static const struct table *
backend_table(void)
{
	return table_of("backends");
}

static const struct table *
model_table(void)
{
	return table_of("models");
}

static const struct table *
key_table(void)
{
	return table_of("keys");
}

static bool
is_number(const struct row *row)
{
	switch (row->kind) {
	case KIND_DURATION:
	case KIND_SIZE:
	case KIND_INTEGER:
	case KIND_RATIO: return true;
	case KIND_BOOL:
	case KIND_WORD:
	case KIND_TEXT:
	case KIND_TEXTS:
	case KIND_PAIRS:
	case KIND_RECORDS: return false;
	}
	abort();
}

/* ---- the rows ---- */

static void
check_rows(const struct table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct row *row = &t->rows[i];

		assert_int_equal(table_find(t, row->path), i);
		assert_true(row->help != NULL && row->help[strlen(row->help) - 1] != '.');
		assert_true(!is_number(row) || row->least < row->most);
		assert_true(!table_is_list(row) || row->most > 0);
		assert_true((row->kind == KIND_WORD) == (row->words != NULL));
		assert_true((row->kind == KIND_RECORDS) == (row->of != NULL));
		assert_true((row->kind == KIND_TEXT || row->kind == KIND_TEXTS ||
		             row->kind == KIND_PAIRS) == (row->check != NULL));
	}
}

static void
every_row_is_whole_and_there_once(void **state)
{
	check_rows(&settings_table);
	check_rows(backend_table());
	check_rows(model_table());
	check_rows(key_table());
}

/* The schema for libcyaml makes one mapping of rows that follow each other. */
static void
check_groups(const struct table *t)
{
	const struct row *rows = t->rows;

	for (size_t i = 0; i < t->count; i++) {
		size_t len = strcspn(rows[i].path, ".");
		bool left = false;

		for (size_t j = i + 1; j < t->count; j++) {
			bool same = strncmp(rows[i].path, rows[j].path, len) == 0 && rows[j].path[len] == '.';

			assert_false(same && left);
			left = left || !same;
		}
	}
}

static void
the_rows_of_a_group_stand_together(void **state)
{
	check_groups(&settings_table);
	check_groups(backend_table());
	check_groups(model_table());
	check_groups(key_table());
}

static void
a_variable_is_the_path_in_upper_case(void **state)
{
	struct buf b = {0};

	table_add_variable("queue.max_wait", &b);
	assert_string_equal(buf_text(&b), "DROVER_QUEUE_MAX_WAIT");
	buf_finish(&b);
}

/* ---- bounds of every number, through the file ---- */

static void
write_number(const struct row *row, int64_t value, struct buf *out)
{
	if (row->kind == KIND_RATIO)
		buf_addf(out, "%d.%02d", (int)(value / 100), (int)(value % 100));
	else
		buf_addf(out, "%lld%s", (long long)value, row->kind == KIND_DURATION ? "ms" : "");
}

/* "queue: {size: 5}", or inside of a record. */
static void
write_key(const struct table *t, const struct row *row, int64_t value, struct buf *out)
{
	const char *dot = strchr(row->path, '.');

	if (t == backend_table())
		buf_adds(out, "backends: [{url: 'http://a:1', ");
	else if (t == model_table())
		buf_adds(out, "models: [{match: a, ");
	else if (t == key_table())
		buf_adds(out, "keys: [{name: a, key: b, ");
	if (dot != NULL)
		buf_addf(out, "%.*s: {", (int)(dot - row->path), row->path);
	/* What other keys forbid is not in question here. */
	if (strcmp(row->path, "breaker.open") == 0)
		buf_adds(out, "max_open: 24h, ");
	else if (strcmp(row->path, "breaker.max_open") == 0)
		buf_adds(out, "open: 1ms, ");
	else if (strcmp(row->path, "burst") == 0 || strcmp(row->path, "anonymous.burst") == 0)
		buf_adds(out, "requests_per_minute: 1, ");
	buf_addf(out, "%s: ", dot == NULL ? row->path : dot + 1);
	write_number(row, value, out);
	buf_adds(out, dot != NULL ? "}" : "");
	buf_adds(out, t == &settings_table ? "" : "}]");
}

static const void *
base_of(const struct table *t, const struct settings *s)
{
	if (t == backend_table())
		return &s->backends[0];
	if (t == key_table())
		return &s->keys[0];
	return t == model_table() ? (const void *)&s->models[0] : s;
}

static void
check_bound(const struct table *t, const struct row *row, int64_t value, bool allowed)
{
	struct buf yaml = {0};
	struct loaded l;

	write_key(t, row, value, &yaml);
	l = load_text(buf_text(&yaml));
	if (allowed) {
		assert_string_equal(buf_text(&l.why), "");
		assert_int_equal(value_number(row, base_of(t, &l.call.settings)), value);
	} else {
		assert_int_equal(l.status, 1);
		assert_non_null(strstr(buf_text(&l.why),
		                       value < row->least ? "is too small; give " : "is too large; give "));
		assert_non_null(strstr(buf_text(&l.why), row->path));
	}
	unload(&l);
	buf_finish(&yaml);
}

static void
check_bounds(const struct table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct row *row = &t->rows[i];

		if (!is_number(row))
			continue;
		check_bound(t, row, row->least, true);
		check_bound(t, row, row->most, true);
		if (row->least > 0)
			check_bound(t, row, row->least - 1, false);
		check_bound(t, row, row->most + 1, false);
	}
}

static void
every_number_is_held_to_its_bounds(void **state)
{
	check_bounds(&settings_table);
	check_bounds(backend_table());
	check_bounds(model_table());
	check_bounds(key_table());
}

/* ---- keys that are not there ---- */

static void
expect_suggestion(const struct table *t, const char *wrong, const char *expected)
{
	struct buf b = {0};

	table_add_suggestion(t, wrong, &b);
	assert_string_equal(buf_text(&b), expected);
	buf_finish(&b);
}

static void
a_misspelled_key_is_guessed(void **state)
{
	expect_suggestion(&settings_table, "listne", "; did you mean listen?");
	expect_suggestion(&settings_table, "queue.sise", "; did you mean queue.size?");
	expect_suggestion(&settings_table, "max_wait", "; did you mean queue.max_wait?");
	expect_suggestion(&settings_table, "quue", "; did you mean queue?");
	expect_suggestion(&settings_table, "backend", "; did you mean backends?");
	expect_suggestion(backend_table(), "urls", "; did you mean url?");
	expect_suggestion(&settings_table, "something", "");
	expect_suggestion(&settings_table, "x", "");
	expect_suggestion(&settings_table, "", "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_is_whole_and_there_once),
	    cmocka_unit_test(the_rows_of_a_group_stand_together),
	    cmocka_unit_test(a_variable_is_the_path_in_upper_case),
	    cmocka_unit_test(every_number_is_held_to_its_bounds),
	    cmocka_unit_test(a_misspelled_key_is_guessed),
	};

	return cmocka_run_group_tests(tests, enter_empty_directory, leave_directory);
}
