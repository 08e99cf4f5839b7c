/*
 * A front end with a scripted handler, and clients on loopback that live in the
 * same event loop, so that a test waits for what it expects and never for time.
 */
#ifndef TESTS_FRONT_BED_H
#define TESTS_FRONT_BED_H

#include "../check.h"

#include "base/buf.h"
#include "io/front.h"
#include "io/loop.h"

#include <event2/event.h>

/*
 * What the handler does, by path:
 *   /hold    nothing: `held` is the request
 *   /early   answers 401 without reading the body
 *   /late    as /hold, but reads the body first
 *   /pause   stops the body after each piece
 *   /stream  three pieces of unknown length, flushed one by one
 *   /204 /304  that status
 *   /flood   `flood_bytes` of unknown length, as fast as the client takes them
 *   others   read the body and answer "METHOD target headers\n" and the body
 */
struct bed {
	struct loop *loop;
	struct front *front;
	struct timer guard;
	struct buf address;
	int port;
	int64_t max_bytes;
	size_t flood_bytes;
	int64_t gone_at_ms;
	struct front_req *held;
	struct buf trace; /* what the handler was called with, each call ended by a space */
};

#define HOLD "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"

struct client {
	struct bed *bed;
	int fd;
	struct event *readable;
	struct event *writable;
	struct buf in;
	struct buf out; /* given to be sent */
	size_t sent;
	bool send_failed;
	struct timer drip;
	const char *drop;
	bool eof;
	bool reset;
};

extern const struct front_limits bed_limits; /* wide ones */

void bed_open(struct bed *b, const struct front_limits *limits);
/* With bed_limits but for those that are not 0. */
void bed_open_with(struct bed *b, struct front_limits change);
void bed_close(struct bed *b);
void bed_guard(struct bed *b);
/* What is ready now, and what follows from it at once. */
void bed_settle(struct bed *b);
/* Sends `request`, which the handler holds. */
void bed_hold(struct bed *b, struct client *c, const char *request);
/* Ends the request that is held, by end or by cut. */
void bed_release(struct bed *b, void (*how)(struct front_req *r));
/* Answers the request that is held. */
void bed_answer(struct bed *b, int status);
bool bed_saw(const struct bed *b, const char *call);

/* Fails the test when it takes longer than 10 s. */
#define RUN_UNTIL(bed, condition) \
	for (bed_guard(bed); !(condition); event_base_loop(loop_base((bed)->loop), EVLOOP_ONCE))

void client_open(struct client *c, struct bed *b);
void client_open_narrow(struct client *c, struct bed *b); /* with a small receive buffer */
void client_close(struct client *c);
void client_reset(struct client *c); /* closes with RST */
void client_half_close(struct client *c);
/* Stops and goes on reading. */
void client_read(struct client *c, bool on);
void client_send(struct client *c, const char *text);
void client_send_bytes(struct client *c, const void *bytes, size_t len);
/* Sends `drop` each 4 ms, until it is closed. */
void client_drip(struct client *c, const char *drop);
bool client_has(const struct client *c, const char *text);
bool client_ended(const struct client *c);
/* Whether the kernel took everything; fails the test if the front end did not let it. */
bool client_sent_all(const struct client *c);
/* The number of status lines so far, 100 Continue included. */
int client_answers(const struct client *c);
/* The status of the n-th answer from 0. */
int client_status(const struct client *c, int n);
/* Everything that came, without the values of Date. */
void client_plain(const struct client *c, struct buf *out);

#endif
