/*
 * One request to a node and its answer, forwarded piece by piece.
 *
 * The caller owns the exchange from exchange_start until on_end was called or
 * exchange_cancel; no callback comes from inside exchange_start. Exactly one
 * on_end comes, unless it is cancelled.
 */
#ifndef IO_EXCHANGE_H
#define IO_EXCHANGE_H

#include "base/str.h"
#include "io/upstream.h"
#include "proto/http.h"

#include <stdbool.h>
#include <stdint.h>

struct exchange;

enum exchange_end {
	EXCHANGE_DONE,
	EXCHANGE_CONNECT_FAILED,  /* no byte of the request was sent: may be tried again */
	EXCHANGE_CONNECT_TIMEOUT, /* the same */
	EXCHANGE_TLS_FAILED,      /* the same: the handshake, or its certificate is not trusted */
	EXCHANGE_STALE,  /* a reused connection closed while the request was on its way, which it did
	                  * not reach: may be tried again */
	EXCHANGE_CLOSED, /* closed after the request, before a whole head */
	EXCHANGE_SEND_TIMEOUT, /* it stopped taking the request */
	EXCHANGE_FIRST_BYTE_TIMEOUT,
	EXCHANGE_IDLE_TIMEOUT,
	EXCHANGE_CUT,        /* closed in the middle of the body */
	EXCHANGE_BAD_ANSWER, /* no HTTP that could be forwarded */
};

/* A constant sentence about the node: "the connection was refused or failed". */
const char *exchange_end_text(enum exchange_end end);
/* Whether there was no connection at all. */
bool exchange_end_is_connect(enum exchange_end end);
/* Whether a time ran out: a gateway's 504. */
bool exchange_end_is_late(enum exchange_end end);
/* What `why` of on_end adds to that text; NULL: nothing. */
const char *exchange_end_detail(enum exchange_end end, const char *why);

struct exchange_ops {
	/* The final head; 1xx were skipped. Its slices live during the call. */
	void (*on_head)(struct exchange *x, const struct http_head *head, void *arg);
	/* What one read of the socket brought of it, however many chunks that was. */
	void (*on_body)(struct exchange *x, struct str piece, void *arg);
	/* What one read of the socket brought has been handed over: send it on. Where that was the
	 * end, on_end comes instead. */
	void (*on_flush)(struct exchange *x, void *arg);
	/* The upload may go on (after exchange_send returned false). May be NULL. */
	void (*on_drained)(struct exchange *x, void *arg);
	/* `why` is a constant sentence for EXCHANGE_* other than DONE. The exchange is gone after
	 * it. */
	void (*on_end)(struct exchange *x, enum exchange_end end, const char *why, void *arg);
};

struct exchange_request {
	enum http_method method;
	struct str target;       /* path and query */
	struct str headers;      /* lines that end in CRLF; no Host, no framing, no Connection */
	struct str body;         /* stays valid until the end; with `streamed` it must be empty */
	bool streamed;           /* the body comes by exchange_send */
	int64_t streamed_length; /* -1: chunked */
	bool fresh;              /* on a new connection: a kept one turned out to be closed */
	int64_t first_byte_ms;   /* from the whole request being sent to the head; 0: no limit */
	int64_t idle_ms;         /* between two bytes of the answer, and for a node that stops taking
	                          * the request; 0: no limit */
};

/* Copies target and headers; borrows body. */
struct exchange *exchange_start(struct upstream *u, const struct exchange_request *req,
                                const struct exchange_ops *ops, void *arg);
/* A piece of a streamed body. False: more than 256 KiB wait; stop until on_drained. After an
 * answer that came before the end of the body, pieces are dropped. */
bool exchange_send(struct exchange *x, struct str piece);
void exchange_send_end(struct exchange *x);
/* Backpressure: stop and go on reading the answer. The idle limit rests meanwhile. */
void exchange_pause(struct exchange *x, bool paused);
/* Closes the connection at once: for Ollama that cancels the generation. NULL is allowed. */
void exchange_cancel(struct exchange **x);
/* Whether every byte of the request has left for the kernel. */
bool exchange_was_sent(const struct exchange *x);

#endif
