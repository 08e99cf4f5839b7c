/*
 * What the writer's thread does to the file, and what is ordered of it.
 *
 * `lock` guards what both sides look at, and is never held while the disk works. From
 * cache_disk_open on the file is the thread's alone.
 *
 * Putting is dropped when the backlog is full, removing never: what is to be gone
 * would be there again after a restart. Where too much waits to be removed, all of
 * the file is.
 */
#include "io/cache_disk.h"

#include "base/list.h"
#include "base/mem.h"
#include "cache_file.h"
#include "writer.h"

#include <pthread.h>
#include <stdlib.h>

struct order {
	struct writer_order order; /* first */
	bool put;
	struct cache_disk_row row; /* of a removal, only the key; its texts are behind it */
	char bytes[];
};

struct cache_disk {
	struct cache_file *file; /* the thread's; NULL: given up */
	struct cache_disk_limits limits;
	struct writer *writer; /* owned */
	pthread_mutex_t lock;  /* of the rest */
	bool overrun;          /* too much was to be removed */
	bool resized;          /* limits.file_bytes is another one than the file knows */
	struct cache_disk_stats stats;
};

/* --- the thread --- */

/* False: nothing of it was done. */
static bool
write_all(struct cache_file *f, struct list *orders, bool puts)
{
	struct order *o;

	if (!cache_file_begin(f))
		return false;
	LIST_FOR_EACH (o, orders, struct order, order.link) {
		bool ok = true;

		if (!o->put)
			ok = cache_file_remove(f, &o->row.key);
		else if (puts)
			ok = cache_file_put(f, &o->row);
		if (!ok) {
			cache_file_undo(f);
			return false;
		}
	}
	if (cache_file_commit(f))
		return true;
	cache_file_undo(f);
	return false;
}

static uint64_t
count_puts(struct list *orders)
{
	struct order *o;
	uint64_t n = 0;

	LIST_FOR_EACH (o, orders, struct order, order.link)
		n += o->put;
	return n;
}

/* What is put again replaces what was there, so a key that cannot be put is removed too. */
static void
make_removals(struct list *orders)
{
	struct order *o;

	LIST_FOR_EACH (o, orders, struct order, order.link)
		o->put = false;
}

/* The disk may take the removals though it is too full for the rest. */
static void
write_orders(struct cache_disk *d, struct list *orders, struct cache_disk_stats *add, bool overrun)
{
	uint64_t puts = count_puts(orders);

	if (d->file != NULL && !overrun && write_all(d->file, orders, true)) {
		add->written += puts;
		return;
	}
	add->failed += puts;
	make_removals(orders);
	if (d->file != NULL && (overrun || !write_all(d->file, orders, false)))
		cache_file_give_up(&d->file);
	add->given_up = d->file == NULL;
}

static bool
write_on(struct list *orders, void *arg)
{
	struct cache_disk *d = arg;
	struct cache_disk_stats add = {0};
	bool overrun, resized;
	size_t file_bytes;

	pthread_mutex_lock(&d->lock);
	overrun = d->overrun;
	resized = d->resized;
	file_bytes = d->limits.file_bytes;
	d->resized = false;
	pthread_mutex_unlock(&d->lock);
	if (resized && d->file != NULL)
		cache_file_set_bytes(d->file, file_bytes);
	write_orders(d, orders, &add, overrun);
	pthread_mutex_lock(&d->lock);
	d->stats.written += add.written;
	d->stats.failed += add.failed;
	d->stats.given_up = d->stats.given_up || add.given_up;
	pthread_mutex_unlock(&d->lock);
	return add.failed == 0 && !add.given_up;
}

/* --- the interface --- */

struct cache_disk *
cache_disk_open(const char *path, const struct cache_disk_limits *limits,
                void (*load)(const struct cache_disk_row *row, void *arg), void *arg,
                struct buf *report)
{
	struct cache_file *f = cache_file_open(path, limits->file_bytes, load, arg, report);
	struct cache_disk *d;

	if (f == NULL)
		return NULL;
	d = NEW(struct cache_disk);
	d->file = f;
	d->limits = *limits;
	pthread_mutex_init(&d->lock, NULL);
	d->writer = writer_create(write_on, d);
	if (d->writer != NULL)
		return d;
	buf_adds(report, "no thread could be started to write it");
	cache_file_close(&d->file);
	pthread_mutex_destroy(&d->lock);
	free(d);
	return NULL;
}

static struct order *
order_create(const struct cache_disk_row *row, bool put)
{
	size_t texts = row->model.len + row->body.len;
	struct order *o = mem_alloc(sizeof(*o) + texts);

	*o = (struct order){.order.bytes = sizeof(*o) + texts, .put = put, .row = *row};
	memcpy(o->bytes, row->model.ptr, row->model.len);
	memcpy(o->bytes + row->model.len, row->body.ptr, row->body.len);
	o->row.model.ptr = o->bytes;
	o->row.body.ptr = o->bytes + row->model.len;
	list_init(&o->order.link);
	return o;
}

void
cache_disk_set_file_bytes(struct cache_disk *d, size_t file_bytes)
{
	pthread_mutex_lock(&d->lock);
	d->resized = d->resized || d->limits.file_bytes != file_bytes;
	d->limits.file_bytes = file_bytes;
	pthread_mutex_unlock(&d->lock);
}

void
cache_disk_put(struct cache_disk *d, const struct cache_disk_row *row)
{
	bool fits = writer_backlog_bytes(d->writer) + row->body.len <= d->limits.backlog_bytes;
	bool is_over;

	pthread_mutex_lock(&d->lock);
	is_over = d->stats.given_up || d->overrun;
	d->stats.failed += is_over;
	d->stats.dropped += !is_over && !fits;
	pthread_mutex_unlock(&d->lock);
	if (!is_over && fits)
		writer_add(d->writer, &order_create(row, true)->order);
}

/* Removals have as much room again. Once that is used up, one more order tells the thread. */
void
cache_disk_remove(struct cache_disk *d, const struct sha256 *key)
{
	struct cache_disk_row row = {.key = *key, .model = {"", 0}, .body = {"", 0}};
	bool is_overrun = writer_backlog_bytes(d->writer) > 2 * d->limits.backlog_bytes;
	bool is_over;

	pthread_mutex_lock(&d->lock);
	is_over = d->stats.given_up || d->overrun;
	d->overrun = d->overrun || is_overrun;
	pthread_mutex_unlock(&d->lock);
	if (!is_over)
		writer_add(d->writer, &order_create(&row, false)->order);
}

void
cache_disk_wait(struct cache_disk *d)
{
	writer_wait(d->writer);
}

struct cache_disk_stats
cache_disk_stats(struct cache_disk *d)
{
	struct cache_disk_stats stats;

	pthread_mutex_lock(&d->lock);
	stats = d->stats;
	pthread_mutex_unlock(&d->lock);
	return stats;
}

bool
cache_disk_is_failing(struct cache_disk *d)
{
	return writer_is_failing(d->writer);
}

enum disk_news
cache_disk_news(struct cache_disk *d)
{
	return writer_news(d->writer);
}

void
cache_disk_close(struct cache_disk **dp)
{
	struct cache_disk *d = *dp;

	*dp = NULL;
	if (d == NULL)
		return;
	writer_destroy(&d->writer);
	cache_file_close(&d->file);
	pthread_mutex_destroy(&d->lock);
	free(d);
}
