/*
 * The holder of exchanges in a test: a loop, a peer, an upstream to it, and what
 * came of one exchange after the other.
 */
#ifndef TESTS_CLIENT_H
#define TESTS_CLIENT_H

#include "io/exchange.h"
#include "peer.h"

enum { NO_END = -1 };

struct client {
	struct loop *loop;
	struct peer *peer;
	struct upstream *upstream;
	struct timer guard;
	struct exchange *exchange; /* the last started; NULL when it has ended */
	int running;               /* exchanges that have neither ended nor been cancelled */
	struct exchange_request request;
	/* What came since the last start: */
	int heads;
	int status;
	int flushes;
	int drained;
	int ends;
	int end;         /* enum exchange_end, or NO_END */
	const char *why; /* what came with it */
	bool chunked;
	struct buf body;
	struct buf headers;
	/* What a test does inside a callback; may be NULL. */
	void (*in_head)(struct client *c);
	void (*in_body)(struct client *c);
	void (*in_flush)(struct client *c);
	void (*in_drained)(struct client *c);
	void (*in_end)(struct client *c);
};

/* For cmocka: *state is a client with a peer on 127.0.0.1. */
int client_setup(void **state);
int client_teardown(void **state);
void client_use(struct client *c, const struct upstream_conf *conf);
/* Starts the request, and forgets what came before. */
void client_start(struct client *c);
void client_cancel(struct client *c);
/* The loop until loop_stop, which the last end calls unless in_end is set. */
void client_run(struct client *c);
/* Start, run, and check the end. */
void client_expect(struct client *c, enum exchange_end end);
/* Runs the loop for so long. */
void client_wait_ms(struct client *c, int64_t ms);

#endif
