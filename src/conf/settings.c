/* The configuration in force: all its sources in their order. */
#include "conf/call.h"

#include "base/mem.h"
#include "check.h"
#include "command_line.h"
#include "environment.h"
#include "file.h"
#include "sheet.h"
#include "value.h"

#include <stdlib.h>
#include <string.h>

enum { EXIT_CONFIGURATION = 1, EXIT_USAGE = 2 };

static const char *const default_files[] = {"drover.yaml", "/etc/drover/drover.yaml"};

/* Everything that is needed until the settings are whole. */
struct loading {
	struct command_line line;
	struct environment environment;
	struct record root;
	struct report report;
	struct settings *settings;
};

/* The file to read and its text; NULL: there is none, or it cannot be read. */
static const char *
find_file(struct loading *l, struct buf *text)
{
	static const struct origin option = {FROM_COMMAND_LINE, "-c", 0, 0};
	static const struct origin variable = {FROM_ENVIRONMENT, "DROVER_CONFIG", 0, 0};
	const char *path = l->line.file;

	if (path != NULL)
		return file_read(path, &option, text, &l->report) ? path : NULL;
	path = environment_get(&l->environment, "DROVER_CONFIG");
	if (path != NULL)
		return file_read(path, &variable, text, &l->report) ? path : NULL;
	for (size_t i = 0; i < 2 && l->report.count == 0; i++)
		if (file_read(default_files[i], NULL, text, &l->report))
			return default_files[i];
	return NULL;
}

static void
load_file(struct loading *l)
{
	struct buf text = {0};
	const char *path = find_file(l, &text);

	if (path != NULL) {
		l->settings->file = mem_strdup(path);
		file_apply(&l->root, (struct str){buf_text(&text), text.len}, path, l->environment.entries,
		           &l->report);
	}
	buf_finish(&text);
}

static bool
load_all(struct loading *l, struct buf *why)
{
	load_file(l);
	environment_apply(&l->environment, &l->root, &l->report);
	command_line_apply(&l->line, &l->root, &l->report);
	l->settings->demo = l->line.demo;
	environment_apply_ollama(&l->environment, &l->root, l->line.demo, &l->report);
	/* Rules between values are for values that are valid. */
	if (l->report.count == 0) {
		check_settle(&l->root, l->settings);
		check_all(&l->root, l->settings, &l->report);
	}
	report_write(&l->report, why);
	return l->report.count == 0;
}

/* The address where clients come in is not that of the other's `listen`, which may be several. */
static const char default_url[] = "http://127.0.0.1:8080";

/* The configuration is the other drover's, and not read. */
static void
find_other(struct loading *l, char **environment, struct settings_call *out)
{
	const char *admin = command_line_given(&l->line, "admin");

	environment_init(&l->environment, environment);
	if (admin == NULL)
		admin = environment_get(&l->environment, "DROVER_ADMIN");
	if (admin == NULL)
		admin = settings_table.rows[table_find(&settings_table, "admin")].initial;
	out->admin = admin;
	out->admin_key = environment_get(&l->environment, "DROVER_ADMIN_KEY");
	out->prompts = l->line.prompts;
	out->url = l->line.url;
	if (out->url == NULL)
		out->url = environment_get(&l->environment, "DROVER_URL");
	if (out->url == NULL)
		out->url = default_url;
	out->key = environment_get(&l->environment, "DROVER_KEY");
	environment_finish(&l->environment);
	out->words = l->line.words;
	out->word_count = l->line.word_count;
}

int
settings_load(int argc, char **argv, char **environment, struct settings_call *out, struct buf *why)
{
	struct loading l = {.settings = &out->settings};
	int status = 0;

	*out = (struct settings_call){0};
	if (!command_line_parse(&l.line, argc, argv, why)) {
		buf_adds(why, "try drover --help\n");
		command_line_finish(&l.line);
		return EXIT_USAGE;
	}
	out->command = l.line.command;
	out->key_name = l.line.key_name;
	out->usage_by = l.line.usage_by;
	out->usage_since = l.line.usage_since;
	out->interval_ms = l.line.interval_ms;
	out->once = l.line.once;
	if (out->command == COMMAND_WARM || out->command == COMMAND_USAGE ||
	    out->command == COMMAND_TOP)
		find_other(&l, environment, out);
	if (out->command == COMMAND_SERVE || out->command == COMMAND_CHECK) {
		environment_init(&l.environment, environment);
		record_init(&l.root, &settings_table, &out->settings);
		if (!load_all(&l, why)) {
			settings_finish(&out->settings);
			status = EXIT_CONFIGURATION;
		}
		record_finish(&l.root);
		environment_finish(&l.environment);
		report_finish(&l.report);
	}
	command_line_finish(&l.line);
	return status;
}

void
settings_finish(struct settings *s)
{
	value_finish_all(&settings_table, s);
	free(s->file);
	*s = (struct settings){0};
}

bool
settings_have_admin_key(const struct settings *s)
{
	for (size_t i = 0; i < s->key_count; i++)
		if (s->keys[i].admin)
			return true;
	return false;
}

void
settings_add_backend(struct settings *s, const char *name, const char *url)
{
	const struct row *row = &settings_table.rows[table_find(&settings_table, "backends")];
	struct backend_settings *b = value_add_record(row, s);
	struct record r;

	record_init(&r, row->of, b);
	record_finish(&r);
	b->name = mem_strdup(name);
	b->url = mem_strdup(url);
	check_settle_backend(b, false);
}
