/*
 * Where a job stands, in words for who waits for it and who watches.
 */
#ifndef APP_STANDING_H
#define APP_STANDING_H

#include "base/buf.h"

struct job;
struct request;

/* The members state, class, position, eta_ms, loading_on and waited_ms of a JSON object. */
void standing_add_json(const struct request *r, const struct job *j, struct buf *json);
/* One line without its end, for a heartbeat. */
void standing_add_line(const struct request *r, const struct job *j, struct buf *out);

#endif
