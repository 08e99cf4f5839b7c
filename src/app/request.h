/*
 * One request of a client, from its head to the last byte of its answer.
 *
 * Owner: the gateway's list, until request_end. At most one piece of work is
 * attached to it; the work owns what it started and frees itself before it ends
 * the request, or when the request tells it to give up.
 */
#ifndef APP_REQUEST_H
#define APP_REQUEST_H

#include "app/callers.h"
#include "app/client_address.h"
#include "app/work.h"
#include "base/buf.h"
#include "base/list.h"
#include "core/job.h"
#include "io/front.h"
#include "proto/body.h"
#include "proto/refusal.h"
#include "proto/route.h"
#include "proto/traceparent.h"
#include "proto/usage.h"
#include "proto/zstd_body.h"

#include <stdbool.h>
#include <stdint.h>

struct share;

enum { REQUEST_ID_MAX = 128 };

struct request {
	struct gateway *gateway;
	struct config *config;     /* held: the one in force when it came */
	struct front_req *client;  /* the front's; NULL once answered or gone */
	const struct route *route; /* NULL: none matched */
	enum dialect dialect;
	struct str tail;   /* of the path, behind the route's '*'; in the head */
	struct str origin; /* to be allowed in the answer; in the head; ptr NULL: none */
	struct client_address address;
	struct caller *caller;  /* the gateway's, held; NULL: not known, or any may come here */
	struct limit_stay stay; /* among what its caller may have at once */
	char *model;            /* owned; canonical name of the model that is meant, once the body is
	                         * read; NULL: what was named is no name of a model */
	const char *alias_for;  /* what the model that was named stands for; NULL: itself */
	const char *model_sent; /* in its place, to the node; NULL: as the client wrote it */
	struct buf target;      /* so that the node is told of it, where the model is in the path */
	struct work *work;      /* owned; NULL: none */
	struct share *share;    /* owned; NULL: its answer is neither kept nor shared */
	bool in_stream;         /* the head of an event stream was sent ahead of the answer */
	struct body_reader *reader; /* owned; NULL: none */
	struct zstd_body *unzip;    /* owned; in front of the reader; NULL: none */
	struct buf body;            /* collected, as it came */
	bool is_zstd;               /* the body */
	struct buf sent;            /* what is sent in its place; empty: nothing is */
	struct buf rewritten;       /* what was changed in it: X-Drover-Rewrite */
	struct body_facts facts;    /* once the body is complete */
	struct list link;           /* in gateway.requests */
	char id[REQUEST_ID_MAX + 1];
	/* For the log: */
	char trace[TRACE_ID_SIZE]; /* "": the client named none */
	enum http_method method;
	char peer[FRONT_PEER_MAX];
	int64_t began_ms;
	int64_t waited_ms;
	int64_t slot_ms;       /* that it had a slot */
	int64_t first_byte_ms; /* absolute; 0: none yet */
	uint64_t bytes_in;     /* of the body */
	uint64_t bytes_out;    /* of the body */
	int status;
	int attempts;
	bool usage_known;
	struct usage usage;
	int64_t tokens_noted;    /* of its answer, in the last hour's points (board.h) */
	const char *backend;     /* the last one's name; NULL: none */
	const char *cache;       /* what X-Drover-Cache says; NULL: nothing */
	const char *refused_for; /* a word for the metrics; NULL: the status says it */
};

/* Takes the client's id if it is fit, else makes one. */
struct request *request_create(struct gateway *g, struct front_req *client);
/* Logs, unlinks, frees. The client must have been answered, cut or gone, and no work attached. */
void request_end(struct request *r, enum job_end end);
/* The client went away (or the program stops): the work is abandoned, the request ended. */
void request_abandon(struct request *r);

/* An administrator does not want it to go on: the client is told `why`. */
void request_cancel(struct request *r, const char *why);

/* Who asks, as far as shares are concerned: the key's name, or the address; NULL: nobody knows. */
const char *request_key(const struct request *r);
/* What is sent to a node: as it came, or as it was changed. */
struct str request_body(const struct request *r);
/* As it came, without its Content-Encoding; in `decoded` where it had one. */
struct str request_plain_body(const struct request *r, struct buf *decoded);
/* The model that is meant, where an alias was named; else as the client wrote it. */
const char *request_model(const struct request *r);
/* How many tokens its answer has so far, as they were streamed; -1: nobody knows. */
int64_t request_tokens(const struct request *r);
/* Adds members of a JSON object: state, class, position, ..., as standing_add_json, and tokens. */
void request_describe(const struct request *r, struct buf *json);
/* NULL: it is not, or not yet, the scheduler's. */
const struct job *request_job(const struct request *r);

/* The body is read. */
void request_drop_readers(struct request *r);
/* What was collected of it goes back to the budget. */
void request_drop_body(struct request *r);
/* Takes over what is sent in the place of the body, in the clear; the body stays. */
void request_replace_body(struct request *r, struct buf *sent);
/* The body as it came is sent. */
void request_restore_body(struct request *r);
/* False: over the budget for all bodies. */
bool request_keep_body(struct request *r, struct str piece);

/* Adds the gateway's own header lines: id, CORS. */
void request_add_headers(const struct request *r, struct buf *out);
/* A whole answer, then request_end with `end`. */
void request_reply(struct request *r, int status, const char *content_type, struct str body,
                   enum job_end end);
/* In the middle of an answer: says so in the stream's own form, then breaks the connection, since
 * a clean end would pass for success. `status` is what it would have been. request_end is next. */
void request_cut(struct request *r, enum stream_form form, bool at_line_start, int status,
                 const char *why);
/* An error in the caller's dialect; ends the request as refused. Where an event stream was begun
 * already, it is an event of that, and then a cut. */
void request_refuse(struct request *r, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with another end, and Retry-After when `retry_after_ms` is above 0. */
void request_fail(struct request *r, enum job_end end, int status, int64_t retry_after_ms,
                  const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
