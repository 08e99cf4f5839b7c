/* A thread whose end is an event of the loop: an eventfd, which it writes to last. */
#include "io/errand.h"

#include "base/mem.h"
#include "base/thread.h"
#include "io/loop.h"

#include <event2/event.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct errand {
	void (*work)(void *arg);
	void (*done)(void *arg);
	void *arg;
	pthread_t thread;
	int fd;
	struct event *ended; /* owned */
};

static void *
run(void *arg)
{
	struct errand *e = arg;
	const uint64_t one = 1;

	e->work(e->arg);
	if (write(e->fd, &one, sizeof(one)) != sizeof(one))
		abort();
	return NULL;
}

static void
errand_free(struct errand *e)
{
	if (e->ended != NULL)
		event_free(e->ended);
	if (e->fd >= 0)
		close(e->fd);
	free(e);
}

static void
on_ended(evutil_socket_t fd, short what, void *arg)
{
	struct errand *e = arg;
	void (*done)(void *arg) = e->done;
	void *whose = e->arg;

	pthread_join(e->thread, NULL);
	errand_free(e);
	done(whose);
}

struct errand *
errand_start(struct loop *l, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	struct errand *e = NEW(struct errand);

	e->work = work;
	e->done = done;
	e->arg = arg;
	e->fd = eventfd(0, EFD_CLOEXEC);
	if (e->fd >= 0)
		e->ended = event_new(loop_base(l), e->fd, EV_READ, on_ended, e);
	if (e->ended != NULL && event_add(e->ended, NULL) == 0 && thread_start(&e->thread, run, e))
		return e;
	errand_free(e);
	return NULL;
}

void
errand_abandon(struct errand **ep)
{
	struct errand *e = *ep;

	*ep = NULL;
	if (e == NULL)
		return;
	pthread_join(e->thread, NULL);
	errand_free(e);
}
