/*
 * The event loop: one a process. Owns libevent's base and resolver, and buries
 * what ended until the turn of the loop is over, since libevent may still report
 * on it.
 */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct event;
struct event_base;
struct evdns_base;
struct loop;

/* SIGPIPE is ignored from here on, and libevent takes its memory from base/mem.h. */
struct loop *loop_create(void);
/* Everything built on it must be gone. Buries what is still to be buried. */
void loop_destroy(struct loop **l);
/* Until loop_stop, even with nothing to wait for. */
void loop_run(struct loop *l);
/* Takes effect after the callback that calls it; before loop_run, that returns at once. */
void loop_stop(struct loop *l);
struct event_base *loop_base(struct loop *l);
/* When this turn of the loop began, on a clock for differences only: it costs no call of the
 * system, and follows the wall clock. */
int64_t loop_now_us(struct loop *l);
/* Created at first use. What the system says of name servers and hosts is read again when that has
 * changed. */
struct evdns_base *loop_dns(struct loop *l);
/* Calls `fn(object)` after the callbacks that this turn of the loop has found ready. */
void loop_bury(struct loop *l, void *object, void (*fn)(void *object));

/* A timer that is cheap to move: a later due time is only noted, and looked at when the old one
 * is reached. */
struct timer {
	struct loop *loop;
	struct event *event; /* owned; NULL until the first start */
	int64_t due_ms;      /* 0: stopped */
	int64_t armed_ms;    /* when `event` fires; 0: not pending */
	void (*fn)(void *arg);
	void *arg;
};

void timer_init(struct timer *t, struct loop *l, void (*fn)(void *arg), void *arg);
void timer_finish(struct timer *t);
/* Fires once, `ms` from now; moves one that runs. */
void timer_start(struct timer *t, int64_t ms);
void timer_stop(struct timer *t);

/* Runs once a turn after it was woken, however often: the pump of STYLE's "one pump". Woken from
 * its own callback, it runs again in the next turn, so that it cannot starve the sockets. */
struct waker {
	struct event *event; /* owned */
	bool running;
	void (*fn)(void *arg);
	void *arg;
};

void waker_init(struct waker *w, struct loop *l, void (*fn)(void *arg), void *arg);
void waker_finish(struct waker *w);
void waker_wake(struct waker *w);

/* A signal of the process, delivered as an event of the loop. */
struct event *loop_on_signal(struct loop *l, int signal, void (*fn)(int signal, void *arg),
                             void *arg);
void loop_off_signal(struct event **e);

#endif
