/* Head, message, nodes, requests, keys: from the top to the bottom of the screen. */
#include "view.h"

#include <string.h>

enum {
	HEAD_LINES = 5, /* with the message */
	FOOT_LINES = 1,
	NODES_LEAST = 4, /* rows of them, however many requests there are */
	TITLE_LINES = 1,
};

static const char keys[] = "q quit  j k scroll  Tab nodes/requests  s sort  p pause  x cancel  "
                           "d drain  r resume  ? help";
static const char short_keys[] = "q quit  j/k scroll  Tab other table  s sort  p pause  ? help";

static const char *const help[] = {
    "  q            quit",
    "  up down j k  one row; PgUp PgDn Space b: a page; Home End g G: first, last",
    "  Tab          from the requests to the nodes and back",
    "  s            other order: turn, age, tokens, tokens/s, key, model",
    "  p            pause, so that nothing moves; again: go on",
    "  x            cancel the request that is picked",
    "  d, r         drain the node that is picked; have it back",
    "  ?            this; any key: back",
    "",
    "  The state of a request is \"loading\" where its model is being loaded for it; that of",
    "  a node \"broken\" while it is left alone since it failed too often, \"trying\" when it is",
    "  given one request to show whether it is well.",
};

void
view_init(struct view *v, const char *url)
{
	*v = (struct view){.url = url, .pane = PANE_REQUESTS};
}

void
view_finish(struct view *v)
{
	for (int i = 0; i < PANES; i++)
		table_finish(&v->tables[i]);
	buf_finish(&v->note);
}

/* What is picked stays on the screen, and neither is behind the last row. */
static void
settle_scroll(struct scroll *s, size_t rows, size_t room)
{
	s->shown = room;
	if (s->picked >= rows)
		s->picked = rows == 0 ? 0 : rows - 1;
	if (s->picked < s->first)
		s->first = s->picked;
	if (room > 0 && s->picked >= s->first + room)
		s->first = s->picked - room + 1;
	if (s->first + room > rows)
		s->first = rows > room ? rows - room : 0;
}

/* The nodes get what the requests leave, and at least half of it. */
static void
share_room(struct view *v)
{
	int fixed = HEAD_LINES + FOOT_LINES + 2 * TITLE_LINES;
	size_t room = v->rows > fixed ? (size_t)(v->rows - fixed) : 0;
	size_t nodes = v->tables[PANE_NODES].rows, requests = v->tables[PANE_REQUESTS].rows;
	size_t for_nodes = room / 2 > NODES_LEAST ? room / 2 : NODES_LEAST;

	if (room > requests && room - requests > for_nodes)
		for_nodes = room - requests;
	if (for_nodes > nodes)
		for_nodes = nodes;
	if (for_nodes > room)
		for_nodes = room;
	settle_scroll(&v->scrolls[PANE_NODES], nodes, for_nodes);
	settle_scroll(&v->scrolls[PANE_REQUESTS], requests, room - for_nodes);
}

static void
draw_pane(const struct view *v, enum pane pane, struct sheet *s)
{
	const struct scroll *at = &v->scrolls[pane];
	bool picks = v->pane == pane && v->tables[pane].rows > 0;

	table_draw(&v->tables[pane], s, v->columns, at->first, at->shown,
	           picks ? (long)at->picked : -1);
}

static void
draw_help(const struct view *v, struct sheet *s)
{
	for (size_t i = 0; i < sizeof(help) / sizeof(help[0]); i++) {
		sheet_add(s, STYLE_PLAIN, help[i], 0, false);
		sheet_end_line(s);
	}
}

static void
fill_lines(struct sheet *s, int until)
{
	while (s->lines < until)
		sheet_end_line(s);
}

static void
draw_none(struct sheet *s)
{
	sheet_add(s, STYLE_FAINT, "no request is under way", 0, false);
	sheet_end_line(s);
}

static void
draw_plain(struct view *v, const struct picture *p, struct sheet *s)
{
	view_draw_head(v, p, s);
	sheet_end_line(s);
	table_draw(&v->tables[PANE_NODES], s, 0, 0, v->tables[PANE_NODES].rows, -1);
	sheet_end_line(s);
	if (p->row_count > 0) {
		table_draw(&v->tables[PANE_REQUESTS], s, 0, 0, v->tables[PANE_REQUESTS].rows, -1);
		return;
	}
	draw_none(s);
}

void
view_draw(struct view *v, struct picture *p, struct sheet *s)
{
	sheet_clear(s);
	s->width = v->columns;
	order_rows(p, v->order);
	view_fill_nodes(p, &v->tables[PANE_NODES]);
	view_fill_requests(p, &v->tables[PANE_REQUESTS]);
	if (v->rows == 0) {
		draw_plain(v, p, s);
		return;
	}
	share_room(v);
	view_draw_head(v, p, s);
	if (v->note.len > 0)
		sheet_add(s, v->note_style, buf_text(&v->note), 0, false);
	sheet_end_line(s);
	if (v->helping) {
		draw_help(v, s);
	} else {
		draw_pane(v, PANE_NODES, s);
		if (s->lines + TITLE_LINES + (int)v->tables[PANE_REQUESTS].rows < v->rows - FOOT_LINES)
			sheet_end_line(s);
		draw_pane(v, PANE_REQUESTS, s);
		if (p->row_count == 0 && s->lines < v->rows - FOOT_LINES)
			draw_none(s);
	}
	fill_lines(s, v->rows - FOOT_LINES);
	sheet_add(s, STYLE_FAINT, v->columns < (int)sizeof(keys) ? short_keys : keys, 0, false);
	sheet_end_line(s);
}

void
view_press(struct view *v, const struct picture *p, enum view_key key)
{
	struct scroll *s = &v->scrolls[v->pane];
	size_t rows = v->tables[v->pane].rows, page = s->shown > 1 ? s->shown - 1 : 1;

	switch (key) {
	case VIEW_UP: s->picked -= s->picked > 0; break;
	case VIEW_DOWN: s->picked += s->picked + 1 < rows; break;
	case VIEW_PAGE_UP: s->picked -= s->picked > page ? page : s->picked; break;
	case VIEW_PAGE_DOWN:
		s->picked = s->picked + page < rows ? s->picked + page : rows - (rows > 0);
		break;
	case VIEW_FIRST: s->picked = 0; break;
	case VIEW_LAST: s->picked = rows - (rows > 0); break;
	case VIEW_OTHER_PANE: v->pane = v->pane == PANE_NODES ? PANE_REQUESTS : PANE_NODES; break;
	case VIEW_ORDER: v->order = (enum order_by)((v->order + 1) % ORDERS); break;
	}
}

const struct node_shown *
view_node(const struct view *v, const struct picture *p)
{
	size_t row = v->scrolls[PANE_NODES].picked;

	if (v->pane != PANE_NODES)
		return NULL;
	/* A node, then its models. */
	for (size_t i = 0; i < p->node_count; i++) {
		if (row <= p->nodes[i].model_count)
			return &p->nodes[i];
		row -= 1 + p->nodes[i].model_count;
	}
	return NULL;
}

const struct request_shown *
view_request(const struct view *v, const struct picture *p)
{
	size_t row = v->scrolls[PANE_REQUESTS].picked;

	return v->pane == PANE_REQUESTS && row < p->row_count ? &p->rows[row] : NULL;
}
