/* The header by which tracers follow a request (W3C Trace Context, 3.2). */
#ifndef PROTO_TRACEPARENT_H
#define PROTO_TRACEPARENT_H

#include "base/str.h"

#include <stdbool.h>

enum { TRACE_ID_SIZE = 33 };

/* The trace's id, out of a header's value. False: the header is not valid, and is to be ignored;
 * `out` is "" then. */
bool traceparent_read(struct str value, char out[TRACE_ID_SIZE]);

#endif
