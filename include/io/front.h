/*
 * The front end: listens, reads requests strictly, writes answers. libevhtp does
 * the accepting behind it and never sees a byte that was not checked; nothing of
 * libevhtp shows here.
 *
 * A front_req is one request and its answer. It belongs to the handler from
 * on_request until the handler has called front_reply_end or front_reply_cut, or
 * on_gone was called; after that the pointer is invalid. The handler may answer
 * at any time, also before the body was read: what is left of the body is then
 * drained within bounds, and the connection closed.
 *
 * A client that half-closes counts as gone (as it does for Ollama), also one that
 * does so right behind its request; only an answer that was given by then is
 * still delivered. One that has sent 32 KiB and more beyond what the handler reads
 * is not read further, and seen to go only when it is written to.
 */
#ifndef IO_FRONT_H
#define IO_FRONT_H

#include "base/buf.h"
#include "base/str.h"
#include "io/loop.h"
#include "proto/http.h"

#include <stdbool.h>
#include <stdint.h>

struct front;
struct front_req;

enum { FRONT_PEER_MAX = 64 }; /* bytes of a client's address as text */

struct front_limits {
	int connections;  /* open at once; further ones wait to be accepted */
	int64_t head_ms;  /* for a whole head, from its first byte; and for a handshake of TLS */
	int64_t body_ms;  /* between two bytes of a body; the total is bounded by a least rate */
	int64_t idle_ms;  /* between two requests of a connection */
	int64_t write_ms; /* without progress of a client that has something to read */
};

enum front_gone {
	FRONT_CLIENT_CLOSED, /* FIN or RST */
	FRONT_WRITE_STALLED, /* read nothing for write_ms */
	FRONT_SHUT_DOWN,     /* front_destroy */
};

struct front_ops {
	/* A valid head has come. The handler calls front_read_body, or answers. */
	void (*on_request)(struct front_req *r, void *arg);
	/* A piece of the body, decoded. After front_read_body only, never from inside it. */
	void (*on_body)(struct front_req *r, struct str piece, void *arg);
	/* The body is complete (at once for a request without one). */
	void (*on_body_end)(struct front_req *r, void *arg);
	/* The body cannot be read further: 400, 408 or 413 as `status` says. The handler answers
	 * with it, now. */
	void (*on_bad_body)(struct front_req *r, int status, const char *why, void *arg);
	/* After front_reply_is_full was true: the client has taken most of it. */
	void (*on_drained)(struct front_req *r, void *arg);
	/* The client is gone. */
	void (*on_gone)(struct front_req *r, enum front_gone why, void *arg);
	/* A head was refused before there was a request: add the headers (lines that end in CRLF) and
	 * the body of the answer. `path` may be empty. */
	void (*refuse)(int status, const char *why, struct str path, const char *peer,
	               struct buf *headers, struct buf *body, void *arg);
};

struct front *front_create(struct loop *l, const struct front_limits *limits,
                           const struct front_ops *ops, void *arg);
/* "127.0.0.1:8080", "[::1]:8080", ":8080" (every address), "localhost:8080" (each address of that
 * name) or "unix:/path" (mode 0666; what a killed program left there is replaced). False: `why`
 * says why. Port 0 takes a free one; front_addresses names it. */
bool front_listen(struct front *f, const char *address, struct buf *why);
/* The same with a socket that listens already, and that is taken over. The file of a unix socket
 * that is not `own` is left where it is. */
bool front_adopt(struct front *f, int fd, const char *address, bool own, struct buf *why);
/* Each listening socket, with the address that it was configured by. */
void front_for_each_socket(const struct front *f,
                           void (*fn)(const char *address, int fd, void *arg), void *arg);
/* While it holds, clients wait in the kernel's queue. */
void front_hold(struct front *f, bool hold);
/* Other limits: of what begins from now on, and of each connection's next time. */
void front_set_limits(struct front *f, const struct front_limits *limits);
/* The addresses in use, as URLs or unix: paths, separated by spaces. */
void front_addresses(const struct front *f, struct buf *out);
/* No new connection; idle ones are closed, others after their answer. */
void front_stop_accepting(struct front *f);
/* Another process has the same sockets, and accepts in its place: every connection that is open
 * has one more request answered, with Connection: close, so that no client loses one that it sent
 * while it was told to go. */
void front_retire(struct front *f);
int front_connections(const struct front *f);
/* Cuts what is left (on_gone for each request). */
void front_destroy(struct front **f);

/* Valid as long as the request. */
const struct http_head *front_req_head(const struct front_req *r);
/* "127.0.0.1:4711" or "unix:". */
const char *front_req_peer(const struct front_req *r);
bool front_req_peer_is_loopback(const struct front_req *r);
bool front_req_is_tls(const struct front_req *r);
/* The handler's own pointer. */
void front_req_set_data(struct front_req *r, void *data);
void *front_req_data(const struct front_req *r);
/* Bytes handed to the answer so far, heads and framing included. */
uint64_t front_req_bytes_out(const struct front_req *r);

/* Lets the body come, once: 100 Continue is sent where it is expected; beyond `max_bytes`, or with
 * a Content-Length beyond it, on_bad_body comes with 413 (INT64_MAX: no bound). */
void front_read_body(struct front_req *r, int64_t max_bytes);
/* Backpressure towards the client that uploads. */
void front_pause_body(struct front_req *r, bool paused);

struct front_head {
	int status;
	struct str reason;  /* ptr NULL: the standard one */
	struct str headers; /* lines that end in CRLF; no framing, no Connection, no Date */
	int64_t length;     /* of the body; -1: not known: chunked, or until close for 1.0 */
};

/* The answer: head, pieces, then end or cut. Nothing is on its way before front_reply_flush or
 * front_reply_end, so that what belongs together leaves in one write. */
void front_reply_head(struct front_req *r, const struct front_head *head);
void front_reply_body(struct front_req *r, struct str piece);
void front_reply_flush(struct front_req *r);
/* At the end of this turn of the loop, unless it is much. The tokens of many streams then leave
 * one right behind the other, and a client that reads them all is not woken for each. */
void front_reply_flush_soon(struct front_req *r);
/* True from a flush that left more than 256 KiB not taken by the client until on_drained: stop the
 * source meanwhile. */
bool front_reply_is_full(const struct front_req *r);
void front_reply_end(struct front_req *r);
/* Sends what was given, then breaks the connection without ending the body: the client must see
 * that the answer is not whole. (Over a unix socket, one of HTTP/1.0 without a length cannot.) */
void front_reply_cut(struct front_req *r);
/* Close the connection after this answer. */
void front_reply_close_after(struct front_req *r);

#endif
