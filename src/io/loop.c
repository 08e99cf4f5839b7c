/*
 * The event loop.
 *
 * Graves: what is buried waits in an array for one event, which libevent runs
 * behind everything that was ready when the first of them was buried.
 *
 * Timers are lazy. Moving a time-out forward, which happens with every piece of
 * a stream, costs one store: the event stays where it is and, when it fires too
 * early, is armed again for the rest.
 */
#include "io/loop.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <event2/dns.h>
#include <event2/event.h>

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

struct grave {
	void *object;
	void (*fn)(void *object);
};

/* The second is read with the first. They change with the network that a machine is in, or when a
 * service of the system begins after ours. */
static const char *const name_files[] = {"/etc/resolv.conf", "/etc/hosts"};

enum { NAME_FILES = sizeof(name_files) / sizeof(name_files[0]) };

struct loop {
	struct event_base *base;            /* owned */
	struct evdns_base *dns;             /* owned; NULL until it is needed */
	struct stat name_files[NAME_FILES]; /* as they were when they were read */
	struct event *digger;               /* owned */
	struct grave *graves;               /* owned */
	size_t grave_count;
	size_t grave_cap;
	bool stopped;
};

struct signal_watch {
	int signal;
	void (*fn)(int signal, void *arg);
	void *arg;
};

/* Burying from inside a burial is allowed: the array may grow and move meanwhile. */
static void
dig(struct loop *l)
{
	for (size_t i = 0; i < l->grave_count; i++) {
		struct grave g = l->graves[i];

		g.fn(g.object);
	}
	l->grave_count = 0;
}

static void
on_dig(evutil_socket_t fd, short what, void *arg)
{
	dig(arg);
}

/* One thread only, hence no locks; no surprises from EVENT_* in the environment. */
static struct event_base *
base_create(void)
{
	struct event_config *conf = event_config_new();
	struct event_base *base;

	event_config_set_flag(conf, EVENT_BASE_FLAG_NOLOCK);
	event_config_set_flag(conf, EVENT_BASE_FLAG_IGNORE_ENV);
	base = event_base_new_with_config(conf);
	event_config_free(conf);
	if (base == NULL)
		abort();
	return base;
}

static struct event *
must_event(struct loop *l, void (*fn)(evutil_socket_t, short, void *), void *arg)
{
	struct event *e = event_new(l->base, -1, 0, fn, arg);

	assert(e != NULL);
	return e;
}

struct loop *
loop_create(void)
{
	struct loop *l = NEW(struct loop);

	event_set_mem_functions(mem_alloc, mem_realloc, free);
	signal(SIGPIPE, SIG_IGN);
	l->base = base_create();
	l->digger = must_event(l, on_dig, l);
	return l;
}

void
loop_destroy(struct loop **lp)
{
	struct loop *l = *lp;

	*lp = NULL;
	if (l == NULL)
		return;
	dig(l);
	if (l->dns != NULL)
		evdns_base_free(l->dns, 0);
	event_free(l->digger);
	event_base_free(l->base);
	free(l->graves);
	free(l);
}

void
loop_run(struct loop *l)
{
	if (!l->stopped)
		event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY);
	l->stopped = false;
}

void
loop_stop(struct loop *l)
{
	l->stopped = true;
	event_base_loopbreak(l->base);
}

struct event_base *
loop_base(struct loop *l)
{
	return l->base;
}

