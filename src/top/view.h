/*
 * What stands where on the screen. It knows no terminal: it draws a picture into a sheet of a
 * given size, and is told which keys were pressed.
 */
#ifndef TOP_VIEW_H
#define TOP_VIEW_H

#include "order.h"
#include "picture.h"
#include "sheet.h"
#include "table.h"

#include <stdbool.h>

enum pane { PANE_NODES, PANE_REQUESTS };

enum { PANES = PANE_REQUESTS + 1 };

enum view_key {
	VIEW_UP,
	VIEW_DOWN,
	VIEW_PAGE_UP,
	VIEW_PAGE_DOWN,
	VIEW_FIRST,
	VIEW_LAST,
	VIEW_OTHER_PANE,
	VIEW_ORDER,
};

/* Of one table. */
struct scroll {
	size_t first;  /* row that is shown */
	size_t picked; /* row */
	size_t shown;  /* rows there was room for, when it was drawn */
};

/* Zeroed: as it is at the beginning, with the requests in front once view_init was called. */
struct view {
	int rows, columns; /* of the screen; 0: plain text, as long and as wide as it needs */
	const char *url;
	enum order_by order;
	enum pane pane;
	struct scroll scrolls[PANES];
	struct table tables[PANES];
	bool paused;
	bool helping;    /* the keys are explained in the place of the tables */
	struct buf note; /* the line of what happened; empty: none */
	enum style note_style;
};

void view_init(struct view *v, const char *url);
void view_finish(struct view *v);
/* Sorts the rows of `p`, too. */
void view_draw(struct view *v, struct picture *p, struct sheet *s);
/* Where the picture is what was drawn last. */
void view_press(struct view *v, const struct picture *p, enum view_key key);
/* What is picked; NULL: nothing, or the other pane is in front. */
const struct node_shown *view_node(const struct view *v, const struct picture *p);
const struct request_shown *view_request(const struct view *v, const struct picture *p);

/* view_head.c, view_tables.c */
void view_draw_head(const struct view *v, const struct picture *p, struct sheet *s);
void view_fill_nodes(const struct picture *p, struct table *t);
void view_fill_requests(const struct picture *p, struct table *t);

#endif
