/*
 * `drover top`: the terminal, the keys and the signals, around an asker and a view.
 *
 * Invariants: the terminal is opened when the first picture is there, so that what is wrong with
 * the address is said like any other error; it is closed on every way out of top_run.
 */
#include "top/top.h"

#include "asker.h"
#include "base/clock.h"
#include "base/mem.h"
#include "io/admin_client.h"
#include "io/loop.h"
#include "screen.h"
#include "text.h"
#include "view.h"

#include <event2/event.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { INTERVAL_MS = 1000 };

/* A question that stands on the screen until it is answered. */
enum question { ASK_NOTHING, ASK_CANCEL, ASK_DRAIN, ASK_RESUME };

static const struct {
	const char *ask; /* with the name between the two words */
	const char *done;
	enum http_method method;
	const char *path;
} questions[] = {
    [ASK_CANCEL] = {"cancel request", "cancelled request", HTTP_DELETE, "/admin/v1/requests/*"},
    [ASK_DRAIN] = {"drain node", "drains: node", HTTP_POST, "/admin/v1/backends/*/drain"},
    [ASK_RESUME] = {"have back node", "is back: node", HTTP_POST, "/admin/v1/backends/*/resume"},
};

enum { SIGNALS = 6 };

struct top {
	const struct top_conf *conf;
	struct loop *loop;   /* owned */
	struct asker *asker; /* owned */
	struct view view;
	struct sheet sheet;
	struct picture *picture; /* the asker's; NULL: none yet */
	struct event *input;     /* owned; NULL: the terminal is not open */
	struct event *signals[SIGNALS];
	bool live;    /* in a terminal */
	bool lost;    /* the last round failed */
	bool stopped; /* the loop was told to */
	enum question question;
	struct buf asked; /* the name that the question is about */
	int status;
};

static void
stop(struct top *t, int status)
{
	t->status = status;
	t->stopped = true;
	loop_stop(t->loop);
}

/* --- the screen --- */

static void
draw(struct top *t)
{
	if (t->picture == NULL || t->input == NULL)
		return;
	view_draw(&t->view, t->picture, &t->sheet);
	screen_show(&t->sheet);
}

static void
note(struct top *t, enum style style, const char *text)
{
	buf_clear(&t->view.note);
	buf_adds(&t->view.note, text);
	t->view.note_style = style;
}

/* --- keys --- */

static void
ask(struct top *t, enum question q, const char *name)
{
	struct buf text = {0};

	t->question = q;
	buf_clear(&t->asked);
	buf_adds(&t->asked, name);
	buf_addf(&text, "%s %s? y: yes, any other key: no", questions[q].ask, name);
	note(t, STYLE_WARN, buf_text(&text));
	buf_finish(&text);
}

static void
answer(struct top *t, bool yes)
{
	enum question q = t->question;
	struct buf text = {0};

	t->question = ASK_NOTHING;
	note(t, STYLE_PLAIN, "");
	buf_addf(&text, "%s %s", questions[q].done, buf_text(&t->asked));
	if (yes && !asker_act(t->asker, questions[q].method, questions[q].path, buf_text(&t->asked),
	                      buf_text(&text)))
		note(t, STYLE_WARN, "one thing after another: the last one is not done yet");
	buf_finish(&text);
}

static void
ask_node(struct top *t, enum question q)
{
	const struct node_shown *n = view_node(&t->view, t->picture);

	if (n == NULL)
		note(t, STYLE_PLAIN, "Tab brings you to the nodes; then pick one");
	else
		ask(t, q, n->name);
}

static void
ask_request(struct top *t)
{
	const struct request_shown *r = view_request(&t->view, t->picture);

	if (r == NULL)
		note(t, STYLE_PLAIN,
		     t->view.pane == PANE_NODES ? "Tab brings you to the requests"
		                                : "no request is under way");
	else
		ask(t, ASK_CANCEL, r->id);
}

static void
press(struct top *t, enum view_key key)
{
	view_press(&t->view, t->picture, key);
}

static void
pause_or_go_on(struct top *t)
{
	t->view.paused = !t->view.paused;
	asker_pause(t->asker, t->view.paused);
}

static void
take_letter(struct top *t, int letter)
{
	switch (letter) {
	case 'q': stop(t, 0); return;
	case 'k': press(t, VIEW_UP); return;
	case 'j': press(t, VIEW_DOWN); return;
	case ' ': press(t, VIEW_PAGE_DOWN); return;
	case 'b': press(t, VIEW_PAGE_UP); return;
	case 'g': press(t, VIEW_FIRST); return;
	case 'G': press(t, VIEW_LAST); return;
	case 's': press(t, VIEW_ORDER); return;
	case 'p': pause_or_go_on(t); return;
	case 'x': ask_request(t); return;
	case 'd': ask_node(t, ASK_DRAIN); return;
	case 'r': ask_node(t, ASK_RESUME); return;
	case '?':
	case 'h': t->view.helping = true; return;
	default: return;
	}
}

