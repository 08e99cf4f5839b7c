/*
 * A node and one connection to it. Private to io/upstream*.c and io/exchange.c.
 *
 * The state of a connection tells the list it hangs on, and two functions move
 * it: conn_keep puts it among the idle ones, conn_close ends it. Its holder, an
 * exchange, hears of it through conn_ops, and never from inside a call of its
 * own.
 */
#ifndef IO_UPSTREAM_CONN_H
#define IO_UPSTREAM_CONN_H

#include "base/buf.h"
#include "base/list.h"
#include "base/str.h"
#include "io/loop.h"
#include "io/upstream.h"
#include "upstream_names.h"
#include "upstream_tls.h"
#include "upstream_url.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct upstream {
	struct loop *loop;
	struct upstream_url url; /* finished by upstream_destroy */
	struct buf fixed_lines;  /* Host, and Authorization where there is a key */
	struct tls_client *tls;  /* owned; NULL for http */
	struct names names;
	bool tls_verify;
	int64_t connect_ms;
	int idle_max;
	int idle_count;
	struct list waiting; /* of struct conn, by link: until the host has addresses */
	struct list busy;    /* of struct conn, by link: dialing or held by an exchange */
	struct list idle;    /* of struct conn, by link: the last used first */
};

enum { CONN_READ_BYTES = 64 * 1024 }; /* the most that on_bytes gets at once */

enum conn_state {
	CONN_WAITING, /* in upstream.waiting */
	CONN_DIALING, /* in upstream.busy, like the next three */
	CONN_SHAKING,
	CONN_FAILED, /* no address took it; the holder is told in the next turn */
	CONN_OPEN,
	CONN_IDLE,   /* in upstream.idle */
	CONN_CLOSED, /* in no list; buried */
};

enum conn_failure { CONN_NOT_REACHED, CONN_TIMED_OUT, CONN_NOT_SECURE };

struct conn_ops {
	void (*on_open)(void *arg);
	void (*on_failed)(enum conn_failure failure, const char *why, void *arg);
	/* They live during the call. */
	void (*on_bytes)(struct str bytes, void *arg);
	/* `cleanly`: not by an error. */
	void (*on_closed)(bool cleanly, void *arg);
	/* Some of what was pending has left. */
	void (*on_progress)(void *arg);
	/* The time that conn_limit gave has passed. */
	void (*on_limit)(void *arg);
};

struct conn {
	struct upstream *upstream;
	enum conn_state state;
	struct list link; /* in a list of upstream, by state */
	const struct conn_ops *ops;
	void *arg;
	int fd;
	SSL *ssl;               /* owned; NULL for plain */
	struct event *readable; /* owned; pending while open or idle, unless paused */
	struct event *writable; /* owned; pending while dialing, or when something could not be sent */
	struct event *kick;     /* owned; tells of CONN_FAILED */
	struct timer timer;     /* the one limit that its state has */
	int64_t idle_since_ms;  /* while idle */
	bool reused;
	bool paused;
	bool read_wants_write; /* TLS only */
	bool write_failed;     /* nothing can be sent any more; what comes is still read */
	struct buf out;        /* to be sent, from out_at */
	size_t out_at;
	struct str body; /* to be sent after out; borrowed */
	/* While dialing: */
	struct addresses addresses;
	int address; /* the next to be tried */
	int64_t deadline_ms;
	enum conn_failure failure;
	const char *why; /* why the last address failed; a constant */
};

/* upstream_dial.c: from nothing to CONN_OPEN or CONN_FAILED. */
void conn_dial(struct conn *c);
/* Those that waited for the addresses go on. */
void conn_dial_waiting(struct upstream *u);
/* `writable` or `readable` came while dialing or shaking hands. */
void conn_dial_step(struct conn *c);
void conn_dial_limit(struct conn *c);

/* upstream_conn.c: */
/* An idle connection, or a new one that is being dialed; it may be open at once. `fresh`: a new
 * one. */
struct conn *conn_take(struct upstream *u, bool fresh, const struct conn_ops *ops, void *arg);
/* Gives an open connection back, for the next. */
void conn_keep(struct conn *c);
/* At once, whatever is pending. The memory lives until the end of the turn. */
void conn_close(struct conn *c);
void conn_pause(struct conn *c, bool paused);
/* The kernel takes its time to acknowledge, until it has once waited 40 ms in vain: a node that
 * sends nothing new before (Nagle's algorithm) is held up once. */
void conn_delay_acks(struct conn *c);
/* 0: no limit. */
void conn_limit(struct conn *c, int64_t ms);

/* upstream_send.c: */
/* Puts the parts behind what is pending and sends what the socket takes, without a copy where
 * it takes all. Before CONN_OPEN they only wait. */
void conn_send(struct conn *c, const struct str *parts, int count);
/* The same for a head in `c->out` and a body that outlives the sending. */
void conn_send_all(struct conn *c, struct str body);
void conn_flush(struct conn *c);
size_t conn_pending(const struct conn *c);
/* Whether the other side's system has confirmed every byte that was sent. */
bool conn_has_arrived(const struct conn *c);
/* Forgets what is pending. */
void conn_stop_sending(struct conn *c);

/* For upstream_dial.c: */
void conn_watch(struct conn *c);
void conn_unwatch(struct conn *c);
void conn_opened(struct conn *c);

#endif
