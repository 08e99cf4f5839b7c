/*
 * The state of the gateway as JSON, in one place: what /admin/v1/status, /admin/v1/requests and
 * /admin/v1/events say of a thing is the same text.
 */
#ifndef APP_ADMIN_SHOW_H
#define APP_ADMIN_SHOW_H

#include "base/buf.h"

#include <stdint.h>

struct gateway;
struct request;

/* Adds the members draining, queue, running, backends and cache of an object: nothing that
 * changes merely because time passes, but how long the oldest has waited. */
void admin_add_state(const struct gateway *g, int64_t now_ms, struct buf *json);
/* Adds the object of one request under way. */
void admin_add_request(const struct request *r, int64_t now_ms, struct buf *json);

#endif
