/*
 * Signs of life to a client whose stream takes long to begin: the head of an event
 * stream, then comments, which every client skips. Some clients and proxies give up
 * on a connection that is silent for a few minutes, while a load alone may take as long.
 *
 * They commit the status 200. So they begin only after 60 s, when most of what is refused
 * has been refused; what fails later is an event of the stream (request_fail). Who asks for
 * shorter heartbeats has less patient clients: then they begin after the fourth.
 */
#ifndef APP_HEARTBEAT_H
#define APP_HEARTBEAT_H

#include "base/buf.h"
#include "io/loop.h"

#include <stdint.h>

struct request;

struct heartbeat {
	struct request *request; /* borrowed */
	int64_t every_ms;
	/* Adds what the client is told: no line end in it. */
	void (*describe)(struct buf *out, void *arg);
	void *arg;
	struct timer timer;
};

void heartbeat_init(struct heartbeat *h, struct request *r,
                    void (*describe)(struct buf *out, void *arg), void *arg);
void heartbeat_finish(struct heartbeat *h);
/* Does nothing where the client could not take them: only event streams over HTTP/1.1 have
 * comments. */
void heartbeat_start(struct heartbeat *h);
/* The answer begins. */
void heartbeat_stop(struct heartbeat *h);
/* When the first is due, after the request came. */
int64_t heartbeat_first_ms(int64_t every_ms);

#endif
