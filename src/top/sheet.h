/*
 * What is shown, line by line, in pieces that look alike; the terminal and the plain text are
 * written from it. Its texts were made fit (text.h).
 */
#ifndef TOP_SHEET_H
#define TOP_SHEET_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum style {
	STYLE_PLAIN,
	STYLE_FAINT,
	STYLE_STRONG,
	STYLE_TITLE, /* of a table */
	STYLE_PICKED,
	STYLE_GOOD,
	STYLE_BUSY,
	STYLE_WARN,
	STYLE_BAD,
};

enum { STYLES = STYLE_BAD + 1 };

/* A piece of a line: the bytes up to `end`, from where the one before it ends. */
struct span {
	size_t end;
	enum style style;
	bool ends_line;
};

/* Zeroed: empty. */
struct sheet {
	struct buf text;
	struct span *spans; /* owned */
	size_t count;
	size_t room;
	int width; /* of a line; what stands further right is left out; 0: any */
	int lines;
	int column; /* where the line that is being written has come to */
};

void sheet_finish(struct sheet *s);
void sheet_clear(struct sheet *s);
/* `text` is made fit; `width` 0: as wide as it is. */
void sheet_add(struct sheet *s, enum style style, const char *text, int width, bool right);
/* Spaces up to that column. */
void sheet_fill(struct sheet *s, enum style style, int column);
void sheet_end_line(struct sheet *s);
/* Without styles, and without spaces at the ends of lines. */
void sheet_add_plain(const struct sheet *s, struct buf *out);

#endif
