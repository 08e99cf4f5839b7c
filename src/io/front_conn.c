/*
 * The life of a connection.
 *
 *   SHAKING -> IDLE (TLS)
 *   IDLE -> HEAD -> REQUEST -> FLUSHING -> IDLE (kept alive)
 *                                       -> LINGERING or RESETTING -> DEAD
 *   any -> DEAD
 *
 * REQUEST is passed with no HEAD before it when a head comes in one piece, and
 * FLUSHING is left at once when the client took everything.
 *
 * - A connection is never freed inside a callback: it is killed, which cuts it
 *   off from everything, and buried.
 * - Handlers are called from front_conn_run and from events, one call deep: an
 *   answer given inside a callback only changes the state, and a pipelined
 *   request is taken up by the loop in front_conn_run or by a later event.
 * - A connection is read in every state, so that a client that goes is seen at
 *   once. Only when FRONT_INPUT_HELD bytes wait (of a body that is held back, or
 *   pipelined) is no more read, and that client is looked after every 100 ms.
 */
#include "front_req.h"

#include "base/clock.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
	RESET_LOOK_MS = 10,
	RESET_MS = 2000,
};

static void
conn_free(void *arg)
{
	struct front_conn *c = arg;

	timer_finish(&c->read_timer);
	front_wire_free(c);
	free(c);
}

void
front_conn_kill(struct front_conn *c)
{
	struct front *f = c->front;

	if (c->state == FRONT_CONN_DEAD)
		return;
	assert(c->req == NULL);
	c->state = FRONT_CONN_DEAD;
	timer_stop(&c->read_timer);
	front_wire_close(c);
	list_remove(&c->link);
	if (f->conn_count-- == f->limits.connections)
		front_accept_update(f);
	loop_bury(f->loop, c, conn_free);
}

/* What is on its way is thrown away, and the client sees an error. */
static void
reset(struct front_conn *c)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	c->tls.over = true;
	(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	front_conn_kill(c);
}

void
front_conn_gone(struct front_conn *c, enum front_gone why)
{
	struct front *f = c->front;
	struct front_req *r = c->req;

	c->req = NULL;
	if (why == FRONT_WRITE_STALLED || (r != NULL && front_reply_needs_reset(r)))
		reset(c);
	else
		front_conn_kill(c);
	if (r == NULL)
		return;
	f->ops->on_gone(r, why, f->arg);
	front_req_free(r);
}

static void
drain_input(struct front_conn *c)
{
	c->drained += c->in.len;
	c->in.len = 0;
	if (c->drained > FRONT_LINGER_BYTES)
		front_conn_kill(c);
}

static void
linger_on(struct front_conn *c)
{
	int64_t left_ms = c->linger_until_ms - clock_now_ms();

	left_ms = left_ms < FRONT_LINGER_MS ? left_ms : FRONT_LINGER_MS;
	timer_start(&c->read_timer, left_ms > 0 ? left_ms : 0);
}

/* A close with unread bytes in the kernel would send RST, and the client might lose the answer:
 * so only our side is closed, and what still comes is read away, within bounds. */
static void
begin_linger(struct front_conn *c)
{
	c->state = FRONT_CONN_LINGERING;
	shutdown(c->fd, SHUT_WR);
	c->linger_until_ms = clock_now_ms() + FRONT_LINGER_WHOLE_MS;
	linger_on(c);
}

/* An answer of unknown length to HTTP/1.0 ends with the connection, so that only RST shows it to
 * be cut. RST overtakes data: wait for the client's system to have it. */
static void
look_at_reset(struct front_conn *c)
{
	int unsent = 0;

	if (ioctl(c->fd, SIOCOUTQ, &unsent) == 0 && unsent > 0 && c->looks++ < RESET_MS / RESET_LOOK_MS)
		timer_start(&c->read_timer, RESET_LOOK_MS);
	else
		reset(c);
}

