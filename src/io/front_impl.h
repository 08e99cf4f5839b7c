/*
 * Private to the front end: its structs, and what its files call of each other.
 *
 *   front.c         the front as a whole, and what a handler may ask of a request
 *   front_listen.c  addresses, listening sockets, when to accept
 *   front_conn.c    the life of a connection
 *   front_read.c    heads and bodies from bytes
 *   front_reply.c   answers to bytes
 */
#ifndef IO_FRONT_IMPL_H
#define IO_FRONT_IMPL_H

#include <evhtp.h>

/* <sys/queue.h>, which comes with libevhtp, has lists of the same names. */
#undef LIST_ENTRY
#undef LIST_FIRST

#include "base/list.h"
#include "io/front.h"

enum {
	FRONT_INPUT_MAX = 64 * 1024,           /* read ahead of a client */
	FRONT_OUTPUT_FULL = 256 * 1024,        /* queued for it, above which the source pauses */
	FRONT_OUTPUT_LOW = 64 * 1024,          /* and where it goes on */
	FRONT_STAGED_KEPT = 16 * 1024,         /* memory for staging that is kept between two flushes */
	FRONT_BODY_RATE = 1024,                /* bytes a second a body must have on the whole */
	FRONT_LINGER_MS = 5000,                /* for a client to read an early answer */
	FRONT_LINGER_BYTES = 64 * 1024 * 1024, /* of what it still sends meanwhile */
};

struct front {
	struct loop *loop;
	struct front_limits limits;
	const struct front_ops *ops;
	void *arg;
	evhtp_t *evhtp;                 /* owned */
	struct bufferevent *decoy;      /* owned; what libevhtp reads instead of clients */
	bufferevent_data_cb evhtp_read; /* libevhtp's own callbacks, which only we call */
	bufferevent_data_cb evhtp_write;
	struct list listeners; /* of struct front_listener, by link; owned */
	struct list conns;     /* of struct front_conn, by link; owned */
	int conn_count;
	struct timer accept_pause;
	bool accept_failing; /* the last accept failed: said once */
	bool stopping;
	struct buf spare;         /* owned; staging memory for the next request */
	struct http_head scratch; /* the head that is being read */
	int64_t date_s;
	char date[32];
};

/* What moves it is written at the functions of front_conn.c. */
enum front_conn_state {
	FRONT_CONN_IDLE,      /* no byte of the next head has come */
	FRONT_CONN_HEAD,      /* a part of it has */
	FRONT_CONN_REQUEST,   /* `req` is with the handler */
	FRONT_CONN_FLUSHING,  /* answered; the client has not taken all of it; then `then` */
	FRONT_CONN_LINGERING, /* half-closed; what the client still sends is read away */
	FRONT_CONN_RESETTING, /* until the client's side has everything, then RST */
	FRONT_CONN_DEAD,      /* buried */
};

enum front_then {
	FRONT_THEN_NEXT,
	FRONT_THEN_CLOSE,
	FRONT_THEN_LINGER,
	FRONT_THEN_RESET,
};

struct front_conn {
	struct front *front;
	struct list link; /* in front.conns */
	enum front_conn_state state;
	enum front_then then;      /* with FLUSHING */
	bool running;              /* front_conn_run is on the stack */
	bool broken;               /* a write failed; the event is on its way */
	evhtp_connection_t *evhtp; /* owned */
	struct bufferevent *bev;   /* owned by evhtp */
	struct front_req *req;     /* owned; set exactly with REQUEST */
	struct timer read_timer;   /* idle, head, body, linger: by state */
	struct timer write_timer;
	size_t head_seen;      /* with HEAD: bytes that were tried already */
	uint64_t drained;      /* with LINGERING */
	uint64_t handed_bytes; /* to the kernel or the output buffer, ever */
	uint64_t taken_bytes;  /* of them by the kernel, when the write timer last looked */
	int looks;             /* in vain, by the write timer or for RESETTING */
	char peer[64];
	bool loopback;
};

enum front_body_state {
	FRONT_BODY_HELD, /* the handler has not asked for it */
	FRONT_BODY_READING,
	FRONT_BODY_PAUSED,
	FRONT_BODY_DONE,
	FRONT_BODY_BAD, /* not to be read further */
};

struct front_req {
	struct front_conn *conn;
	const struct http_head *head; /* in the same block of memory */
	void *data;
	enum front_body_state body;
	int64_t body_max_bytes;
	int64_t body_bytes;    /* decoded and handed over */
	uint64_t body_left;    /* with a Content-Length */
	int64_t body_began_ms; /* moved on by pauses */
	int64_t paused_at_ms;
	struct http_chunks chunks;
	bool replied;              /* the head of the answer was given */
	bool close;                /* close the connection after the answer */
	bool full;                 /* the handler was told to stop */
	enum http_framing framing; /* of the answer */
	uint64_t left;             /* of an answer with a length */
	struct buf staged;         /* owned; given and not yet flushed */
	uint64_t flushed_bytes;
};

/* front.c */
const char *front_date(struct front *f);

/* front_listen.c */
void front_listeners_free(struct front *f);
/* Accepts, or not, as limit, failure and stop say. */
void front_accept_update(struct front *f);
void front_on_accept_pause(void *arg);

/* front_conn.c */
evhtp_res front_conn_accept(evhtp_connection_t *evhtp, void *arg);
/* Reads on from what is there, until nothing can be done. */
void front_conn_run(struct front_conn *c);
/* The same, later in this turn of the loop. */
void front_conn_wake(struct front_conn *c);
void front_conn_write(struct front_conn *c, const char *bytes, size_t len);
size_t front_conn_queued(const struct front_conn *c);
/* A request begins: `r` is handed over. */
void front_conn_begin(struct front_conn *c, struct front_req *r);
/* The answer was written: the request is gone, and its memory with it. */
void front_conn_end(struct front_conn *c, enum front_then then);
/* Answers instead of a handler, and closes. `head` is NULL where none was read. */
void front_conn_refuse(struct front_conn *c, int status, const char *why,
                       const struct http_head *head);
void front_conn_gone(struct front_conn *c, enum front_gone why);
void front_conn_kill(struct front_conn *c);

/* front_read.c; both return whether to call again. */
bool front_read_head(struct front_conn *c);
bool front_read_more(struct front_req *r);
void front_read_timed_out(struct front_req *r);
/* Whether nothing of the body is left to read, after a look at what is there already. */
bool front_read_settle(struct front_req *r);
void front_req_free(struct front_req *r);

/* front_reply.c */
/* The client has taken something. */
void front_reply_taken(struct front_req *r);
/* Whether an orderly close would look like the end of the answer. */
bool front_reply_needs_reset(const struct front_req *r);

#endif