int64_t
loop_now_us(struct loop *l)
{
	struct timeval now;

	event_base_gettimeofday_cached(l->base, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_usec;
}

/* evdns_base_new can read resolv.conf itself, but then fails on a machine without one, where
 * the hosts file still has names. */
static void
read_name_files(struct loop *l)
{
	for (size_t i = 0; i < NAME_FILES; i++)
		if (stat(name_files[i], &l->name_files[i]) != 0)
			l->name_files[i] = (struct stat){0};
	(void)evdns_base_resolv_conf_parse(l->dns, DNS_OPTIONS_ALL, name_files[0]);
}

static bool
name_files_changed(const struct loop *l)
{
	for (size_t i = 0; i < NAME_FILES; i++) {
		const struct stat *then = &l->name_files[i];
		struct stat now = {0};

		if (stat(name_files[i], &now) != 0)
			now = (struct stat){0};
		if (now.st_ino != then->st_ino || now.st_size != then->st_size ||
		    now.st_mtim.tv_sec != then->st_mtim.tv_sec ||
		    now.st_mtim.tv_nsec != then->st_mtim.tv_nsec)
			return true;
	}
	return false;
}

/* What is asked already is asked again, of the new ones. */
static void
read_name_files_again(struct loop *l)
{
	evdns_base_clear_nameservers_and_suspend(l->dns);
	evdns_base_search_clear(l->dns);
	evdns_base_clear_host_addresses(l->dns);
	read_name_files(l);
	evdns_base_resume(l->dns);
	log_info("names", "%s or %s has changed: read again", name_files[0], name_files[1]);
}

struct evdns_base *
loop_dns(struct loop *l)
{
	if (l->dns == NULL) {
		l->dns = evdns_base_new(l->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
		assert(l->dns != NULL);
		read_name_files(l);
	} else if (name_files_changed(l)) {
		read_name_files_again(l);
	}
	return l->dns;
}

void
loop_bury(struct loop *l, void *object, void (*fn)(void *object))
{
	if (l->grave_count == l->grave_cap) {
		l->grave_cap = l->grave_cap == 0 ? 16 : l->grave_cap * 2;
		l->graves = mem_realloc(l->graves, l->grave_cap * sizeof(*l->graves));
	}
	l->graves[l->grave_count++] = (struct grave){object, fn};
	event_active(l->digger, EV_TIMEOUT, 0);
}

static void
timer_arm(struct timer *t, int64_t now_ms)
{
	int64_t left_ms = t->due_ms > now_ms ? t->due_ms - now_ms : 0;
	struct timeval tv = {.tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000};

	t->armed_ms = t->due_ms;
	event_add(t->event, &tv);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct timer *t = arg;
	int64_t now_ms = clock_coarse_ms();

	t->armed_ms = 0;
	if (t->due_ms == 0)
		return;
	if (t->due_ms > now_ms) {
		timer_arm(t, now_ms);
		return;
	}
	t->due_ms = 0;
	clock_hold();
	t->fn(t->arg);
	clock_release();
}

void
timer_init(struct timer *t, struct loop *l, void (*fn)(void *arg), void *arg)
{
	*t = (struct timer){.loop = l, .fn = fn, .arg = arg};
}

void
timer_finish(struct timer *t)
{
	if (t->event != NULL)
		event_free(t->event);
	t->event = NULL;
	t->due_ms = 0;
	t->armed_ms = 0;
}

void
timer_start(struct timer *t, int64_t ms)
{
	int64_t now_ms = clock_coarse_ms();

	t->due_ms = now_ms + ms;
	if (t->event == NULL)
		t->event = must_event(t->loop, on_timer, t);
	if (t->armed_ms == 0 || t->armed_ms > t->due_ms)
		timer_arm(t, now_ms);
}

void
timer_stop(struct timer *t)
{
	t->due_ms = 0;
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct waker *w = arg;

	w->running = true;
	clock_hold();
	w->fn(w->arg);
	clock_release();
	w->running = false;
}

void
waker_init(struct waker *w, struct loop *l, void (*fn)(void *arg), void *arg)
{
	*w = (struct waker){.fn = fn, .arg = arg};
	w->event = must_event(l, on_wake, w);
}

void
waker_finish(struct waker *w)
{
	if (w->event != NULL)
		event_free(w->event);
	w->event = NULL;
}

/* An activated event runs within the turn; one that is due at once, in the next. */
void
waker_wake(struct waker *w)
{
	static const struct timeval at_once = {0};

	if (w->running)
		event_add(w->event, &at_once);
	else
		event_active(w->event, EV_TIMEOUT, 0);
}

static void
on_signal(evutil_socket_t signal_number, short what, void *arg)
{
	struct signal_watch *watch = arg;

	watch->fn(watch->signal, watch->arg);
}

struct event *
loop_on_signal(struct loop *l, int signal, void (*fn)(int signal, void *arg), void *arg)
{
	struct signal_watch *watch = NEW(struct signal_watch);
	struct event *e;

	*watch = (struct signal_watch){.signal = signal, .fn = fn, .arg = arg};
	e = evsignal_new(l->base, signal, on_signal, watch);
	assert(e != NULL);
	event_add(e, NULL);
	return e;
}

void
loop_off_signal(struct event **ep)
{
	struct event *e = *ep;

	*ep = NULL;
	if (e == NULL)
		return;
	free(event_get_callback_arg(e));
	event_free(e);
}
