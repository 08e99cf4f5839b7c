/* conf/: the sample says every key with its default, and the examples load. */
#include "loading.h"

#include "outline.h"
#include "table.h"
#include "value.h"

static void
read_conf(const char *name, struct buf *out)
{
	const char *directory = getenv("CONF_DIR");
	struct buf path = {0};
	char piece[4096];
	size_t n;
	FILE *f;

	assert_non_null(directory);
	buf_addf(&path, "%s/%s", directory, name);
	f = fopen(buf_text(&path), "r");
	assert_non_null(f);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(out, piece, n);
	fclose(f);
	buf_finish(&path);
}

/* A line of keys has its # without a blank after it, or with more than one. */
static bool
is_key_line(const char *line)
{
	return line[0] == '#' && line[1] != '\n' && (line[1] != ' ' || line[2] == ' ');
}

static void
uncomment(const char *text, struct buf *out)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n") + 1;

		if (is_key_line(text))
			buf_add(out, text + 1, len - 1);
		else
			buf_add(out, text, len);
		text += len;
	}
}

static void
the_sample_as_it_is_changes_nothing(void **state)
{
	struct buf text = {0};

	read_conf("drover.yaml", &text);
	for (const char *line = buf_text(&text); *line != '\0'; line = strchr(line, '\n') + 1)
		assert_true(line[0] == '#' || line[0] == '\n');
	buf_finish(&text);
}

static void
the_sample_without_its_marks_says_the_defaults(void **state)
{
	struct buf text = {0}, yaml = {0};
	/* Of lists that are empty the sample shows one entry, with the defaults of its keys. */
	struct loaded defaults = load_text("models: [{match: '*'}]"), sample;

	read_conf("drover.yaml", &text);
	uncomment(buf_text(&text), &yaml);
	sample = load_text(buf_text(&yaml));
	assert_string_equal(buf_text(&sample.why), "");
	for (size_t i = 0; i < settings_table.count; i++)
		if (!value_equal(&settings_table.rows[i], &defaults.call.settings, &sample.call.settings))
			fail_msg("%s is not the default", settings_table.rows[i].path);
	unload(&defaults);
	unload(&sample);
	buf_finish(&text);
	buf_finish(&yaml);
}

/* A key without a default stands in a comment, as "# api_key: ", or "# - name: ". */
static bool
is_mentioned(const char *yaml, const char *path)
{
	const char *dot = strrchr(path, '.');
	const char *name = dot == NULL ? path : dot + 1;
	struct buf key = {0}, first = {0};
	bool found;

	buf_addf(&key, "# %s: ", name);
	buf_addf(&first, "# - %s: ", name);
	found = strstr(yaml, buf_text(&key)) != NULL || strstr(yaml, buf_text(&first)) != NULL;
	buf_finish(&key);
	buf_finish(&first);
	return found;
}

static void
check_documented(const struct table *t, const struct place *mapping, const char *yaml)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct row *row = &t->rows[i];
		const struct place *p = outline_find(mapping, row->path);

		if (p == NULL && !is_mentioned(yaml, row->path))
			fail_msg("%s is not in conf/drover.yaml", row->path);
		if (row->kind == KIND_RECORDS && p != NULL)
			check_documented(row->of, LIST_FIRST(&p->children, struct place, link), yaml);
	}
}

static void
the_sample_has_every_key(void **state)
{
	struct buf text = {0}, yaml = {0};
	struct report report = {0};
	struct outline outline;

	read_conf("drover.yaml", &text);
	uncomment(buf_text(&text), &yaml);
	assert_true(outline_parse(&outline, (struct str){yaml.data, yaml.len}, "drover.yaml", &report));
	check_documented(&settings_table, outline.root, buf_text(&yaml));
	outline_finish(&outline);
	report_finish(&report);
	buf_finish(&text);
	buf_finish(&yaml);
}

static struct loaded
load_example(const char *name)
{
	struct buf text = {0};
	struct loaded l;

	read_conf(name, &text);
	l = load_text_in(buf_text(&text), WORDS("RENTED_NODE_KEY=k", "CAROL_KEY=c"));
	assert_string_equal(buf_text(&l.why), "");
	buf_finish(&text);
	return l;
}

static void
the_drop_in_takes_ollamas_place(void **state)
{
	struct loaded l = load_example("examples/drop-in.yaml");

	assert_string_equal(l.call.settings.listen.items[0], "127.0.0.1:11434");
	assert_string_equal(l.call.settings.backends[0].url, "http://127.0.0.1:11435");
	assert_int_equal(l.call.settings.backends[0].slots, 2);
	unload(&l);
}

static void
several_nodes_are_weighed(void **state)
{
	struct loaded l = load_example("examples/several-nodes.yaml");

	assert_int_equal(l.call.settings.backend_count, 4);
	assert_int_equal(l.call.settings.backends[0].weight, 3);
	assert_string_equal(l.call.settings.backends[3].api_key, "k");
	unload(&l);
}

static void
a_team_has_keys(void **state)
{
	struct loaded l = load_example("examples/team.yaml");

	assert_int_equal(l.call.settings.key_count, 3);
	assert_int_equal(l.call.settings.keys[1].priority, PRIORITY_LOW);
	assert_int_equal(l.call.settings.keys[1].burst, 5);
	assert_string_equal(l.call.settings.keys[2].key, "c");
	assert_true(l.call.settings.keys[2].admin);
	unload(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_sample_as_it_is_changes_nothing),
	    cmocka_unit_test(the_sample_without_its_marks_says_the_defaults),
	    cmocka_unit_test(the_sample_has_every_key),
	    cmocka_unit_test(the_drop_in_takes_ollamas_place),
	    cmocka_unit_test(several_nodes_are_weighed),
	    cmocka_unit_test(a_team_has_keys),
	};

	return cmocka_run_group_tests(tests, enter_empty_directory, leave_directory);
}
