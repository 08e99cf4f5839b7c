/* What is in force, as YAML; and what two configurations differ in. */
#include "conf/settings.h"

#include "base/mem.h"
#include "expand.h"
#include "sheet.h"
#include "value.h"

#include <string.h>

static const char masked[] = "********";

static void fill_cells(const struct table *t, const void *base, struct cell *cells);

static char *
escape(const char *text)
{
	struct buf escaped = {0};

	expand_add_escaped(text, &escaped);
	return buf_take(&escaped);
}

static void
fill_texts(const struct text_list *list, struct cell *cell)
{
	/* One more, so that an empty list shows as such. */
	char **items = mem_zalloc(list->count + 1, sizeof(items[0]));

	for (size_t i = 0; i < list->count; i++)
		items[i] = escape(list->items[i]);
	cell->items = items;
	cell->count = (uint32_t)list->count;
}

static void
fill_records(const struct row *row, const void *base, struct cell *cell)
{
	size_t count = value_record_count(row, base);

	cell->items = mem_zalloc(count * row->of->count + 1, sizeof(struct cell));
	cell->count = (uint32_t)count;
	for (size_t i = 0; i < count; i++)
		fill_cells(row->of, value_record(row, base, i), sheet_record(cell, row, i));
}

static void
fill_text(const struct row *row, const void *base, struct cell *cell)
{
	struct buf text = {0};

	if (value_add_text(row, base, &text))
		cell->text = row->secret ? mem_strdup(masked) : escape(buf_text(&text));
	buf_finish(&text);
}

static void
fill_cells(const struct table *t, const void *base, struct cell *cells)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct row *row = &t->rows[i];

		if (row->kind == KIND_TEXTS)
			fill_texts(value_texts(row, base), &cells[i]);
		else if (row->kind == KIND_RECORDS)
			fill_records(row, base, &cells[i]);
		else
			fill_text(row, base, &cells[i]);
	}
}

void
settings_add_yaml(const struct settings *s, struct buf *out)
{
	struct cell *cells = mem_zalloc(settings_table.count, sizeof(cells[0]));

	fill_cells(&settings_table, s, cells);
	sheet_save(cells, out);
	sheet_destroy(cells);
}

void
settings_add_fixed_changes(const struct settings *before, const struct settings *after,
                           struct buf *out)
{
	for (size_t i = 0; i < settings_table.count; i++) {
		const struct row *row = &settings_table.rows[i];

		if (!row->reloadable && !value_equal(row, before, after))
			buf_addf(out, "%s\n", row->path);
	}
}
