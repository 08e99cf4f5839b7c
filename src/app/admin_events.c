/*
 * GET /admin/v1/events: server-sent events, what the dashboard shows.
 *
 *   state    the gateway now, once a second unless it is as before
 *   history  points of the last hour: all, then each when it is over
 *   recent   requests that failed, were refused or took long: all, then each further one
 *
 * Whoever connects, for the first time or again, is told everything, so that an id need not be
 * remembered: ids only tell that events are missing.
 */
#include "app/admin_impl.h"
#include "app/gateway.h"

static void
dismiss(struct board_watcher *w)
{
	admin_end_lines(LIST_ENTRY(w, struct admin_call, watcher));
}

void
admin_show_events(struct admin_call *c)
{
	struct board *b = c->gateway->board;

	if (board_is_full(b)) {
		admin_fail(c, 503, "%d watch already, and no more may", BOARD_WATCHERS_MAX);
		return;
	}
	admin_begin_stream(c, "text/event-stream");
	if (front_req_head(c->client)->method == HTTP_HEAD) {
		admin_end_lines(c);
		return;
	}
	front_reply_flush(c->client);
	c->watcher.client = c->client;
	c->watcher.dismiss = dismiss;
	board_watch(b, &c->watcher);
}
