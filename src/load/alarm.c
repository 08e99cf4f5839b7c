/* A timerfd on the loop. */
#include "alarm.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct alarm *a = arg;
	uint64_t times;

	if (read(a->fd, &times, sizeof(times)) == (ssize_t)sizeof(times))
		a->fn(a->arg);
}

void
alarm_init(struct alarm *a, struct loop *l, void (*fn)(void *arg), void *arg)
{
	a->fn = fn;
	a->arg = arg;
	a->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (a->fd < 0)
		abort();
	a->event = event_new(loop_base(l), a->fd, EV_READ | EV_PERSIST, on_readable, a);
	if (a->event == NULL || event_add(a->event, NULL) != 0)
		abort();
}

void
alarm_finish(struct alarm *a)
{
	event_free(a->event);
	close(a->fd);
}

static void
set(struct alarm *a, int64_t at_us)
{
	struct itimerspec when = {.it_value = {at_us / 1000000, at_us % 1000000 * 1000}};

	if (timerfd_settime(a->fd, TFD_TIMER_ABSTIME, &when, NULL) != 0)
		abort();
}

void
alarm_set(struct alarm *a, int64_t at_us)
{
	set(a, at_us > 0 ? at_us : 1);
}

void
alarm_stop(struct alarm *a)
{
	set(a, 0);
}
