/*
 * A thread and its backlog. `lock` guards everything but what is constant, and is never held
 * while the thread works.
 */
#include "writer.h"

#include "base/mem.h"
#include "base/thread.h"

#include <stdbool.h>
#include <stdlib.h>

struct writer {
	writer_fn work;
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct list backlog; /* of struct writer_order, owned */
	size_t backlog_bytes;
	bool working;
	bool closing;
	bool failing;
	bool told_failing; /* as it was when its owner asked last */
};

static void
take_backlog(struct writer *w, struct list *out)
{
	list_init(out);
	while (!list_empty(&w->backlog)) {
		struct list *link = w->backlog.next;

		list_remove(link);
		list_add_last(out, link);
	}
	w->backlog_bytes = 0;
}

static void
free_all(struct list *orders)
{
	struct writer_order *o;

	while ((o = LIST_FIRST(orders, struct writer_order, link)) != NULL) {
		list_remove(&o->link);
		free(o);
	}
}

static void *
work_on(void *arg)
{
	struct writer *w = arg;
	struct list orders;
	bool written;

	pthread_mutex_lock(&w->lock);
	while (!w->closing || !list_empty(&w->backlog)) {
		if (list_empty(&w->backlog)) {
			pthread_cond_wait(&w->changed, &w->lock);
			continue;
		}
		take_backlog(w, &orders);
		w->working = true;
		pthread_mutex_unlock(&w->lock);
		written = w->work(&orders, w->arg);
		free_all(&orders);
		pthread_mutex_lock(&w->lock);
		w->failing = !written;
		w->working = false;
		pthread_cond_broadcast(&w->changed);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void
writer_free(struct writer *w)
{
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

struct writer *
writer_create(writer_fn work, void *arg)
{
	struct writer *w = NEW(struct writer);

	w->work = work;
	w->arg = arg;
	list_init(&w->backlog);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	if (thread_start(&w->thread, work_on, w))
		return w;
	writer_free(w);
	return NULL;
}

void
writer_add(struct writer *w, struct writer_order *o)
{
	pthread_mutex_lock(&w->lock);
	list_add_last(&w->backlog, &o->link);
	w->backlog_bytes += o->bytes;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

size_t
writer_backlog_bytes(struct writer *w)
{
	size_t bytes;

	pthread_mutex_lock(&w->lock);
	bytes = w->backlog_bytes;
	pthread_mutex_unlock(&w->lock);
	return bytes;
}

bool
writer_is_failing(struct writer *w)
{
	bool failing;

	pthread_mutex_lock(&w->lock);
	failing = w->failing;
	pthread_mutex_unlock(&w->lock);
	return failing;
}

enum disk_news
writer_news(struct writer *w)
{
	bool failing = writer_is_failing(w);

	if (failing == w->told_failing)
		return DISK_NO_NEWS;
	w->told_failing = failing;
	return failing ? DISK_FAILS : DISK_WORKS_AGAIN;
}

void
writer_wait(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	while (w->working || !list_empty(&w->backlog))
		pthread_cond_wait(&w->changed, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

void
writer_destroy(struct writer **wp)
{
	struct writer *w = *wp;

	*wp = NULL;
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->closing = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	writer_free(w);
}
