/*
 * A table whose columns get as wide as what stands in them, or share what room there is.
 *
 * Use: table_begin, then for each row table_add_row and table_put for its cells; then table_draw,
 * any number of times.
 */
#ifndef TOP_TABLE_H
#define TOP_TABLE_H

#include "base/buf.h"
#include "sheet.h"

#include <stdbool.h>
#include <stddef.h>

enum { TABLE_COLUMNS_MOST = 16 };

struct column {
	const char *title;
	int width;     /* 0: as its texts need, where there is room */
	int wide_only; /* it is shown from that width of the screen on; 0: always */
	bool right;    /* its texts stand at the right */
};

struct cell {
	size_t at; /* in `texts` */
	enum style style;
};

struct table {
	const struct column *columns; /* borrowed */
	size_t column_count;
	struct buf texts;   /* NUL-terminated, one after another; offset 0 is "" */
	struct cell *cells; /* owned; a row after another */
	size_t rows;
	size_t room; /* in rows */
};

void table_finish(struct table *t);
void table_begin(struct table *t, const struct column *columns, size_t count);
/* An empty one. */
void table_add_row(struct table *t);
/* Into the last row. */
void table_put(struct table *t, size_t column, enum style style, const char *text);
/* The title and `count` rows from `first` on; `picked` stands out (-1: none). `width` of the
 * screen; 0: as much as is needed. */
void table_draw(const struct table *t, struct sheet *s, int width, size_t first, size_t count,
                long picked);

#endif
