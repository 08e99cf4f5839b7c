/* What is wrong with the configuration. */
#include "report.h"

#include "base/mem.h"

#include <stdlib.h>

enum { MOST_SHOWN = 50, LONGEST_PATH = 120 };

struct complaint {
	enum source source;
	int line;
	int column;
	size_t number; /* equal places stay in the order of their finding */
	char *text;    /* owned */
};

void
report_finish(struct report *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->items[i].text);
	free(r->items);
	*r = (struct report){0};
}

/* A key may have a line break in it: a message stays one line. */
static void
flatten(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

void
report_add(struct report *r, const struct origin *from, const char *path, const char *fmt, ...)
{
	struct buf text = {0};
	va_list args;

	if (from->name != NULL)
		buf_adds(&text, from->name);
	if (from->line > 0)
		buf_addf(&text, ":%d:%d", from->line, from->column);
	if (from->name != NULL)
		buf_adds(&text, ": ");
	if (path[0] != '\0')
		buf_addf(&text, "%.*s: ", LONGEST_PATH, path);
	va_start(args, fmt);
	buf_addv(&text, fmt, args);
	va_end(args);
	flatten(text.data);
	r->items = mem_realloc(r->items, (r->count + 1) * sizeof(r->items[0]));
	r->items[r->count] =
	    (struct complaint){from->source, from->line, from->column, r->count, buf_take(&text)};
	r->count++;
}

static int
compare(const void *left, const void *right)
{
	const struct complaint *a = left, *b = right;

	if (a->source != b->source)
		return a->source < b->source ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

void
report_write(struct report *r, struct buf *out)
{
	if (r->count > 1)
		qsort(r->items, r->count, sizeof(r->items[0]), compare);
	for (size_t i = 0; i < r->count && i < MOST_SHOWN; i++)
		buf_addf(out, "%s\n", r->items[i].text);
	if (r->count > MOST_SHOWN)
		buf_addf(out, "and %zu more\n", r->count - MOST_SHOWN);
}
