/*
 * Private to the front end: its structs, and what its files call of each other.
 *
 *   front.c         the front as a whole, and what a handler may ask of a request
 *   front_listen.c  addresses, listening sockets, when to accept
 *   front_conn.c    the life of a connection
 *   front_wire.c    its socket
 *   front_tls.c     TLS between the two
 *   front_read.c    heads and bodies from bytes
 *   front_reply.c   answers to bytes
 */
#ifndef IO_FRONT_IMPL_H
#define IO_FRONT_IMPL_H

#include <evhtp.h>
#include <openssl/ssl.h>

/* <sys/queue.h>, which comes with libevhtp, has lists of the same names. */
#undef LIST_ENTRY
#undef LIST_FIRST

#include "base/list.h"
#include "io/front_tls.h"

struct front {
	struct loop *loop;
	struct front_limits limits;
	const struct front_ops *ops;
	void *arg;
	evhtp_t *evhtp;        /* owned */
	struct list listeners; /* of struct front_listener, by link; owned */
	struct list conns;     /* of struct front_conn, by link; owned */
	int conn_count;
	struct timer accept_pause;
	struct waker accept_turn; /* goes on accepting after a burst */
	int burst;                /* accepted since it ran */
	bool accept_failing;      /* the last accept failed: said once */
	int64_t full_said_ms;     /* when the log last said that the limit is reached */
	bool held;                /* nothing is accepted yet */
	struct list due;          /* of struct front_req, by due_link: to be flushed in this turn */
	struct waker due_turn;    /* which does it */
	bool stopping;
	bool retired;        /* another process accepts at the same sockets */
	SSL_CTX *tls;        /* owned; NULL: plain */
	struct list shaking; /* of struct front_conn, by tls.link: handshakes wait for a turn */
	struct waker shake_turn;
	int shakes; /* since it ran */
	struct front_tls_figures tls_figures;
	struct buf spare;         /* owned; staging memory for the next answer */
	struct http_head scratch; /* the head that is being read */
	int64_t date_s;
	char date[32];
};

/* front.c */
const char *front_date(struct front *f);

/* front_listen.c */
void front_listeners_free(struct front *f);
/* Accepts, or not, as limit, failure and stop say. */
void front_accept_update(struct front *f);
/* One more connection is open. */
void front_accept_count(struct front *f);
void front_on_accept_pause(void *arg);
void front_on_accept_turn(void *arg);

/* front_reply.c */
void front_on_due_turn(void *arg);

/* front_tls.c */
void front_on_shake_turn(void *arg);

#endif
