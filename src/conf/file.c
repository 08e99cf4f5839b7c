/* The configuration file. */
#include "file.h"

#include "expand.h"
#include "outline.h"
#include "sheet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MOST_BYTES = 1024 * 1024 };

/* One reading: what every step needs. */
struct reading {
	char *const *environment;
	struct report *report;
	bool misshapen; /* a value of another shape than its row's: libcyaml would stop there */
};

/* ---- bytes ---- */

static bool
read_all(FILE *f, struct buf *out, const char **why)
{
	char piece[8192];
	size_t n;

	while ((n = fread(piece, 1, sizeof(piece), f)) > 0) {
		buf_add(out, piece, n);
		if (out->len > MOST_BYTES) {
			*why = "is larger than 1 MiB";
			return false;
		}
	}
	if (ferror(f))
		*why = strerror(errno);
	return !ferror(f);
}

bool
file_read(const char *path, const struct origin *asked_by, struct buf *out, struct report *report)
{
	struct origin here = {FROM_FILE, path, 0, 0};
	FILE *f = fopen(path, "re");
	const char *why = NULL;

	if (f == NULL) {
		if (asked_by != NULL)
			report_add(report, asked_by, path, "%s", strerror(errno));
		else if (errno != ENOENT && errno != ENOTDIR)
			report_add(report, &here, "", "%s", strerror(errno));
		return false;
	}
	if (!read_all(f, out, &why))
		report_add(report, &here, "", "%s", why);
	fclose(f);
	return why == NULL;
}

/* ---- shape: keys and kinds, against the table ---- */

static void check_members(struct reading *g, struct record *r, const struct place *mapping,
                          const char *group);

static void
misshape(struct reading *g, struct record *r, const struct origin *at, const char *path,
         const char *what)
{
	record_complain(r, at, path, g->report, "%s", what);
	g->misshapen = true;
}

static void
refuse_key(struct reading *g, struct record *r, const struct place *p, const char *path)
{
	struct buf hint = {0};

	if (strchr(p->key, '.') != NULL && table_find(r->table, path) >= 0)
		buf_adds(&hint, "; a dot makes no path here: nest it, as in queue: {size: 512}");
	else
		table_add_suggestion(r->table, path, &hint);
	record_complain(r, &p->key_at, path, g->report, "unknown key%s", buf_text(&hint));
	buf_finish(&hint);
}

static void
check_texts(struct reading *g, struct record *r, const struct place *list, const char *path)
{
	const struct place *p;

	LIST_FOR_EACH (p, &list->children, struct place, link)
		if (p->kind != PLACE_TEXT)
			misshape(g, r, &p->at, path, "each entry of this list must be a text");
}

static void
check_pairs(struct reading *g, struct record *r, const struct place *mapping, const char *path)
{
	const struct place *p;

	LIST_FOR_EACH (p, &mapping->children, struct place, link) {
		if (p->is_repeated)
			misshape(g, r, &p->key_at, path, "this name is here twice");
		if (p->kind != PLACE_TEXT)
			misshape(g, r, &p->at, path, "each entry of this mapping must be NAME: TEXT");
	}
}

static void
check_records(struct reading *g, struct record *r, const struct place *list, size_t row)
{
	const struct place *p;

	record_clear_list(r, row, &list->at);
	LIST_FOR_EACH (p, &list->children, struct place, link) {
		struct record *child = record_add_record(r, row, &p->at);

		if (p->kind == PLACE_MAPPING)
			check_members(g, child, p, "");
		else
			misshape(g, child, &p->at, "", "each entry of this list must be a mapping of keys");
	}
}

static void
check_leaf(struct reading *g, struct record *r, const struct place *p, size_t i)
{
	const struct row *row = &r->table->rows[i];
	bool is_list = row->kind == KIND_TEXTS || row->kind == KIND_RECORDS;
	bool is_pairs = row->kind == KIND_PAIRS;

	if (p->kind == PLACE_NOTHING)
		misshape(g, r, &p->at, row->path, "no value; leave the key out for its default");
	else if (is_list && p->kind != PLACE_LIST)
		misshape(g, r, &p->at, row->path, "must be a list: [one, two], or a line with - for each");
	else if (is_pairs && p->kind != PLACE_MAPPING)
		misshape(g, r, &p->at, row->path, "must be a mapping: {name: text, other: text}");
	else if (!is_list && !is_pairs && p->kind != PLACE_TEXT)
		misshape(g, r, &p->at, row->path, "must be a single value");
	else if (row->kind == KIND_TEXTS)
		check_texts(g, r, p, row->path);
	else if (is_pairs)
		check_pairs(g, r, p, row->path);
	else if (row->kind == KIND_RECORDS)
		check_records(g, r, p, i);
}

