/*
 * The answers that are kept: the cache, its file, and the flights of requests that
 * share an answer under way. What one request has to do with them is in share.h.
 */
#ifndef APP_ANSWERS_H
#define APP_ANSWERS_H

#include "base/buf.h"
#include "core/cache.h"
#include "core/flight.h"
#include "io/loop.h"
#include "proto/cache_memo.h"
#include "proto/transcript.h"

#include <stdbool.h>
#include <stdint.h>

struct cache_disk;
struct gateway;
struct settings;

struct answers {
	struct gateway *gateway;             /* borrowed */
	struct cache *cache;                 /* owned */
	struct cache_disk *disk;             /* owned; NULL: nothing outlives a restart */
	struct cache_key_reader *key_reader; /* owned; used for one body after the other */
	struct json_scanner *scanner;        /* owned; in front of it */
	struct cache_memo *memo;             /* owned; keys that were read before */
	struct buf model, scope, about;      /* scratch of share_begin */
	struct flights *flights;             /* owned */
	bool has_state;                      /* the state folder is this program's */
	bool loading;                        /* the file is being read */
	struct buf unfit;                    /* keys that were dropped while the file was read */
	struct list settling; /* of struct share, by settle_link: share_settle is to look at them */
	struct waker settle;
	uint64_t hits, misses, joined, stale, bypassed; /* requests, by what X-Drover-Cache says */
};

/* Whether answers of any model are. */
bool answers_are_kept(const struct settings *s);
/* Without what the state folder has. */
struct answers *answers_create(struct gateway *g);
/* Reads it. A folder that cannot be used is said and does without. */
void answers_open_disk(struct answers *a);
/* Another program is to have the file: the caller closes it. NULL: there is none. */
struct cache_disk *answers_take_disk(struct answers *a);
/* It did not come to that, and the other program has ended. What was forgotten meanwhile goes from
 * the file. */
void answers_open_again(struct answers *a);
/* No request may be left. Waits for the file. */
void answers_destroy(struct answers **a);

/* Other settings are in force: what no longer fits goes. */
void answers_apply(struct answers *a);

/* As cache_key_reader_end, of the whole body. */
bool answers_read_key(struct answers *a, enum answer_family family, struct str body,
                      struct str about, struct cache_key *out);

/* What an entry is, beside its bytes. */
struct answer_kept {
	struct transcript transcript;
	struct str model;     /* as it was asked for */
	struct str rewritten; /* what rules changed in the request: X-Drover-Rewrite; may be empty */
	bool include_usage;   /* of OpenAI's streams: as it was asked for */
};

/* Pins the entry. */
enum cache_found answers_find(struct answers *a, const struct sha256 *key, struct cache_entry **e,
                              struct answer_kept *out);
/* `canonical`: of the model, to forget it by. */
void answers_keep(struct answers *a, const struct sha256 *key, const char *canonical,
                  const struct answer_kept *kept);
/* How many there were. The model is another one now, or gone. */
size_t answers_forget(struct answers *a, const char *canonical);
size_t answers_purge(struct answers *a);
/* A request has ended, for the counts. `cache`: what X-Drover-Cache said; NULL: nothing. */
void answers_count(struct answers *a, const char *cache);

#endif
