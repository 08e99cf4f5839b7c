/*
 * One answer of a node, however it is cut into pieces. 1xx answers are skipped. What could be
 * misread is refused: two lengths, length beside chunks, a bare CR or LF, a folded line, a coding
 * that is not `chunked`, an upgrade or the demand for one.
 */
#ifndef PROTO_HTTP_ANSWER_H
#define PROTO_HTTP_ANSWER_H

#include "base/buf.h"
#include "proto/http.h"

struct http_answer {
	int step;
	int interim;     /* 1xx answers so far */
	bool to_head;    /* the request was HEAD: no body whatever the head says */
	const char *why; /* with HTTP_BAD: what was wrong */
	uint64_t left;
	struct http_chunks chunks;
	struct buf pending;     /* owned; a head that came in pieces */
	struct http_head *head; /* filled at HTTP_HEAD_READ, valid until the next call; framing as the
	                         * head says, also where there is no body (HEAD, 304) */
};

/* `head` is the caller's; answers may share one, since nothing in it outlives the call that read
 * it. */
void http_answer_init(struct http_answer *a, bool to_head, struct http_head *head);
void http_answer_finish(struct http_answer *a);
/* Consumes from `in` until something happened. After HTTP_END the bytes left in `in` belong to
 * nobody: the connection cannot be used again. */
enum http_read http_answer_next(struct http_answer *a, struct str *in, struct str *data);
/* The peer closed: HTTP_END when that ends the body properly, else HTTP_BAD. */
enum http_read http_answer_eof(struct http_answer *a);

#endif
