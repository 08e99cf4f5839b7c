/*
 * The thread and its backlog.
 *
 * `lock` guards everything but what is constant, and is never held while the disk
 * works: the thread takes the whole backlog and writes it in one transaction. From
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

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct order {
	struct list link; /* in cache_disk.backlog, or in the thread's own list */
	bool put;
	struct cache_disk_row row; /* of a removal, only the key; its texts are behind it */
	char bytes[];
};

struct cache_disk {
	struct cache_file *file; /* the thread's; NULL: given up */
	struct cache_disk_limits limits;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct list backlog; /* of struct order, owned */
	size_t backlog_bytes;
	bool writing;
	bool closing;
	bool overrun; /* too much was to be removed */
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
	LIST_FOR_EACH (o, orders, struct order, link) {
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

	LIST_FOR_EACH (o, orders, struct order, link)
		n += o->put;
	return n;
}

static void
free_all(struct list *orders)
{
	struct order *o;

	while ((o = LIST_FIRST(orders, struct order, link)) != NULL) {
		list_remove(&o->link);
		free(o);
	}
}

/* What is put again replaces what was there, so a key that cannot be put is removed too. */
static void
make_removals(struct list *orders)
{
	struct order *o;

	LIST_FOR_EACH (o, orders, struct order, link)
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

static void
take_backlog(struct cache_disk *d, struct list *out)
{
	list_init(out);
	while (!list_empty(&d->backlog)) {
		struct list *link = d->backlog.next;

		list_remove(link);
		list_add_last(out, link);
	}
	d->backlog_bytes = 0;
	d->writing = true;
}

static void *
write_on(void *arg)
{
	struct cache_disk *d = arg;
	struct list orders;

	pthread_mutex_lock(&d->lock);
	while (!d->closing || !list_empty(&d->backlog)) {
		struct cache_disk_stats add = {0};
		bool overrun = d->overrun;

		if (list_empty(&d->backlog)) {
			pthread_cond_wait(&d->changed, &d->lock);
			continue;
		}
		take_backlog(d, &orders);
		pthread_mutex_unlock(&d->lock);
		write_orders(d, &orders, &add, overrun);
		free_all(&orders);
		pthread_mutex_lock(&d->lock);
		d->stats.written += add.written;
		d->stats.failed += add.failed;
		d->stats.given_up = d->stats.given_up || add.given_up;
		d->writing = false;
		pthread_cond_broadcast(&d->changed);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

/* Signals are the loop's. */
static bool
start_thread(struct cache_disk *d)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	failed = pthread_create(&d->thread, NULL, write_on, d);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed == 0;
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
	list_init(&d->backlog);
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->changed, NULL);
	if (start_thread(d))
		return d;
	buf_adds(report, "no thread could be started to write it");
	cache_file_close(&d->file);
	pthread_cond_destroy(&d->changed);
	pthread_mutex_destroy(&d->lock);
	free(d);
	return NULL;
}

static struct order *
order_create(const struct cache_disk_row *row, bool put)
{
	size_t texts = row->model.len + row->body.len;
	struct order *o = mem_alloc(sizeof(*o) + texts);

	*o = (struct order){.put = put, .row = *row};
	memcpy(o->bytes, row->model.ptr, row->model.len);
	memcpy(o->bytes + row->model.len, row->body.ptr, row->body.len);
	o->row.model.ptr = o->bytes;
	o->row.body.ptr = o->bytes + row->model.len;
	list_init(&o->link);
	return o;
}

static void
enqueue(struct cache_disk *d, const struct cache_disk_row *row, bool put)
{
	struct order *o = order_create(row, put);

	list_add_last(&d->backlog, &o->link);
	d->backlog_bytes += sizeof(*o) + row->model.len + row->body.len;
	pthread_cond_broadcast(&d->changed);
}

void
cache_disk_put(struct cache_disk *d, const struct cache_disk_row *row)
{
	pthread_mutex_lock(&d->lock);
	if (d->stats.given_up || d->overrun)
		d->stats.failed++;
	else if (d->backlog_bytes + row->body.len > d->limits.backlog_bytes)
		d->stats.dropped++;
	else
		enqueue(d, row, true);
	pthread_mutex_unlock(&d->lock);
}

/* Removals have as much room again. Once that is used up, one more order tells the thread. */
void
cache_disk_remove(struct cache_disk *d, const struct sha256 *key)
{
	struct cache_disk_row row = {.key = *key, .model = {"", 0}, .body = {"", 0}};

	pthread_mutex_lock(&d->lock);
	if (!d->stats.given_up && !d->overrun) {
		d->overrun = d->backlog_bytes > 2 * d->limits.backlog_bytes;
		enqueue(d, &row, false);
	}
	pthread_mutex_unlock(&d->lock);
}

void
cache_disk_wait(struct cache_disk *d)
{
	pthread_mutex_lock(&d->lock);
	while (d->writing || !list_empty(&d->backlog))
		pthread_cond_wait(&d->changed, &d->lock);
	pthread_mutex_unlock(&d->lock);
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

void
cache_disk_close(struct cache_disk **dp)
{
	struct cache_disk *d = *dp;

	*dp = NULL;
	if (d == NULL)
		return;
	pthread_mutex_lock(&d->lock);
	d->closing = true;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	cache_file_close(&d->file);
	pthread_cond_destroy(&d->changed);
	pthread_mutex_destroy(&d->lock);
	free(d);
}