static void
take_key(struct top *t, int key)
{
	if (t->question != ASK_NOTHING) {
		answer(t, key == SCREEN_LETTER + 'y');
		return;
	}
	if (t->view.helping) {
		t->view.helping = false;
		return;
	}
	if (!t->lost)
		note(t, STYLE_PLAIN, "");
	switch (key) {
	case SCREEN_UP: press(t, VIEW_UP); return;
	case SCREEN_DOWN: press(t, VIEW_DOWN); return;
	case SCREEN_PAGE_UP: press(t, VIEW_PAGE_UP); return;
	case SCREEN_PAGE_DOWN: press(t, VIEW_PAGE_DOWN); return;
	case SCREEN_FIRST: press(t, VIEW_FIRST); return;
	case SCREEN_LAST: press(t, VIEW_LAST); return;
	case SCREEN_TAB: press(t, VIEW_OTHER_PANE); return;
	default: break;
	}
	if (key > SCREEN_LETTER)
		take_letter(t, key - SCREEN_LETTER);
}

static void
on_input(evutil_socket_t fd, short what, void *arg)
{
	struct top *t = arg;
	int key;

	while (!t->stopped && (key = screen_read_key()) != SCREEN_NO_KEY) {
		if (key == SCREEN_GONE) {
			stop(t, 0);
			return;
		}
		take_key(t, key);
	}
	draw(t);
}

/* --- signals --- */

static void
on_end(int signal, void *arg)
{
	stop(arg, 0);
}

static void
on_resize(int signal, void *arg)
{
	struct top *t = arg;

	if (t->input == NULL)
		return;
	screen_take_size(&t->view.rows, &t->view.columns);
	draw(t);
}

/* It was stopped, and others wrote to the terminal meanwhile. */
static void
on_continue(int signal, void *arg)
{
	struct top *t = arg;

	if (t->input == NULL)
		return;
	on_resize(signal, arg);
	screen_redraw();
}

static void
take_signals(struct top *t)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	size_t n = 0;

	for (; n < sizeof(ends) / sizeof(ends[0]); n++)
		t->signals[n] = loop_on_signal(t->loop, ends[n], on_end, t);
	t->signals[n++] = loop_on_signal(t->loop, SIGWINCH, on_resize, t);
	t->signals[n] = loop_on_signal(t->loop, SIGCONT, on_continue, t);
}

/* --- what the asker brings --- */

static bool
open_screen(struct top *t)
{
	struct buf why = {0};

	if (!screen_open(&why)) {
		fprintf(stderr, "drover top: %s; once, then\n", buf_text(&why));
		buf_finish(&why);
		return false;
	}
	t->input = event_new(loop_base(t->loop), STDIN_FILENO, EV_READ | EV_PERSIST, on_input, t);
	if (t->input == NULL || event_add(t->input, NULL) != 0)
		abort();
	screen_take_size(&t->view.rows, &t->view.columns);
	return true;
}

static void
print(struct top *t)
{
	struct buf text = {0};
	bool again = t->conf->interval_ms > 0 && !t->conf->once;

	view_draw(&t->view, t->picture, &t->sheet);
	sheet_add_plain(&t->sheet, &text);
	if (again)
		buf_addc(&text, '\n');
	fputs(buf_text(&text), stdout);
	if (fflush(stdout) != 0)
		stop(t, 1);
	else if (!again)
		stop(t, 0);
	buf_finish(&text);
}

static void
on_picture(struct picture *p, void *arg)
{
	struct top *t = arg;

	t->picture = p;
	if (t->live && t->input == NULL)
		t->live = open_screen(t);
	if (!t->live) {
		print(t);
		return;
	}
	if (t->lost)
		note(t, STYLE_GOOD, "it answers again");
	t->lost = false;
	draw(t);
}

static void
on_failure(bool reached, const char *why, void *arg)
{
	struct top *t = arg;
	struct buf text = {0};

	if (t->input == NULL) {
		fprintf(stderr, "drover top: %s%s\n", why, reached ? "" : admin_client_hint);
		if (t->picture == NULL)
			stop(t, 1);
		return;
	}
	t->lost = true;
	t->question = ASK_NOTHING;
	text_add_duration(&text, clock_now_ms() - t->picture->taken_ms);
	buf_addf(&text, " old, trying again: %s", why);
	note(t, STYLE_BAD, buf_text(&text));
	draw(t);
	buf_finish(&text);
}

static void
on_acted(bool done, const char *text, void *arg)
{
	struct top *t = arg;

	note(t, done ? STYLE_GOOD : STYLE_BAD, text);
	draw(t);
}

static const struct asker_ops asker_ops = {
    .on_picture = on_picture,
    .on_failure = on_failure,
    .on_acted = on_acted,
};

/* --- its life --- */

static int
run(struct top *t)
{
	int64_t interval_ms = t->conf->interval_ms > 0 ? t->conf->interval_ms : INTERVAL_MS;
	struct buf why = {0};

	t->asker = asker_create(t->loop, t->conf, interval_ms, &asker_ops, t, &why);
	if (t->asker == NULL)
		fprintf(stderr, "drover top: --admin %s\n", buf_text(&why));
	buf_finish(&why);
	if (t->asker == NULL)
		return 2;
	take_signals(t);
	loop_run(t->loop);
	return t->status;
}

int
top_run(const struct top_conf *conf)
{
	struct top t = {.conf = conf, .live = screen_is_there() && !conf->once};
	int status;

	setlocale(LC_CTYPE, "");
	view_init(&t.view, conf->url);
	t.loop = loop_create();
	status = run(&t);
	if (t.input != NULL)
		event_free(t.input);
	screen_close();
	for (size_t i = 0; i < SIGNALS; i++)
		loop_off_signal(&t.signals[i]);
	asker_destroy(&t.asker);
	loop_destroy(&t.loop);
	view_finish(&t.view);
	sheet_finish(&t.sheet);
	buf_finish(&t.asked);
	return status;
}
