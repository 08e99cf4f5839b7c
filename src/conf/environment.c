/* The environment. */
#include "environment.h"

#include "base/mem.h"
#include "expand.h"
#include "near.h"
#include "url.h"

#include <stdlib.h>
#include <string.h>

static const char prefix[] = "DROVER_";

void
environment_init(struct environment *e, char *const *entries)
{
	e->entries = entries;
	e->variables = mem_zalloc(settings_table.count, sizeof(e->variables[0]));
	for (size_t i = 0; i < settings_table.count; i++) {
		struct buf name = {0};

		table_add_variable(settings_table.rows[i].path, &name);
		e->variables[i] = buf_take(&name);
	}
}

void
environment_finish(struct environment *e)
{
	for (size_t i = 0; i < settings_table.count; i++)
		free(e->variables[i]);
	free(e->variables);
	*e = (struct environment){0};
}

const char *
environment_get(const struct environment *e, const char *variable)
{
	const char *value = environment_find(e->entries, str_of(variable));

	return value == NULL || value[0] == '\0' ? NULL : value;
}

/* ---- DROVER_* ---- */

/* No settings: where the configuration is, and what the commands that ask a drover go by. */
static const char *const other_variables[] = {
    "DROVER_CONFIG",
    "DROVER_ADMIN_KEY",
    "DROVER_URL",
    "DROVER_KEY",
};

static bool
is_known(const struct environment *e, const char *name)
{
	for (size_t i = 0; i < settings_table.count; i++)
		if (strcmp(e->variables[i], name) == 0)
			return true;
	for (size_t i = 0; i < sizeof(other_variables) / sizeof(other_variables[0]); i++)
		if (strcmp(name, other_variables[i]) == 0)
			return true;
	return false;
}

/* Other programs may have variables that begin like ours (Kubernetes makes DROVER_PORT of a
 * service's name): only what is nearly one of ours is taken for a mistake. */
static void
check_variable(const struct environment *e, const char *name, struct report *report)
{
	struct origin from = {FROM_ENVIRONMENT, name, 0, 0};
	struct near near = near_to(name);

	if (is_known(e, name))
		return;
	for (size_t i = 0; i < settings_table.count; i++)
		near_offer(&near, e->variables[i]);
	if (near.found[0] != '\0' && near.edits <= 2)
		report_add(report, &from, "", "unknown variable; did you mean %s?", near.found);
}

void
environment_apply(const struct environment *e, struct record *root, struct report *report)
{
	for (size_t i = 0; i < settings_table.count; i++) {
		struct origin from = {FROM_ENVIRONMENT, e->variables[i], 0, 0};
		const char *value = environment_get(e, e->variables[i]);

		if (value != NULL)
			record_set_any(root, i, &from, str_of(value), report);
	}
	for (char *const *entry = e->entries; *entry != NULL; entry++) {
		char *name = mem_strndup(*entry, strcspn(*entry, "="));

		if (strncmp(name, prefix, strlen(prefix)) == 0)
			check_variable(e, name, report);
		free(name);
	}
}

/* ---- Ollama's ---- */

/* Ollama passes over blanks and quotes around a value. */
static struct str
read_ollama(const struct environment *e, const char *variable)
{
	const char *value = environment_find(e->entries, str_of(variable));
	struct str text = str_trim(str_of(value == NULL ? "" : value));

	while (text.len > 0 && strchr("\"'", text.ptr[0]) != NULL) {
		text.ptr++;
		text.len--;
	}
	while (text.len > 0 && strchr("\"'", text.ptr[text.len - 1]) != NULL)
		text.len--;
	return str_trim(text);
}

static void
add_ollama_backend(struct record *r, size_t i, const struct origin *from, struct str host,
                   struct report *report)
{
	struct buf url = {0}, why = {0};
	struct record *child = record_add_record(r, i, from);

	if (url_add_ollama(host, &url, &why))
		record_set(child, child->table->single_row, from, str_of(buf_text(&url)), report);
	else
		record_complain(child, from, "url", report, "\"%.*s\" %s", STR_ARG(host), buf_text(&why));
	buf_finish(&url);
	buf_finish(&why);
}

static void
add_ollama_texts(struct record *r, size_t i, const struct origin *from, struct str text,
                 struct report *report)
{
	struct str part;

	while (str_split(&text, ',', &part))
		record_add_item(r, i, from, str_trim(part), report);
}

static void
apply_ollama_row(const struct environment *e, struct record *r, size_t i, bool demo,
                 struct report *report)
{
	const struct row *row = &r->table->rows[i];
	struct str text = read_ollama(e, row->ollama);
	struct origin from = {FROM_OLLAMA, row->ollama, 0, 0};

	if (row->kind == KIND_RECORDS) {
		if (!demo)
			add_ollama_backend(r, i, &from, text, report);
	} else if (text.len > 0 && row->kind == KIND_TEXTS) {
		add_ollama_texts(r, i, &from, text, report);
	} else if (text.len > 0 && !(row->least > 0 && str_eq(text, "0"))) {
		/* A 0 that the row does not allow is Ollama's word for its own default. */
		record_set(r, i, &from, text, report);
	}
}

void
environment_apply_ollama(const struct environment *e, struct record *r, bool demo,
                         struct report *report)
{
	for (size_t i = 0; i < r->table->count; i++)
		if (r->table->rows[i].ollama != NULL && r->slots[i].origin.source == FROM_DEFAULT)
			apply_ollama_row(e, r, i, demo, report);
	for (size_t i = 0; i < r->table->count; i++)
		for (size_t n = 0; n < r->slots[i].record_count; n++)
			environment_apply_ollama(e, r->slots[i].records[n], demo, report);
}
