/*
 * Private to the admin listener: one call of its API.
 *
 * Owner: the admin's list, from the head until it is answered or its client is gone; both
 * free it. What takes time (a warm-up) hangs on the call and is abandoned with it.
 */
#ifndef APP_ADMIN_IMPL_H
#define APP_ADMIN_IMPL_H

#include "app/board.h"
#include "app/reload.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/str.h"
#include "io/front.h"

struct admin;
struct admin_call;
struct admin_warm;
struct gateway;

enum { ADMIN_TAIL_MAX = 256 };

struct admin_route {
	enum http_method method;
	const char *path; /* '*' stands for one segment */
	/* The body is there. Answers the call. */
	void (*take)(struct admin_call *c);
};

struct admin_call {
	struct gateway *gateway;
	struct front_req *client;
	const struct admin_route *route;
	struct buf body;
	char tail[ADMIN_TAIL_MAX]; /* what '*' stood for, decoded */
	struct admin_warm *warm;   /* owned; NULL: it warms nothing */
	struct reload_asker reload;
	struct board_watcher watcher;
	struct list link; /* in admin.calls */
};

/* Each of them answers, and ends the call. */
void admin_reply(struct admin_call *c, int status, struct buf *json);
/* 200, with a text of another type. */
void admin_reply_text(struct admin_call *c, const char *type, struct buf *text);
/* A file that may be kept, and asked for again, as the header lines `more` say; 304 sends none. */
void admin_reply_file(struct admin_call *c, int status, const char *type, struct str body,
                      const struct buf *more);
/* `fmt` says what is wrong and what would be right. */
void admin_fail(struct admin_call *c, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* There is no backend of that name: 404, and which there are. */
void admin_refuse_backend(struct admin_call *c, const char *name);
/* An answer without a known length: its pieces are given to the client. */
void admin_begin_stream(struct admin_call *c, const char *type);
/* An answer that comes line by line: begin, lines, end. */
void admin_begin_lines(struct admin_call *c);
void admin_add_line(struct admin_call *c, struct buf *json);
void admin_end_lines(struct admin_call *c);

/* The client is gone, or the call over: a load that was begun goes on. */
void admin_forget_warm(struct admin_warm **w);

void admin_show_config(struct admin_call *c);
void admin_reload(struct admin_call *c);
void admin_purge_cache(struct admin_call *c);
void admin_warm_model(struct admin_call *c);
void admin_show_page(struct admin_call *c);
void admin_show_file(struct admin_call *c);
void admin_show_health(struct admin_call *c);
void admin_show_metrics(struct admin_call *c);
void admin_show_status(struct admin_call *c);
void admin_show_requests(struct admin_call *c);
void admin_show_events(struct admin_call *c);
void admin_show_usage(struct admin_call *c);
void admin_cancel_request(struct admin_call *c);
void admin_drain_backend(struct admin_call *c);
void admin_resume_backend(struct admin_call *c);

#endif
