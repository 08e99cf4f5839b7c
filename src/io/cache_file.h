/*
 * The file behind the cache on disk: SQLite, used by one thread at a time.
 */
#ifndef IO_CACHE_FILE_H
#define IO_CACHE_FILE_H

#include "io/cache_disk.h"

struct cache_file;

typedef void (*cache_file_load)(const struct cache_disk_row *row, void *arg);

/* See cache_disk_open. */
struct cache_file *cache_file_open(const char *path, size_t file_bytes, cache_file_load load,
                                   void *arg, struct buf *report);
/* It grows to that from now on; one that is larger stays so. */
void cache_file_set_bytes(struct cache_file *f, size_t file_bytes);
void cache_file_close(struct cache_file **f);
/* Closes it and removes what there is of it. */
void cache_file_give_up(struct cache_file **f);

/* All that comes between begin and commit is done, or nothing of it. False: it failed, and
 * everything since begin is undone. */
bool cache_file_begin(struct cache_file *f);
bool cache_file_put(struct cache_file *f, const struct cache_disk_row *row);
bool cache_file_remove(struct cache_file *f, const struct sha256 *key);
bool cache_file_commit(struct cache_file *f);
void cache_file_undo(struct cache_file *f);

#endif
