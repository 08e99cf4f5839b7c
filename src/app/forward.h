/*
 * Which headers pass: of the request to a node, of the answer to the client.
 */
#ifndef APP_FORWARD_H
#define APP_FORWARD_H

#include "base/buf.h"
#include "proto/http.h"
#include "proto/rename.h"

struct request;

/* Adds the lines of the client's request that a node may see: not what belongs to the
 * connection, not Host, Origin, Expect, keys, forwarding headers or the gateway's own; then
 * X-Forwarded-For. */
void forward_request_headers(const struct request *r, struct buf *out);
/* Adds the lines of a node's answer that the client may see, then the gateway's own. */
void forward_answer_headers(const struct request *r, const struct http_head *answer,
                            const char *backend, struct buf *out);
/* Who named an alias sees it in the answer too. NULL: nothing is to be renamed in it. */
struct rename *forward_begin_rename(const struct request *r, const struct http_head *answer);

#endif
