/* Lines of pieces, in one text. */
#include "sheet.h"

#include "base/mem.h"
#include "text.h"

#include <stdlib.h>

void
sheet_finish(struct sheet *s)
{
	buf_finish(&s->text);
	free(s->spans);
	*s = (struct sheet){0};
}

void
sheet_clear(struct sheet *s)
{
	buf_clear(&s->text);
	s->count = 0;
	s->lines = 0;
	s->column = 0;
}

static void
end_span(struct sheet *s, enum style style, bool ends_line)
{
	if (s->count == s->room) {
		s->room = s->room == 0 ? 64 : 2 * s->room;
		s->spans = mem_realloc(s->spans, s->room * sizeof(s->spans[0]));
	}
	s->spans[s->count++] = (struct span){s->text.len, style, ends_line};
}

void
sheet_add(struct sheet *s, enum style style, const char *text, int width, bool right)
{
	int columns = width > 0 ? width : text_width(text);

	if (s->width > 0 && columns > s->width - s->column)
		columns = s->width - s->column;
	if (columns <= 0)
		return;
	text_add_fit(&s->text, text, columns, right);
	s->column += columns;
	end_span(s, style, false);
}

void
sheet_fill(struct sheet *s, enum style style, int column)
{
	if (column > s->column)
		sheet_add(s, style, "", column - s->column, false);
}

void
sheet_end_line(struct sheet *s)
{
	end_span(s, STYLE_PLAIN, true);
	s->lines++;
	s->column = 0;
}

void
sheet_add_plain(const struct sheet *s, struct buf *out)
{
	size_t from = 0;

	for (size_t i = 0; i < s->count; i++) {
		buf_add(out, buf_text(&s->text) + from, s->spans[i].end - from);
		from = s->spans[i].end;
		if (!s->spans[i].ends_line)
			continue;
		while (out->len > 0 && out->data[out->len - 1] == ' ')
			out->data[--out->len] = '\0';
		buf_addc(out, '\n');
	}
}
