/*
 * A thread that does what would keep the loop waiting. It takes all that was ordered since it
 * last looked, in its order, so that one transaction can hold it.
 *
 * Owner: who created it; all calls come from one thread.
 */
#ifndef IO_WRITER_H
#define IO_WRITER_H

#include "base/list.h"
#include "io/disk_news.h"

#include <stdbool.h>
#include <stddef.h>

struct writer;

/* First member of what is ordered, which is one piece of memory. */
struct writer_order {
	struct list link;
	size_t bytes; /* that it counts for in the backlog */
};

/* In the thread. `orders`: of struct writer_order, by link; what is left in it afterwards is
 * freed. False: they could not be written. */
typedef bool (*writer_fn)(struct list *orders, void *arg);

/* NULL: no thread could be started. */
struct writer *writer_create(writer_fn work, void *arg);
/* Takes the order over. */
void writer_add(struct writer *w, struct writer_order *o);
/* Of orders that the thread has not taken yet. */
size_t writer_backlog_bytes(struct writer *w);
/* Whether what it took last could not be written. */
bool writer_is_failing(struct writer *w);
/* Since it was asked last. */
enum disk_news writer_news(struct writer *w);
/* Until all that was ordered before is done. Not for the loop. */
void writer_wait(struct writer *w);
/* Waits as well. NULL is allowed. */
void writer_destroy(struct writer **w);

#endif
