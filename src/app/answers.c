/*
 * The cache and its file. An entry is a line, and the answer; its tag says which
 * family and form that is. The line has the model's name as it was asked for, a tab,
 * and what rules changed in the request.
 */
#include "app/answers.h"

#include "app/gateway.h"
#include "app/share.h"
#include "app/state.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/cache_disk.h"
#include "proto/body.h"

#include <stdlib.h>
#include <string.h>

enum {
	TAG_FAMILY = 0xff,
	TAG_STREAM = 0x100,
	TAG_USAGE = 0x200,
	BACKLOG_BYTES = 32 * 1024 * 1024,
	/* A page is never quite full, and an entry has a key and a checksum beside its body. */
	FILE_PERCENT = 150,
	FILE_BYTES_LEAST = 1024 * 1024,
};

static const char log_name[] = "cache";

bool
answers_are_kept(const struct settings *s)
{
	bool kept = s->cache.mode != CACHE_MODE_OFF;

	for (size_t i = 0; i < s->model_count; i++)
		kept = kept ||
		       (s->models[i].cache != CACHE_MODE_OFF && s->models[i].cache != CACHE_MODE_INHERIT);
	return kept;
}

static struct cache_limits
limits_of(const struct settings *s)
{
	return (struct cache_limits){
	    .entries = answers_are_kept(s) ? (size_t)s->cache.entries : 0,
	    .bytes = (size_t)s->cache.memory,
	    .entry_bytes = (size_t)s->cache.max_entry,
	    .ttl_ms = s->cache.ttl,
	    .stale_ms = s->cache.stale,
	};
}

/* --- the file --- */

static void
on_drop(const struct sha256 *key, void *arg)
{
	struct answers *a = arg;

	if (a->disk != NULL)
		cache_disk_remove(a->disk, key);
	else if (a->loading)
		buf_add(&a->unfit, key->bytes, SHA256_BYTES);
}

static bool
has_line(struct str body)
{
	const char *end = memchr(body.ptr, '\n', body.len);

	return end != NULL && memchr(body.ptr, '\t', (size_t)(end - body.ptr)) != NULL;
}

/* What does not fit any more, or is too old, is to go from the file too. */
static void
load_row(const struct cache_disk_row *row, void *arg)
{
	struct answers *a = arg;
	const struct settings *s = a->gateway->settings;
	int64_t age_ms = clock_wall_ms() - row->made_wall_ms;
	char *model;
	struct cache_item item = {
	    .key = row->key,
	    .tag = row->tag,
	    .body = row->body,
	    .made_ms = clock_now_ms() - (age_ms > 0 ? age_ms : 0),
	};

	if (age_ms - s->cache.ttl > s->cache.stale || (row->tag & TAG_FAMILY) > ANSWER_MESSAGES ||
	    !has_line(row->body)) {
		on_drop(&row->key, a);
		return;
	}
	item.model = model = mem_strndup(row->model.ptr, row->model.len);
	if (!cache_put(a->cache, &item))
		on_drop(&row->key, a);
	free(model);
}

/* The memory knows better than a file that was not written for a while. */
static void
compare_row(const struct cache_disk_row *row, void *arg)
{
	struct answers *a = arg;
	struct cache_entry *e;

	if (cache_find(a->cache, &row->key, clock_now_ms(), &e) == CACHE_ABSENT)
		on_drop(&row->key, a);
	else
		cache_release(a->cache, &e);
}

static void
remove_unfit(struct answers *a)
{
	struct sha256 key;

	for (size_t at = 0; a->disk != NULL && at < a->unfit.len; at += SHA256_BYTES) {
		memcpy(key.bytes, a->unfit.data + at, SHA256_BYTES);
		cache_disk_remove(a->disk, &key);
	}
	buf_finish(&a->unfit);
}

static size_t
file_bytes_of(const struct settings *s)
{
	return FILE_BYTES_LEAST + (size_t)s->cache.memory / 100 * FILE_PERCENT;
}

static void
open_disk(struct answers *a, void (*load)(const struct cache_disk_row *row, void *arg))
{
	const struct settings *s = a->gateway->settings;
	struct buf path = {0}, report = {0};
	struct cache_disk_limits limits = {
	    .file_bytes = file_bytes_of(s),
	    .backlog_bytes = BACKLOG_BYTES,
	};

	if (!answers_are_kept(s) || !state_add_folder(s, log_name, &path))
		goto out;
	buf_adds(&path, "/cache.db");
	a->loading = true;
	a->disk = cache_disk_open(buf_text(&path), &limits, load, a, &report);
	a->loading = false;
	if (report.len > 0)
		log_warn(log_name, "%s: %s", buf_text(&path), buf_text(&report));
	if (a->disk != NULL)
		log_info(log_name, "%s: %zu answers", buf_text(&path), cache_stats(a->cache).entries);
	else
		log_warn(log_name, "what is kept will not outlive a restart");
	remove_unfit(a);
out:
	buf_finish(&path);
	buf_finish(&report);
}

struct answers *
answers_create(struct gateway *g)
{
	struct answers *a = NEW(struct answers);
	struct cache_limits limits = limits_of(g->settings);

	a->gateway = g;
	a->cache = cache_create(&limits, on_drop, a);
	a->flights = flights_create();
	a->memo = cache_memo_create();
	a->key_reader = cache_key_reader_create(ANSWER_GENERATE);
	a->scanner = json_scanner_create(cache_key_on_json, a->key_reader, BODY_NODES_MAX);
	list_init(&a->settling);
	waker_init(&a->settle, g->loop, share_settle, a);
	return a;
}

void
answers_open_disk(struct answers *a)
{
	a->has_state = true;
	open_disk(a, load_row);
}

