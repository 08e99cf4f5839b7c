/*
 * The store of answers: by key, bounded by entries and by bytes.
 *
 * What is evicted is chosen by S3-FIFO (Yang et al., SOSP 2023): what is new waits
 * in a short queue and gets into the long one only if it was asked for again, now
 * or soon after it had fallen out; so a scan of things that are asked for once
 * washes nothing out. All memory of the cache is counted, its own tables too, and
 * what has been evicted while somebody still reads it.
 *
 * Owner of an entry: the cache; whoever found one holds a pin until cache_release.
 */
#ifndef CORE_CACHE_H
#define CORE_CACHE_H

#include "base/sha256.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache;
struct cache_entry;

struct cache_limits {
	size_t entries;
	size_t bytes;
	size_t entry_bytes; /* of one body */
	int64_t ttl_ms;
	int64_t stale_ms; /* for so long after the ttl it may answer when nobody else can */
};

struct cache_stats {
	size_t entries;
	size_t bytes;
	uint64_t added;
	uint64_t refused; /* too large */
	uint64_t evicted;
	uint64_t expired;
	uint64_t forgotten;
};

struct cache_item {
	struct sha256 key;
	const char *model; /* its canonical name: what cache_forget_model goes by */
	unsigned tag;      /* the caller's own: what the body is */
	struct str body;
	int64_t made_ms;
};

enum cache_found { CACHE_ABSENT, CACHE_FRESH, CACHE_STALE };

/* Called for an entry that the cache no longer has: evicted, expired, forgotten or replaced. */
typedef void (*cache_on_drop)(const struct sha256 *key, void *arg);

/* `on_drop` may be NULL. */
struct cache *cache_create(const struct cache_limits *limits, cache_on_drop on_drop, void *arg);
/* Nothing may be pinned any more. on_drop is not called. */
void cache_destroy(struct cache **c);
/* Evicts what no longer fits. */
void cache_set_limits(struct cache *c, const struct cache_limits *limits);

/* Of whatever age; that it was asked for does not count. */
bool cache_has(const struct cache *c, const struct sha256 *key);
/* Pins what it finds; an entry that is older than ttl and stale together is dropped. A fresh one
 * counts as used. */
enum cache_found cache_find(struct cache *c, const struct sha256 *key, int64_t now_ms,
                            struct cache_entry **out);
/* Copies the item, in the place of one of the same key. False: larger than it may be. */
bool cache_put(struct cache *c, const struct cache_item *item);
void cache_release(struct cache *c, struct cache_entry **e);

/* Valid while pinned. */
struct str cache_entry_body(const struct cache_entry *e);
unsigned cache_entry_tag(const struct cache_entry *e);
/* Never below 0. */
int64_t cache_entry_age_ms(const struct cache_entry *e, int64_t now_ms);

/* How many there were. */
size_t cache_forget_model(struct cache *c, const char *model);
size_t cache_forget_all(struct cache *c);
struct cache_stats cache_stats(const struct cache *c);

#endif
