/*
 * /api/blobs/{digest}: bodies of many GB, streamed to every node (or the one that
 * X-Drover-Backend names) at the pace of the slowest; HEAD asks whether all have it.
 */
#ifndef APP_UPLOAD_H
#define APP_UPLOAD_H

#include <stdbool.h>

struct request;

/* Before the body is read. False: the request was refused. */
bool upload_begin(struct request *r);

#endif