/* A CR alone may never become an empty line, and is no request. */
static bool
has_input(const struct front_conn *c)
{
	char byte;

	return (c->in.len > 0 && !str_eq(c->in, "\r")) ||
	       recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* A client may have sent a request that was not looked at yet: that one is still answered. */
void
front_conn_stop(struct front_conn *c)
{
	if (c->state != FRONT_CONN_IDLE && (c->state != FRONT_CONN_SHAKING || c->tls.ssl != NULL))
		return;
	if (has_input(c))
		front_conn_wake(c);
	else
		front_conn_kill(c);
}

/* The time is over, unless a request came in the same turn of the loop; but who sends empty lines
 * and nothing else is not waited for again and again. */
static void
end_idle(struct front_conn *c)
{
	if (c->idle_over || !has_input(c)) {
		front_conn_kill(c);
		return;
	}
	c->idle_over = true;
	timer_start(&c->read_timer, c->front->limits.idle_ms);
}

static void
begin_idle(struct front_conn *c)
{
	struct front *f = c->front;

	c->state = FRONT_CONN_IDLE;
	c->idle_over = false;
	timer_start(&c->read_timer, f->limits.idle_ms);
	if (f->stopping)
		front_conn_stop(c);
	else if (c->in.len > 0)
		front_conn_wake(c);
}

/* The client has taken everything. */
static void
flushed(struct front_conn *c)
{
	switch (c->then) {
	case FRONT_THEN_NEXT: begin_idle(c); break;
	case FRONT_THEN_CLOSE: front_conn_kill(c); break;
	case FRONT_THEN_LINGER: begin_linger(c); break;
	case FRONT_THEN_RESET:
		c->state = FRONT_CONN_RESETTING;
		c->looks = 0;
		look_at_reset(c);
		break;
	}
}

static void
begin_flush(struct front_conn *c, enum front_then then)
{
	c->state = FRONT_CONN_FLUSHING;
	c->then = then;
	timer_stop(&c->read_timer);
	if (then == FRONT_THEN_CLOSE || then == FRONT_THEN_LINGER)
		front_tls_end(c);
	if (!c->reading)
		front_conn_wake(c);
	if (front_wire_queued(c) == 0)
		flushed(c);
}

void
front_conn_begin(struct front_conn *c, struct front_req *r)
{
	timer_stop(&c->read_timer);
	c->state = FRONT_CONN_REQUEST;
	c->req = r;
}

void
front_conn_end(struct front_conn *c, enum front_then then)
{
	struct front_req *r = c->req;

	c->req = NULL;
	front_req_free(r);
	begin_flush(c, then);
}

void
front_conn_refuse(struct front_conn *c, int status, const char *why, const struct http_head *head)
{
	struct front *f = c->front;
	struct str path = head != NULL ? head->path : (struct str){NULL, 0};
	struct buf headers = {0}, body = {0}, out = {0};

	f->ops->refuse(status, why, path, c->peer, &headers, &body, f->arg);
	buf_addf(&out, "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Length: %zu\r\nConnection: close\r\n",
	         status, http_reason(status), front_date(f), body.len);
	buf_add(&out, headers.data, headers.len);
	buf_adds(&out, "\r\n");
	if (head == NULL || head->method != HTTP_HEAD)
		buf_add(&out, body.data, body.len);
	front_wire_write(c, out.data, out.len);
	buf_finish(&headers);
	buf_finish(&body);
	buf_finish(&out);
	begin_flush(c, FRONT_THEN_LINGER);
}

void
front_conn_dismiss(struct front_conn *c)
{
	begin_flush(c, FRONT_THEN_LINGER);
}

/* A front that stops still answers the request that this handshake was for. */
void
front_conn_shaken(struct front_conn *c)
{
	const struct front_limits *limits = &c->front->limits;

	c->state = FRONT_CONN_IDLE;
	timer_start(&c->read_timer, c->front->stopping ? limits->head_ms : limits->idle_ms);
}

/* Returns whether there may be more to do. */
static bool
step(struct front_conn *c)
{
	switch (c->state) {
	case FRONT_CONN_IDLE:
	case FRONT_CONN_HEAD: return front_read_head(c);
	case FRONT_CONN_REQUEST: return front_read_more(c->req);
	case FRONT_CONN_FLUSHING:
		if (c->then != FRONT_THEN_NEXT)
			drain_input(c);
		return false;
	case FRONT_CONN_LINGERING:
		if (c->in.len > 0)
			linger_on(c);
		drain_input(c);
		return false;
	case FRONT_CONN_RESETTING: drain_input(c); return false;
	case FRONT_CONN_SHAKING:
	case FRONT_CONN_DEAD: return false;
	}
	abort();
}

void
front_conn_run(struct front_conn *c)
{
	assert(!c->running);
	c->running = true;
	clock_hold();
	while (step(c))
		continue;
	clock_release();
	c->running = false;
	front_wire_rest(c);
}

void
front_conn_wake(struct front_conn *c)
{
	if (!c->running)
		bufferevent_trigger(c->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_OPT_DEFER_CALLBACKS);
}

/* What was answered in full is still delivered to a client that only closed its own side. */
void
front_conn_end_of_input(struct front_conn *c)
{
	if (c->state != FRONT_CONN_FLUSHING) {
		front_conn_gone(c, FRONT_CLIENT_CLOSED);
		return;
	}
	event_del(c->readable);
	if (c->then != FRONT_THEN_RESET)
		c->then = FRONT_THEN_CLOSE;
}

void
front_conn_taken(struct front_conn *c)
{
	if (c->state == FRONT_CONN_REQUEST)
		front_reply_taken(c->req);
	else if (c->state == FRONT_CONN_FLUSHING && front_wire_queued(c) == 0)
		flushed(c);
}

static void
on_read_timer(void *arg)
{
	struct front_conn *c = arg;

	switch (c->state) {
	case FRONT_CONN_SHAKING: front_tls_timed_out(c); break;
	case FRONT_CONN_IDLE: end_idle(c); break;
	case FRONT_CONN_LINGERING: front_conn_kill(c); break;
	case FRONT_CONN_HEAD:
		front_conn_refuse(c, 408, "the head of the request took too long", NULL);
		break;
	case FRONT_CONN_REQUEST: front_read_timed_out(c->req); break;
	case FRONT_CONN_RESETTING: look_at_reset(c); break;
	case FRONT_CONN_FLUSHING:
	case FRONT_CONN_DEAD: break;
	}
}

static void
set_peer(struct front_conn *c, const struct sockaddr *sa)
{
	char text[INET6_ADDRSTRLEN];

	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;

		inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
		snprintf(c->peer, sizeof(c->peer), "%s:%u", text, ntohs(in->sin_port));
		c->loopback = ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	} else if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)sa;

		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
		snprintf(c->peer, sizeof(c->peer), "[%s]:%u", text, ntohs(in6->sin6_port));
		c->loopback = IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
	} else {
		snprintf(c->peer, sizeof(c->peer), "unix:");
		c->loopback = true;
	}
}

evhtp_res
front_conn_accept(evhtp_connection_t *evhtp, void *arg)
{
	struct front *f = arg;
	struct front_conn *c = NEW(struct front_conn);

	c->front = f;
	c->evhtp = evhtp;
	c->bev = evhtp_connection_get_bev(evhtp);
	c->tls.wanted = f->tls != NULL && evhtp->saddr->sa_family != AF_UNIX;
	list_init(&c->tls.link);
	c->state = c->tls.wanted ? FRONT_CONN_SHAKING : FRONT_CONN_IDLE;
	set_peer(c, evhtp->saddr);
	front_wire_open(c);
	timer_init(&c->read_timer, f->loop, on_read_timer, c);
	timer_start(&c->read_timer, c->tls.wanted ? f->limits.head_ms : f->limits.idle_ms);
	list_add_last(&f->conns, &c->link);
	front_accept_count(f);
	return EVHTP_RES_OK;
}
