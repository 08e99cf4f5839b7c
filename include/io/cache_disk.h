/*
 * The cache on disk: what it has outlives a restart. One file of SQLite, written by
 * a thread of its own, so that the loop never waits for a disk.
 *
 * It never costs a request: puts that the disk is too slow for are dropped and
 * counted; where it is full, puts fail and are counted; where not even removing
 * works, or too much waits to be removed, the file is given up rather than left
 * with what should be gone. A damaged file yields what of it is sound.
 *
 * Owner: who opened it. All calls come from one thread.
 */
#ifndef IO_CACHE_DISK_H
#define IO_CACHE_DISK_H

#include "base/buf.h"
#include "base/sha256.h"
#include "base/str.h"
#include "io/disk_news.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache_disk;

struct cache_disk_row {
	struct sha256 key;
	struct str model;
	unsigned tag;
	int64_t made_wall_ms; /* since 1970: other clocks do not outlive a restart */
	struct str body;
};

struct cache_disk_limits {
	size_t file_bytes;    /* the file grows to this, and its journal to some MiB beside it */
	size_t backlog_bytes; /* of what waits to be written */
};

struct cache_disk_stats {
	uint64_t written;
	uint64_t dropped; /* the backlog was full */
	uint64_t failed;  /* the disk was full, or broken */
	bool given_up;
};

/* Opens or makes the file; `load` is called for each sound row, in the order in which
 * they were put. NULL: it cannot
 * be used. `report` gets a sentence when something was lost or is wrong, else it stays empty. */
struct cache_disk *cache_disk_open(const char *path, const struct cache_disk_limits *limits,
                                   void (*load)(const struct cache_disk_row *row, void *arg),
                                   void *arg, struct buf *report);
/* The file grows to that from now on. One that is larger already gets no smaller. */
void cache_disk_set_file_bytes(struct cache_disk *d, size_t file_bytes);
/* Copies the row. */
void cache_disk_put(struct cache_disk *d, const struct cache_disk_row *row);
void cache_disk_remove(struct cache_disk *d, const struct sha256 *key);
/* Waits until all that was put or removed before is done with. Not for the loop. */
void cache_disk_wait(struct cache_disk *d);
struct cache_disk_stats cache_disk_stats(struct cache_disk *d);
/* Whether the last write failed. */
bool cache_disk_is_failing(struct cache_disk *d);
/* Since it was asked last. */
enum disk_news cache_disk_news(struct cache_disk *d);
/* Waits as well. */
void cache_disk_close(struct cache_disk **d);

#endif
