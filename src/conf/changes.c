/*
 * What two configurations differ in, as a person would say it: a line a key. Of a list what came
 * and what went; of records, which go by their first key, what changed within one too.
 */
#include "conf/settings.h"

#include "base/map.h"
#include "value.h"

#include <string.h>

enum { NAMES_MOST = 20 }; /* of a list, that came and that went */

/* Where a line is: "backends.big." */
struct path {
	const char *list; /* NULL: in the root */
	const char *record;
};

static void
begin(const struct path *p, const char *key, struct buf *out)
{
	if (p->list != NULL)
		buf_addf(out, "%s.%s.", p->list, p->record);
	buf_addf(out, "%s: ", key);
}

/* --- single values --- */

static void
add_value(const struct row *row, const void *base, struct buf *out)
{
	if (!value_add_text(row, base, out))
		buf_adds(out, "none");
}

static void
add_single(const struct path *p, const struct row *row, const void *before, const void *after,
           struct buf *out)
{
	begin(p, row->path, out);
	if (row->secret) {
		buf_adds(out, "changed\n");
		return;
	}
	add_value(row, before, out);
	buf_adds(out, " -> ");
	add_value(row, after, out);
	buf_addc(out, '\n');
}

/* --- lists --- */

/* The names in a list: its texts, the names of its pairs, or the first keys of its records. */
static size_t
name_count(const struct row *row, const void *base)
{
	if (row->kind == KIND_TEXTS)
		return value_texts(row, base)->count;
	if (row->kind == KIND_PAIRS)
		return value_pairs(row, base)->count;
	return value_record_count(row, base);
}

static void
add_name(const struct row *row, const void *base, size_t i, struct buf *out)
{
	if (row->kind == KIND_TEXTS)
		buf_adds(out, value_texts(row, base)->items[i]);
	else if (row->kind == KIND_PAIRS)
		buf_adds(out, value_pairs(row, base)->items[i].name);
	else
		add_value(&row->of->rows[0], value_record(row, base, i), out);
}

/* Places in a list, from 1, by name: of equal names the first. There may be many thousands. */
static struct map
index_names(const struct row *row, const void *base)
{
	struct map places = {0};
	struct buf name = {0};

	for (size_t i = 0; i < name_count(row, base); i++) {
		buf_clear(&name);
		add_name(row, base, i, &name);
		if (map_find(&places, buf_text(&name)) == NULL)
			map_put(&places, buf_text(&name),
			        (void *)(uintptr_t)(i + 1)); // NOLINT(performance-no-int-to-ptr): a number
	}
	buf_finish(&name);
	return places;
}

/* From 1; 0: it is not there. */
static size_t
place_of(const struct map *places, const struct buf *name)
{
	return (size_t)(uintptr_t)map_find(places, buf_text(name));
}

/* Those of `in` that are not among `others`, each with `sign`; of very many the first. */
static void
add_only(const struct row *row, const void *in, const struct map *others, char sign,
         struct buf *list)
{
	struct buf name = {0};
	size_t found = 0;

	for (size_t i = 0; i < name_count(row, in); i++) {
		buf_clear(&name);
		add_name(row, in, i, &name);
		if (place_of(others, &name) == 0 && ++found <= NAMES_MOST)
			buf_addf(list, "%s%c%s", list->len == 0 ? "" : ", ", sign, buf_text(&name));
	}
	if (found > NAMES_MOST)
		buf_addf(list, ", %c%zu more", sign, found - NAMES_MOST);
	buf_finish(&name);
}

static void add_record(const struct path *p, const struct row *row, const void *before,
                       const void *after, struct buf *out);

static void
add_pair(const struct path *p, const char *before, const char *after, struct buf *out)
{
	if (strcmp(before, after) != 0)
		buf_addf(out, "%s.%s: %s -> %s\n", p->list, p->record, before, after);
}

/* What is in both, and another one than before. */
static void
add_common(const struct row *row, const void *before, const struct map *places, const void *after,
           struct buf *out)
{
	struct buf name = {0};

	for (size_t i = 0; row->kind != KIND_TEXTS && i < name_count(row, after); i++) {
		struct path p = {.list = row->path};
		size_t old;

		buf_clear(&name);
		add_name(row, after, i, &name);
		p.record = buf_text(&name);
		old = place_of(places, &name);
		if (old == 0)
			continue;
		if (row->kind == KIND_RECORDS)
			add_record(&p, row, value_record(row, before, old - 1), value_record(row, after, i),
			           out);
		else
			add_pair(&p, value_pairs(row, before)->items[old - 1].value,
			         value_pairs(row, after)->items[i].value, out);
	}
	buf_finish(&name);
}

static void
add_list(const struct path *p, const struct row *row, const void *before, const void *after,
         struct buf *out)
{
	struct map old = index_names(row, before), new = index_names(row, after);
	size_t empty = out->len;
	struct buf list = {0};

	add_only(row, after, &old, '+', &list);
	add_only(row, before, &new, '-', &list);
	if (list.len > 0) {
		begin(p, row->path, out);
		buf_addf(out, "%s\n", buf_text(&list));
	}
	add_common(row, before, &old, after, out);
	if (out->len == empty) {
		begin(p, row->path, out);
		buf_adds(out, "in another order\n");
	}
	buf_finish(&list);
	map_finish(&old);
	map_finish(&new);
}

/* --- all of them --- */

static void
add_change(const struct path *p, const struct row *row, const void *before, const void *after,
           struct buf *out)
{
	if (value_equal(row, before, after))
		return;
	if (table_is_list(row))
		add_list(p, row, before, after, out);
	else
		add_single(p, row, before, after, out);
}

static void
add_record(const struct path *p, const struct row *row, const void *before, const void *after,
           struct buf *out)
{
	for (size_t i = 0; i < row->of->count; i++)
		add_change(p, &row->of->rows[i], before, after, out);
}

static void
add_rows(const struct settings *before, const struct settings *after, bool fixed, struct buf *out)
{
	static const struct path root = {0};

	for (size_t i = 0; i < settings_table.count; i++)
		if (!fixed || !settings_table.rows[i].reloadable)
			add_change(&root, &settings_table.rows[i], before, after, out);
}

void
settings_add_changes(const struct settings *before, const struct settings *after, struct buf *out)
{
	add_rows(before, after, false, out);
}

void
settings_add_fixed_changes(const struct settings *before, const struct settings *after,
                           struct buf *out)
{
	add_rows(before, after, true, out);
}
