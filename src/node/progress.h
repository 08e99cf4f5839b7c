/*
 * The lines of a pull, a push or a create: all are made at once and sent one a
 * turn of the loop, so that a stream of them is seen as one; without streaming
 * only the last is sent.
 */
#ifndef NODE_PROGRESS_H
#define NODE_PROGRESS_H

#include "node_impl.h"

/* Hangs on the visit and is freed with it. */
struct progress *progress_create(struct visit *v, bool stream);
void progress_add(struct progress *p, const char *status);
void progress_addf(struct progress *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* {"status":"VERB abc...","digest":...,"total":...,"completed":...} */
void progress_add_layer(struct progress *p, const char *verb, const char *digest, int64_t total,
                        int64_t completed);
/* The last line is an error; with `status` when it comes first, or nothing is streamed. */
void progress_fail(struct progress *p, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Begins to answer. */
void progress_start(struct progress *p);
/* The client reads again. */
void progress_drained(struct visit *v);
void progress_destroy(struct progress **p);

#endif