static void
check_member(struct reading *g, struct record *r, const struct place *p, const char *path)
{
	/* A dot in a key is no path: "queue.size: 5" at the top is unknown. */
	bool nested = strchr(p->key, '.') == NULL;
	int row = table_find(r->table, path);

	if (p->is_repeated)
		misshape(g, r, &p->key_at, path, "this key is here twice");
	if (nested && row >= 0)
		check_leaf(g, r, p, (size_t)row);
	else if (!nested || !table_has_group(r->table, path))
		refuse_key(g, r, p, path);
	else if (p->kind == PLACE_NOTHING)
		misshape(g, r, &p->at, path, "nothing under it; leave the key out for the defaults");
	else if (p->kind != PLACE_MAPPING)
		misshape(g, r, &p->at, path, "must have keys of its own under it");
	else
		check_members(g, r, p, path);
}

static void
check_members(struct reading *g, struct record *r, const struct place *mapping, const char *group)
{
	const struct place *p;

	LIST_FOR_EACH (p, &mapping->children, struct place, link) {
		struct buf path = {0};

		buf_addf(&path, "%s%s%s", group, group[0] == '\0' ? "" : ".", p->key);
		check_member(g, r, p, buf_text(&path));
		buf_finish(&path);
	}
}

/* ---- values ---- */

static void
set_value(struct reading *g, struct record *r, size_t row, const struct origin *at,
          const char *written,
          void (*set)(struct record *, size_t, const struct origin *, struct str, struct report *))
{
	struct buf text = {0}, why = {0};

	if (expand_text(written, g->environment, &text, &why))
		set(r, row, at, str_of(buf_text(&text)), g->report);
	else
		record_complain(r, at, r->table->rows[row].path, g->report, "%s", buf_text(&why));
	buf_finish(&text);
	buf_finish(&why);
}

static void
set_texts(struct reading *g, struct record *r, size_t row, const struct place *list,
          const struct cell *cell)
{
	const struct place *p;
	size_t i = 0;

	record_clear_list(r, row, &list->at);
	LIST_FOR_EACH (p, &list->children, struct place, link)
		set_value(g, r, row, &p->at, ((char **)cell->items)[i++], record_add_item);
	r->slots[row].origin = list->at;
}

/* Their names are the user's own, which no schema of libcyaml has: the outline knows the texts. */
static void
set_pairs(struct reading *g, struct record *r, size_t row, const struct place *mapping)
{
	const char *path = r->table->rows[row].path;
	const struct place *p;

	record_clear_list(r, row, &mapping->at);
	LIST_FOR_EACH (p, &mapping->children, struct place, link) {
		struct buf text = {0}, why = {0};

		if (expand_text(p->text, g->environment, &text, &why))
			record_add_pair(r, row, &p->key_at, str_of(p->key), str_of(buf_text(&text)), g->report);
		else
			record_complain(r, &p->at, path, g->report, "%s", buf_text(&why));
		buf_finish(&text);
		buf_finish(&why);
	}
	r->slots[row].origin = mapping->at;
}

static void
set_members(struct reading *g, struct record *r, const struct place *mapping,
            const struct cell *cells)
{
	for (size_t i = 0; i < r->table->count; i++) {
		const struct row *row = &r->table->rows[i];
		const struct place *child, *p = outline_find(mapping, row->path);
		size_t n = 0;

		if (p == NULL)
			continue;
		if (row->kind == KIND_TEXTS)
			set_texts(g, r, i, p, &cells[i]);
		else if (row->kind == KIND_PAIRS)
			set_pairs(g, r, i, p);
		else if (row->kind != KIND_RECORDS)
			set_value(g, r, i, &p->at, cells[i].text, record_set);
		else
			LIST_FOR_EACH (child, &p->children, struct place, link) {
				set_members(g, r->slots[i].records[n], child, sheet_record(&cells[i], row, n));
				n++;
			}
	}
}

static void
apply_outline(struct reading *g, struct record *root, struct str text, const struct place *top)
{
	struct buf why = {0};
	struct cell *cells;

	if (top->kind != PLACE_MAPPING) {
		misshape(g, root, &top->at, "",
		         "a configuration is a mapping of keys, as in queue: {size: 512}");
		return;
	}
	check_members(g, root, top, "");
	if (g->misshapen)
		return;
	cells = sheet_load(text, &why);
	if (cells == NULL)
		report_add(g->report, &top->at, "", "%s", buf_text(&why));
	else
		set_members(g, root, top, cells);
	sheet_destroy(cells);
	buf_finish(&why);
}

void
file_apply(struct record *root, struct str text, const char *name, char *const *environment,
           struct report *report)
{
	struct reading g = {.environment = environment, .report = report};
	struct outline outline;

	/* libyaml counts a byte order mark as a column. */
	if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0)
		text = (struct str){text.ptr + 3, text.len - 3};
	if (outline_parse(&outline, text, name, report) && outline.root != NULL)
		apply_outline(&g, root, text, outline.root);
	outline_finish(&outline);
}
