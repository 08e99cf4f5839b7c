/*
 * Private to the front end: a request and its answer.
 */
#ifndef IO_FRONT_REQ_H
#define IO_FRONT_REQ_H

#include "front_conn.h"

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
	struct list due_link;      /* in front.due */
	uint64_t flushed_bytes;
};

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
