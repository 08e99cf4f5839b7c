/*
 * Private to the front end: a connection.
 */
#ifndef IO_FRONT_CONN_H
#define IO_FRONT_CONN_H

#include "front_impl.h"

#include <openssl/ssl.h>

enum {
	FRONT_INPUT_HELD = 32 * 1024,   /* of input that waits, from which on no more is read */
	FRONT_OUTPUT_FULL = 256 * 1024, /* queued for it, above which the source pauses */
	FRONT_OUTPUT_LOW = 64 * 1024,   /* and where it goes on */
	FRONT_STAGED_KEPT = 16 * 1024,  /* memory for staging that is kept between two flushes */
	FRONT_BODY_RATE = 1024,         /* bytes a second a body must have on the whole */
	/* What a client still sends while it has its answer already is read away: as long as
	 * something comes, for so long in all, and so much. */
	FRONT_LINGER_MS = 5000,
	FRONT_LINGER_WHOLE_MS = 30000,
	FRONT_LINGER_BYTES = 1024 * 1024 * 1024,
};

/* The moves between them are drawn in front_conn.c. */
enum front_conn_state {
	FRONT_CONN_SHAKING,   /* TLS: its handshake is not done */
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

/* One read of the socket, by OpenSSL. */
enum front_pull {
	FRONT_PULL_DUE,
	FRONT_PULL_DONE,
	FRONT_PULL_END,
	FRONT_PULL_FAILED,
};

struct front_tls {
	bool wanted;      /* the port speaks TLS */
	bool over;        /* nothing is sealed or opened any more, what comes is read away */
	SSL *ssl;         /* owned; NULL until the first byte has come */
	struct list link; /* in front.shaking, while its handshake waits for its turn */
	enum front_pull pull;
	uint64_t chatter_bytes; /* that were sent while reading */
};

struct front_conn {
	struct front *front;
	struct list link; /* in front.conns */
	enum front_conn_state state;
	enum front_then then;      /* with FLUSHING */
	bool running;              /* front_conn_run is on the stack */
	bool reading;              /* `readable` is on */
	bool idle_over;            /* with IDLE: its time was over once, as something came */
	bool spilled;              /* `bev` may have output that the kernel did not take at once */
	int fd;                    /* owned by `bev` */
	evhtp_connection_t *evhtp; /* owned */
	struct bufferevent *bev;   /* owned by evhtp; writes */
	struct event *readable;    /* owned */
	struct str in;             /* received and not yet read; a slice of `held` unless `running` */
	struct buf held;           /* owned */
	struct front_req *req;     /* owned; set exactly with REQUEST */
	struct front_tls tls;
	struct timer read_timer; /* handshake, idle, head, body, linger: by state */
	struct timer write_timer;
	struct timer look_timer; /* while it is not read */
	size_t head_seen;        /* with HEAD: bytes that were tried already */
	uint64_t drained;        /* with LINGERING */
	int64_t linger_until_ms;
	uint64_t handed_bytes; /* to the kernel or the output buffer, ever */
	uint64_t taken_bytes;  /* of them by the kernel, when the write timer last looked */
	int looks;             /* in vain, by the write timer or for RESETTING */
	char peer[FRONT_PEER_MAX];
	bool loopback;
};

/* libevhtp has accepted. */
evhtp_res front_conn_accept(evhtp_connection_t *evhtp, void *arg);
/* Reads on from what is there, until nothing can be done. */
void front_conn_run(struct front_conn *c);
/* The same, later in this turn of the loop. */
void front_conn_wake(struct front_conn *c);
/* A request begins: `r` is handed over. */
void front_conn_begin(struct front_conn *c, struct front_req *r);
/* The answer was written: the request is gone, and its memory with it. */
void front_conn_end(struct front_conn *c, enum front_then then);
/* Answers instead of a handler, and closes. `head` is NULL where none was read. */
void front_conn_refuse(struct front_conn *c, int status, const char *why,
                       const struct http_head *head);
/* Closes it if it is idle. */
void front_conn_stop(struct front_conn *c);
/* The handshake is done. */
void front_conn_shaken(struct front_conn *c);
/* Closes it once the client has what was sent. */
void front_conn_dismiss(struct front_conn *c);
void front_conn_gone(struct front_conn *c, enum front_gone why);
void front_conn_kill(struct front_conn *c);

/* The client's side has ended. */
void front_conn_end_of_input(struct front_conn *c);
/* The client has taken some of what was queued. */
void front_conn_taken(struct front_conn *c);

/* front_wire.c; freeing ends libevhtp's connection too. */
void front_wire_open(struct front_conn *c);
/* Nothing is reported any more. */
void front_wire_close(struct front_conn *c);
void front_wire_free(struct front_conn *c);
void front_wire_write(struct front_conn *c, const char *bytes, size_t len);
/* Bytes that the kernel has not taken. */
size_t front_wire_queued(const struct front_conn *c);
/* After reading: keeps what is left of the input, and reads on unless that is too much. */
void front_wire_rest(struct front_conn *c);
/* What the socket has. */
void front_wire_read(struct front_conn *c);
/* For front_tls.c: opened bytes came; sealed ones leave. */
void front_wire_take(struct front_conn *c, struct str bytes);
void front_wire_put(struct front_conn *c, const char *bytes, size_t len);

/* front_tls.c: the socket has something; `out` is room to open it in. */
void front_tls_readable(struct front_conn *c, char *out, size_t size);
void front_tls_write(struct front_conn *c, const char *bytes, size_t len);
void front_tls_timed_out(struct front_conn *c);
/* Tells the client that nothing follows. */
void front_tls_end(struct front_conn *c);
void front_tls_close(struct front_conn *c);
void front_tls_free(struct front_conn *c);

#endif
