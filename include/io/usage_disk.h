/*
 * The accounts of use on disk: a file of SQLite, written behind by a thread of its own. One row for
 * each hour, key and model, put again whenever it has grown; so what is written twice is no matter,
 * and what could not be written is tried again with the next.
 *
 * Owner: who opened it. All calls come from one thread.
 */
#ifndef IO_USAGE_DISK_H
#define IO_USAGE_DISK_H

#include "base/buf.h"
#include "core/tally.h"
#include "io/disk_news.h"

#include <stdbool.h>

struct usage_disk;

/* Opens or makes the file and calls `load` for each row of the last `keep_hours`, in the order of
 * their hours. Older ones are removed, here and as hours pass. NULL: it cannot be used. `report`
 * gets a sentence when something is wrong, else it stays empty. */
struct usage_disk *usage_disk_open(const char *path, int64_t now_hour, int64_t keep_hours,
                                   tally_fn load, void *arg, struct buf *report);
/* Older ones are removed, once the hour passes. */
void usage_disk_set_keep(struct usage_disk *d, int64_t keep_hours);
/* Copies the row, which replaces the one that was there. */
void usage_disk_put(struct usage_disk *d, const struct tally_row *row);
/* Whether the last write failed; what it was about is tried again with the next. */
bool usage_disk_is_failing(struct usage_disk *d);
/* Since it was asked last. */
enum disk_news usage_disk_news(struct usage_disk *d);
/* Until all that was put before is written, or failed. Not for the loop. */
void usage_disk_wait(struct usage_disk *d);
/* Waits as well. NULL is allowed. */
void usage_disk_close(struct usage_disk **d);

#endif
