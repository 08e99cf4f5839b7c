/* Columns that share the room there is: the widest gives way first. */
#include "table.h"

#include "base/mem.h"
#include "text.h"

#include <stdlib.h>

enum { WIDTH_LEAST = 4, WIDTH_MOST = 60, GAP = 1 };

void
table_finish(struct table *t)
{
	buf_finish(&t->texts);
	free(t->cells);
	*t = (struct table){0};
}

void
table_begin(struct table *t, const struct column *columns, size_t count)
{
	if (count > TABLE_COLUMNS_MOST)
		abort();
	t->columns = columns;
	t->column_count = count;
	t->rows = 0;
	buf_clear(&t->texts);
	buf_addc(&t->texts, '\0');
}

void
table_add_row(struct table *t)
{
	if (t->rows == t->room) {
		t->room = t->room == 0 ? 32 : 2 * t->room;
		t->cells = mem_realloc(t->cells, t->room * TABLE_COLUMNS_MOST * sizeof(t->cells[0]));
	}
	for (size_t i = 0; i < TABLE_COLUMNS_MOST; i++)
		t->cells[t->rows * TABLE_COLUMNS_MOST + i] = (struct cell){0, STYLE_PLAIN};
	t->rows++;
}

static struct cell *
cell_at(const struct table *t, size_t row, size_t column)
{
	return &t->cells[row * TABLE_COLUMNS_MOST + column];
}

void
table_put(struct table *t, size_t column, enum style style, const char *text)
{
	*cell_at(t, t->rows - 1, column) = (struct cell){t->texts.len, style};
	buf_add(&t->texts, text, strlen(text) + 1);
}

static const char *
text_at(const struct table *t, size_t row, size_t column)
{
	return buf_text(&t->texts) + cell_at(t, row, column)->at;
}

static bool
is_shown(const struct column *c, int width)
{
	return width == 0 || width >= c->wide_only;
}

static int
natural_width(const struct table *t, size_t column)
{
	int most = text_width(t->columns[column].title);

	for (size_t row = 0; row < t->rows; row++) {
		int width = text_width(text_at(t, row, column));

		most = width > most ? width : most;
	}
	return most < WIDTH_MOST ? most : WIDTH_MOST;
}

/* Takes one column of the screen off the widest that may give. False: none may. */
static bool
narrow(const struct table *t, int *widths)
{
	int *widest = NULL;

	for (size_t i = 0; i < t->column_count; i++)
		if (t->columns[i].width == 0 && widths[i] > WIDTH_LEAST &&
		    (widest == NULL || widths[i] >= *widest))
			widest = &widths[i];
	if (widest != NULL)
		--*widest;
	return widest != NULL;
}

/* 0: the column is not shown. */
static void
find_widths(const struct table *t, int width, int *widths)
{
	int sum = -GAP;

	for (size_t i = 0; i < t->column_count; i++) {
		const struct column *c = &t->columns[i];

		widths[i] = 0;
		if (!is_shown(c, width))
			continue;
		widths[i] = c->width > 0 ? c->width : natural_width(t, i);
		sum += widths[i] + GAP;
	}
	for (; width > 0 && sum > width && narrow(t, widths); sum--)
		;
}

static void
draw_title(const struct table *t, struct sheet *s, int width, const int *widths)
{
	for (size_t i = 0; i < t->column_count; i++) {
		if (widths[i] == 0)
			continue;
		if (s->column > 0)
			sheet_add(s, STYLE_TITLE, "", GAP, false);
		sheet_add(s, STYLE_TITLE, t->columns[i].title, widths[i], t->columns[i].right);
	}
	sheet_fill(s, STYLE_TITLE, width);
	sheet_end_line(s);
}

static void
draw_row(const struct table *t, struct sheet *s, int width, const int *widths, size_t row,
         bool picked)
{
	for (size_t i = 0; i < t->column_count; i++) {
		enum style style = picked ? STYLE_PICKED : cell_at(t, row, i)->style;

		if (widths[i] == 0)
			continue;
		if (s->column > 0)
			sheet_add(s, picked ? STYLE_PICKED : STYLE_PLAIN, "", GAP, false);
		sheet_add(s, style, text_at(t, row, i), widths[i], t->columns[i].right);
	}
	if (picked)
		sheet_fill(s, STYLE_PICKED, width);
	sheet_end_line(s);
}

void
table_draw(const struct table *t, struct sheet *s, int width, size_t first, size_t count,
           long picked)
{
	int widths[TABLE_COLUMNS_MOST];

	find_widths(t, width, widths);
	draw_title(t, s, width, widths);
	for (size_t row = first; row < t->rows && row < first + count; row++)
		draw_row(t, s, width, widths, row, (long)row == picked);
}
