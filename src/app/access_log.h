/*
 * The access log: a line a request, gathered and written at most every 100 ms, or
 * when 32 KiB are full. Never a prompt, an answer or a key.
 */
#ifndef APP_ACCESS_LOG_H
#define APP_ACCESS_LOG_H

#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"
#include "io/loop.h"

struct access_log;
struct request;
struct front_req;

/* `target`: "stdout", "off" or a file's path. NULL: `why` says why it cannot be opened. */
struct access_log *access_log_create(struct loop *l, const char *target, enum log_format format,
                                     struct buf *why);
void access_log_destroy(struct access_log **lp);
/* Opens its file again (after a rotation). */
void access_log_reopen(struct access_log *log);
void access_log_add(struct access_log *log, const struct request *r, const char *end);
/* One that was refused before it was a request. */
void access_log_add_refusal(struct access_log *log, const char *id, const char *peer,
                            struct str path, int status);

#endif
