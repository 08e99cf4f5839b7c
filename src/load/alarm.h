/*
 * A timer of microseconds: libevent's own goes by milliseconds, which would show in
 * every latency of an open loop.
 */
#ifndef LOAD_ALARM_H
#define LOAD_ALARM_H

#include "io/loop.h"

#include <stdint.h>

struct alarm {
	int fd;              /* owned */
	struct event *event; /* owned */
	void (*fn)(void *arg);
	void *arg;
};

void alarm_init(struct alarm *a, struct loop *l, void (*fn)(void *arg), void *arg);
void alarm_finish(struct alarm *a);
/* Fires once, at that moment of the monotonic clock or at once where it is over; moves one that
 * was set. */
void alarm_set(struct alarm *a, int64_t at_us);
void alarm_stop(struct alarm *a);

#endif
