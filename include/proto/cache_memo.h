/*
 * Keys of requests by their very bytes: what was read once is not read again.
 *
 * A key follows from a request alone, so nothing in here ever becomes wrong, and bytes
 * are compared, not digests of them. At most 1,024 requests of at most 4 KiB are known;
 * the newest take the place of others.
 */
#ifndef PROTO_CACHE_MEMO_H
#define PROTO_CACHE_MEMO_H

#include "proto/cache_key.h"

struct cache_memo;

struct cache_memo *cache_memo_create(void);
void cache_memo_destroy(struct cache_memo **m);
/* `about`, `body`: all that the key was made of. */
bool cache_memo_find(const struct cache_memo *m, struct str about, struct str body,
                     struct cache_key *out);
/* Copies them, unless they are too long. They may be known already. */
void cache_memo_put(struct cache_memo *m, struct str about, struct str body,
                    const struct cache_key *key);

#endif
