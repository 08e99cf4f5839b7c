/*
 * What one request that runs a model has to do with answers that are kept: it is
 * answered by one, shares one that is under way, or is sent to a node and recorded.
 *
 * Owner: the request, until it ends. NULL in a request whose answers are not kept;
 * all functions do nothing then.
 */
#ifndef APP_SHARE_H
#define APP_SHARE_H

#include <stdbool.h>

struct http_head;
struct request;
struct share;
struct str;

/* The body is there. True: the request was answered, or waits for another's answer; false: it is
 * to be sent to a node. */
bool share_begin(struct request *r);
/* Of the end of a request. */
void share_drop(struct request *r);

/* No backend can answer: true where an answer of yesterday did. The request has no work. */
bool share_reply_stale(struct request *r);
/* The client is gone. True: others wait for its answer, and the work on it goes on. */
bool share_outlives_client(struct request *r);

/* Its client is told `why` and cut. True: others wait for its answer, and the work on it goes
 * on; false: nothing was done. */
bool share_cancel_client(struct request *r, const char *why);

/* --- of the relay, whose answer it records --- */

/* Another model answers in the place of its own: the answer is not kept. */
void share_spoil(struct request *r);
/* The client has had the head. True: from now on the answer goes to share_add in the place of the
 * client. */
bool share_begin_answer(struct request *r, const struct http_head *head);
void share_add(struct request *r, struct str piece);
void share_flush(struct request *r);
/* Nobody takes what comes as fast as it comes. */
bool share_is_ahead(const struct request *r);
/* The client can take more. */
void share_resume(struct request *r);
/* The answer is there, or broke off. Where it broke off, the client has all that came; the return
 * says whether that ended a line. */
bool share_end_answer(struct request *r, bool whole);
/* After the answer: true where the client has not taken all of it yet; the rest is the request's
 * work from now on, and ends it. */
bool share_goes_on(struct request *r);

/* Takes care of what must not happen inside of another's callback. `arg` is the answers. */
void share_settle(void *arg);

#endif
