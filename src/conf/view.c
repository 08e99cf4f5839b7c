/* What is in force, as YAML. */
#include "conf/settings.h"

#include "base/mem.h"
#include "expand.h"
#include "sheet.h"
#include "value.h"

#include <stdlib.h>
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
		else if (row->kind != KIND_PAIRS)
			fill_text(row, base, &cells[i]);
	}
}

/* By hand, and after the rest: libcyaml writes no keys that its schema does not have. A JSON string
 * is a YAML one. */
static void
add_pairs(const struct row *row, const void *base, struct buf *out)
{
	const struct text_map *map = value_pairs(row, base);

	while (out->len >= 4 && memcmp(out->data + out->len - 4, "...\n", 4) == 0)
		out->len -= 4;
	buf_addf(out, "%s:%s\n", row->path, map->count == 0 ? " {}" : "");
	for (size_t i = 0; i < map->count; i++) {
		char *value = escape(map->items[i].value);

		buf_adds(out, "  ");
		buf_add_json(out, map->items[i].name, strlen(map->items[i].name));
		buf_adds(out, ": ");
		buf_add_json(out, value, strlen(value));
		buf_addc(out, '\n');
		free(value);
	}
}

void
settings_add_yaml(const struct settings *s, struct buf *out)
{
	struct cell *cells = mem_zalloc(settings_table.count, sizeof(cells[0]));

	fill_cells(&settings_table, s, cells);
	sheet_save(cells, out);
	sheet_destroy(cells);
	for (size_t i = 0; i < settings_table.count; i++)
		if (settings_table.rows[i].kind == KIND_PAIRS)
			add_pairs(&settings_table.rows[i], s, out);
}
