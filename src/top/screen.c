/* The terminal. */
#include "screen.h"

#include <curses.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termcap.h>
#include <unistd.h>

/* Of a key that is a sequence of bytes; a byte that comes later is a key of its own. */
enum { ESCAPE_MS = 25 };

static SCREEN *terminal; /* NULL: closed. Of the process, as the terminal is. */

static attr_t attributes[STYLES] = {
    [STYLE_PLAIN] = A_NORMAL, [STYLE_FAINT] = A_DIM,      [STYLE_STRONG] = A_BOLD,
    [STYLE_TITLE] = A_BOLD,   [STYLE_PICKED] = A_REVERSE, [STYLE_GOOD] = A_NORMAL,
    [STYLE_BUSY] = A_NORMAL,  [STYLE_WARN] = A_BOLD,      [STYLE_BAD] = A_BOLD,
};

static const struct {
	enum style style;
	short color;
} colors[] = {
    {STYLE_TITLE, COLOR_CYAN},  {STYLE_GOOD, COLOR_GREEN}, {STYLE_BUSY, COLOR_GREEN},
    {STYLE_WARN, COLOR_YELLOW}, {STYLE_BAD, COLOR_RED},
};

/* https://no-color.org: whatever it says, as long as it says something. */
static bool
wants_colors(void)
{
	const char *no = getenv("NO_COLOR");

	return (no == NULL || *no == '\0') && has_colors();
}

static void
take_colors(void)
{
	if (!wants_colors() || start_color() == ERR || use_default_colors() == ERR)
		return;
	for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++) {
		short pair = (short)(i + 1);

		init_pair(pair, colors[i].color, -1);
		attributes[colors[i].style] |= (attr_t)COLOR_PAIR(pair);
	}
}

/* A failed assertion shall be readable, and leave a terminal that can be used. It is raised by
 * this very program, between two calls of ncurses and never inside of one. */
static void
on_abort(int signal)
{
	screen_close();
	raise(signal); /* in its turn, once this returns; it ends the program now */
}

bool
screen_is_there(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

bool
screen_open(struct buf *why)
{
	const char *name = getenv("TERM");

	/* Asked first, since newterm forgets memory where it fails. */
	if (name != NULL && tgetent(NULL, name) == 1)
		terminal = newterm(NULL, stdout, stdin);
	if (terminal == NULL) {
		buf_addf(why, "the terminal \"%s\" is not known", name == NULL ? "" : name);
		return false;
	}
	signal(SIGABRT, on_abort);
	set_escdelay(ESCAPE_MS);
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	take_colors();
	return true;
}

void
screen_close(void)
{
	if (terminal == NULL)
		return;
	/* In a handler only of what ends the program anyway: better a terminal that may be whole. */
	endwin();            // NOLINT(bugprone-signal-handler,cert-sig30-c)
	delscreen(terminal); // NOLINT(bugprone-signal-handler,cert-sig30-c)
	terminal = NULL;
	signal(SIGABRT, SIG_DFL);
}

void
screen_take_size(int *rows, int *columns)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
		resizeterm(size.ws_row, size.ws_col);
	*rows = LINES;
	*columns = COLS;
}

void
screen_show(const struct sheet *s)
{
	const char *text = buf_text(&s->text);
	size_t from = 0;
	int line = 0;

	erase();
	move(0, 0);
	for (size_t i = 0; i < s->count && line < LINES; i++) {
		const struct span *p = &s->spans[i];

		attrset(attributes[p->style]);
		addnstr(text + from, (int)(p->end - from));
		from = p->end;
		if (p->ends_line)
			move(++line, 0);
	}
	refresh();
}

void
screen_redraw(void)
{
	clearok(stdscr, TRUE);
	refresh();
}

/* Nothing to read although there is something: the end. */
static bool
is_gone(void)
{
	struct pollfd in = {STDIN_FILENO, POLLIN, 0};
	int waiting = 0;

	return poll(&in, 1, 0) > 0 && ((in.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0 ||
	                               ioctl(STDIN_FILENO, FIONREAD, &waiting) != 0 || waiting == 0);
}

int
screen_read_key(void)
{
	int key;

	do
		key = getch();
	while (key == KEY_RESIZE); /* ncurses tells itself what it was just told */
	switch (key) {
	case ERR: return is_gone() ? SCREEN_GONE : SCREEN_NO_KEY;
	case KEY_UP: return SCREEN_UP;
	case KEY_DOWN: return SCREEN_DOWN;
	case KEY_PPAGE: return SCREEN_PAGE_UP;
	case KEY_NPAGE: return SCREEN_PAGE_DOWN;
	case KEY_HOME: return SCREEN_FIRST;
	case KEY_END: return SCREEN_LAST;
	case '\t': return SCREEN_TAB;
	default: break;
	}
	return key > 0x20 - 1 && key < 0x7f ? SCREEN_LETTER + key : SCREEN_OTHER_KEY;
}
