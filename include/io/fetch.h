/*
 * A whole small answer from a node: probes, listings, fan-out. An answer over
 * the bound counts as EXCHANGE_BAD_ANSWER. A reused connection that turns out to
 * be closed is replaced, as for any request.
 */
#ifndef IO_FETCH_H
#define IO_FETCH_H

#include "io/exchange.h"

struct fetch;

/* `status` and `content_type` are 0 and empty unless `end` is EXCHANGE_DONE. Slices live during
 * the call, and a NUL is behind each; the fetch is gone after it. */
typedef void (*fetch_callback)(struct fetch *f, enum exchange_end end, int status,
                               struct str content_type, struct str body, void *arg);

/* `req` and its texts are copied. */
struct fetch *fetch_start(struct upstream *u, const struct exchange_request *req, size_t max_bytes,
                          fetch_callback cb, void *arg);
void fetch_cancel(struct fetch **f);
/* In the callback: what is behind its `end`, a constant sentence, or NULL. */
const char *fetch_why(const struct fetch *f);

#endif
