/*
 * Keys of requests by their very bytes: what was read once is not read again.
 *
 * A key follows from a request alone, so nothing in here ever becomes wrong. Requests are
 * known by their fingerprints: 32,768 of at most 64 KiB each, in 2 MiB; the newest take
 * the place of others.
 */
#ifndef PROTO_CACHE_MEMO_H
#define PROTO_CACHE_MEMO_H

#include "proto/cache_key.h"

struct cache_memo;

struct cache_memo *cache_memo_create(void);
void cache_memo_destroy(struct cache_memo **m);
/* All that the key is made of; `about` as cache_key_add_about makes it, which tells its own end. */
bool cache_memo_find(struct cache_memo *m, struct str about, struct str body,
                     struct cache_key *out);
/* Of the request that was not found a moment ago. */
void cache_memo_put(struct cache_memo *m, const struct cache_key *key);

#endif
