/*
 * One exchange with a node whose answer goes to the client as it comes, with
 * backpressure. Used by every kind of work that forwards an answer.
 *
 * Owner: the work that embeds it. After on_failed, on_over, a false from
 * on_answer, or relay_abandon nothing runs any more and it may be started again
 * (unless the answer had begun).
 */
#ifndef APP_RELAY_H
#define APP_RELAY_H

#include "app/meter.h"
#include "base/buf.h"
#include "io/exchange.h"
#include "proto/refusal.h"
#include "proto/rename.h"
#include "proto/usage.h"

#include <stdbool.h>

struct relay;
struct request;
struct server;

struct relay_ops {
	/* The answer begins. False: it is not to be forwarded; the exchange is cancelled. */
	bool (*on_answer)(struct relay *y, int status, void *arg);
	/* It ended before an answer began: the client has seen nothing. */
	void (*on_failed)(struct relay *y, enum exchange_end end, void *arg);
	/* The answer was handed over, whole (EXCHANGE_DONE), or it broke off: then the client was
	 * told in its dialect and its connection cut. The request is to be ended now. */
	void (*on_over)(struct relay *y, enum exchange_end end, void *arg);
};

struct relay {
	struct request *request;   /* borrowed */
	struct exchange *exchange; /* owned; NULL: none runs */
	const char *backend;       /* its name */
	const struct relay_ops *ops;
	void *arg;
	const char *why; /* it failed, in detail: a constant sentence, or NULL */
	bool began;
	bool paused;
	bool shared; /* the answer goes to the share of the request, which gives it to the client */
	enum stream_form form;
	struct usage_reader *usage; /* owned; of an answer that ran a model, once it began; or NULL */
	struct rename *rename;      /* owned; where the answer is to have another name of the model */
	bool at_line_start;         /* of a stream: the last piece ended a line */
	struct meter_pace pace;     /* of an answer that runs a model, and is streamed */
	bool has_piece;             /* since the last flush */
	int refused;        /* its status, where the client was promised a stream; 0: it streams */
	struct buf refusal; /* its body then, up to a bound; owned */
};

struct relay_limits {
	int64_t first_byte_ms;
	int64_t idle_ms;
};

/* Sends the request as the client made it, with the headers a node may see. The body is the
 * collected one. */
void relay_start(struct relay *y, struct request *r, struct server *s,
                 const struct relay_limits *limits, const struct relay_ops *ops, void *arg);
void relay_abandon(struct relay *y);
/* What the answer cost, as far as it came. False: nothing is known. */
bool relay_read_usage(const struct relay *y, struct usage *out);
/* Frees what it holds; nothing may run. */
void relay_finish(struct relay *y);
/* Stops in the middle of an answer that has begun: the client is told `why` and cut, as when the
 * node broke off. No call of relay_ops comes of it. */
void relay_break(struct relay *y, const char *why);
/* The client can take more. */
void relay_resume(struct relay *y);

#endif
