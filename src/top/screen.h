/*
 * The terminal, by ncurses, whose only user this is. While it is open the terminal is not as it
 * was; screen_close, which must be reached on every way out, puts it back.
 */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include "base/buf.h"
#include "sheet.h"

#include <stdbool.h>

enum screen_key {
	SCREEN_NO_KEY, /* none is left to read */
	SCREEN_GONE,   /* there is no terminal any more */
	SCREEN_UP,
	SCREEN_DOWN,
	SCREEN_PAGE_UP,
	SCREEN_PAGE_DOWN,
	SCREEN_FIRST,
	SCREEN_LAST,
	SCREEN_TAB,
	SCREEN_OTHER_KEY,
	SCREEN_LETTER, /* this and above: a character, less this */
};

/* Whether there is a terminal to be live in. */
bool screen_is_there(void);
/* False: `why` says why the terminal cannot be used. */
bool screen_open(struct buf *why);
void screen_close(void);
/* As it is now: to be called again once it was resized. */
void screen_take_size(int *rows, int *columns);
void screen_show(const struct sheet *s);
/* Everything anew, since others wrote to the terminal. */
void screen_redraw(void);
/* The next key that was pressed. Called until there is none. */
int screen_read_key(void);

#endif