struct cache_disk *
answers_take_disk(struct answers *a)
{
	struct cache_disk *disk = a->disk;

	a->disk = NULL;
	a->has_state = false;
	return disk;
}

void
answers_open_again(struct answers *a)
{
	a->has_state = true;
	open_disk(a, compare_row);
}

void
answers_apply(struct answers *a)
{
	struct cache_limits limits = limits_of(a->gateway->settings);

	cache_set_limits(a->cache, &limits);
	if (a->disk == NULL && a->has_state)
		open_disk(a, load_row);
	else if (a->disk != NULL)
		cache_disk_set_file_bytes(a->disk, file_bytes_of(a->gateway->settings));
}

void
answers_destroy(struct answers **ap)
{
	struct answers *a = *ap;

	*ap = NULL;
	if (a == NULL)
		return;
	waker_finish(&a->settle);
	json_scanner_destroy(&a->scanner);
	cache_key_reader_destroy(&a->key_reader);
	cache_memo_destroy(&a->memo);
	buf_finish(&a->model);
	buf_finish(&a->scope);
	buf_finish(&a->about);
	flights_destroy(&a->flights);
	cache_destroy(&a->cache);
	cache_disk_close(&a->disk);
	free(a);
}

bool
answers_read_key(struct answers *a, enum answer_family family, struct str body, struct str about,
                 struct cache_key *out)
{
	if (cache_memo_find(a->memo, about, body, out))
		return true;
	cache_key_reader_restart(a->key_reader, family);
	json_scanner_restart(a->scanner, BODY_NODES_MAX);
	if (!json_scanner_feed(a->scanner, body) || !json_scanner_end(a->scanner) ||
	    !cache_key_reader_end(a->key_reader, about, out))
		return false;
	if (cache_has(a->cache, &out->digest)) /* what is asked once takes nobody's place */
		cache_memo_put(a->memo, out);
	return true;
}

/* --- entries --- */

static unsigned
tag_of(const struct answer_kept *k)
{
	return (unsigned)k->transcript.family |
	       (k->transcript.form == TRANSCRIPT_STREAM ? TAG_STREAM : 0u) |
	       (k->include_usage ? TAG_USAGE : 0u);
}

enum cache_found
answers_find(struct answers *a, const struct sha256 *key, struct cache_entry **e,
             struct answer_kept *out)
{
	enum cache_found found = cache_find(a->cache, key, clock_now_ms(), e);
	struct str body;
	const char *end;

	if (found == CACHE_ABSENT)
		return CACHE_ABSENT;
	body = cache_entry_body(*e);
	end = memchr(body.ptr, '\n', body.len);
	if (end == NULL) /* nothing of ours */
		abort();
	out->rewritten = (struct str){body.ptr, (size_t)(end - body.ptr)};
	if (!str_split(&out->rewritten, '\t', &out->model) || out->rewritten.ptr == NULL)
		abort();
	out->include_usage = (cache_entry_tag(*e) & TAG_USAGE) != 0;
	out->transcript = (struct transcript){
	    .family = (enum answer_family)(cache_entry_tag(*e) & TAG_FAMILY),
	    .form = (cache_entry_tag(*e) & TAG_STREAM) != 0 ? TRANSCRIPT_STREAM : TRANSCRIPT_WHOLE,
	    .body = {end + 1, body.len - (size_t)(end + 1 - body.ptr)},
	};
	return found;
}

static void
say_news(struct answers *a)
{
	switch (cache_disk_news(a->disk)) {
	case DISK_NO_NEWS: return;
	case DISK_FAILS:
		log_warn(log_name, "the file cannot be written, is the disk full? Answers are kept in "
		                   "memory alone");
		return;
	case DISK_WORKS_AGAIN: log_info(log_name, "the file is written again"); return;
	}
	abort();
}

void
answers_keep(struct answers *a, const struct sha256 *key, const char *canonical,
             const struct answer_kept *kept)
{
	struct buf body = {0};
	struct cache_item item = {
	    .key = *key, .model = canonical, .tag = tag_of(kept), .made_ms = clock_now_ms()};
	struct cache_disk_row row = {
	    .key = *key, .model = str_of(canonical), .tag = item.tag, .made_wall_ms = clock_wall_ms()};

	buf_reserve(&body, kept->model.len + kept->rewritten.len + 2 + kept->transcript.body.len);
	buf_add(&body, kept->model.ptr, kept->model.len);
	buf_addc(&body, '\t');
	buf_add(&body, kept->rewritten.ptr, kept->rewritten.len);
	buf_addc(&body, '\n');
	buf_add(&body, kept->transcript.body.ptr, kept->transcript.body.len);
	item.body = row.body = (struct str){body.data, body.len};
	if (cache_put(a->cache, &item) && a->disk != NULL) {
		cache_disk_put(a->disk, &row);
		say_news(a);
	}
	buf_finish(&body);
}

size_t
answers_forget(struct answers *a, const char *canonical)
{
	size_t count = cache_forget_model(a->cache, canonical);

	if (count > 0)
		log_info(log_name, "%zu answers of %s are forgotten", count, canonical);
	return count;
}

size_t
answers_purge(struct answers *a)
{
	return cache_forget_all(a->cache);
}

void
answers_count(struct answers *a, const char *cache)
{
	if (cache == NULL)
		return;
	a->hits += strcmp(cache, "hit") == 0;
	a->misses += strcmp(cache, "miss") == 0;
	a->joined += strcmp(cache, "joined") == 0;
	a->stale += strcmp(cache, "stale") == 0;
	a->bypassed += strcmp(cache, "bypass") == 0;
}
