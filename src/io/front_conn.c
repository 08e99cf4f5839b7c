/*
 * The life of a connection.
 *
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
 * - EV_READ stays on, whatever the state, so that a client that goes is seen at
 *   once. Reading ahead stops at FRONT_INPUT_HELD: a client that has sent that
 *   much behind its request (of a body that is held back, or pipelined) is seen
 *   to go only when it is written to. libevent's high watermark does not serve
 *   for that: with DEFER_CALLBACKS it calls back without end while the input
 *   stays above it.
 * - libevhtp's callbacks run only when we call them, on a request it cannot
 *   misread; its request is ended before the next begins.
 */
#include "front_req.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
	WRITE_LOOKS = 4, /* that find no progress within write_ms, and the client counts as stalled */
	RESET_LOOK_MS = 10,
	RESET_MS = 2000,
};

static void
conn_free(void *arg)
{
	struct front_conn *c = arg;

	timer_finish(&c->read_timer);
	timer_finish(&c->write_timer);
	evhtp_connection_free(c->evhtp);
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
	timer_stop(&c->write_timer);
	bufferevent_setcb(c->bev, NULL, NULL, NULL, NULL);
	bufferevent_disable(c->bev, EV_READ | EV_WRITE);
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

	(void)setsockopt(bufferevent_getfd(c->bev), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
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

size_t
front_conn_queued(const struct front_conn *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->bev));
}

static void
watch_writing(struct front_conn *c)
{
	int64_t look_ms = c->front->limits.write_ms / WRITE_LOOKS;

	timer_start(&c->write_timer, look_ms > 0 ? look_ms : 1);
}

/* Straight to the socket where nothing waits before it: that spares an event to be armed and
 * disarmed for each piece of a stream. */
void
front_conn_write(struct front_conn *c, const char *bytes, size_t len)
{
	ssize_t n = 0;

	if (c->state == FRONT_CONN_DEAD)
		return;
	c->handed_bytes += len;
	if (front_conn_queued(c) == 0)
		n = send(bufferevent_getfd(c->bev), bytes, len, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		bufferevent_trigger_event(c->bev, BEV_EVENT_WRITING | BEV_EVENT_ERROR,
		                          BEV_OPT_DEFER_CALLBACKS);
		return;
	}
	if (n < 0)
		n = 0;
	if ((size_t)n == len)
		return;
	bufferevent_write(c->bev, bytes + n, len - (size_t)n);
	if (c->write_timer.due_ms == 0) {
		c->taken_bytes = c->handed_bytes - front_conn_queued(c);
		c->looks = 0;
		watch_writing(c);
	}
}

static void
on_write_timer(void *arg)
{
	struct front_conn *c = arg;
	size_t queued = front_conn_queued(c);
	uint64_t taken_bytes = c->handed_bytes - queued;

	if (queued == 0)
		return;
	c->looks = taken_bytes == c->taken_bytes ? c->looks + 1 : 0;
	c->taken_bytes = taken_bytes;
	if (c->looks < WRITE_LOOKS)
		watch_writing(c);
	else
		front_conn_gone(c, FRONT_WRITE_STALLED);
}

static void
drain_input(struct front_conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t len = evbuffer_get_length(in);

	evbuffer_drain(in, len);
	c->drained += len;
	if (c->drained > FRONT_LINGER_BYTES)
		front_conn_kill(c);
}

/* A close with unread bytes in the kernel would send RST, and the client might lose the answer:
 * so only our side is closed, and what still comes is read away, within bounds. */
static void
begin_linger(struct front_conn *c)
{
	c->state = FRONT_CONN_LINGERING;
	shutdown(bufferevent_getfd(c->bev), SHUT_WR);
	timer_start(&c->read_timer, FRONT_LINGER_MS);
}

/* An answer of unknown length to HTTP/1.0 ends with the connection, so that only RST shows it to
 * be cut. RST overtakes data: wait for the client's system to have it. */
static void
look_at_reset(struct front_conn *c)
{
	int unsent = 0;

	if (ioctl(bufferevent_getfd(c->bev), SIOCOUTQ, &unsent) == 0 && unsent > 0 &&
	    c->looks++ < RESET_MS / RESET_LOOK_MS)
		timer_start(&c->read_timer, RESET_LOOK_MS);
	else
		reset(c);
}

/* A client may have sent a request that was not looked at yet: that one is still answered. */
void
front_conn_stop(struct front_conn *c)
{
	char byte;

	if (c->state != FRONT_CONN_IDLE)
		return;
	if (evbuffer_get_length(bufferevent_get_input(c->bev)) > 0 ||
	    recv(bufferevent_getfd(c->bev), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
		front_conn_wake(c);
	else
		front_conn_kill(c);
}

/* Kept alive: libevhtp's write callback makes it forget the finished request. */
static void
begin_idle(struct front_conn *c)
{
	struct front *f = c->front;
	bool has_input = evbuffer_get_length(bufferevent_get_input(c->bev)) > 0;

	evhtp_send_reply_end(c->evhtp->request);
	f->evhtp_write(c->bev, c->evhtp);
	c->state = FRONT_CONN_IDLE;
	timer_start(&c->read_timer, f->limits.idle_ms);
	if (f->stopping)
		front_conn_stop(c);
	else if (has_input)
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
	if (!c->reading)
		front_conn_wake(c);
	if (front_conn_queued(c) == 0)
		flushed(c);
}

/* The fixed head that stands for every request. What the client sent was parsed already, and
 * libevhtp's own parser is never given a reason to fail. */
static void
tell_evhtp(struct front_conn *c)
{
	static const char head[] = "GET / HTTP/1.1\r\n\r\n";
	struct front *f = c->front;

	evbuffer_prepend(bufferevent_get_input(f->decoy), head, sizeof(head) - 1);
	f->evhtp_read(f->decoy, c->evhtp);
	assert(c->evhtp->request != NULL);
}

void
front_conn_begin(struct front_conn *c, struct front_req *r)
{
	tell_evhtp(c);
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
	front_conn_write(c, out.data, out.len);
	buf_finish(&headers);
	buf_finish(&body);
	buf_finish(&out);
	begin_flush(c, FRONT_THEN_LINGER);
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
	case FRONT_CONN_RESETTING: drain_input(c); return false;
	case FRONT_CONN_DEAD: return false;
	}
	abort();
}

static void
update_reading(struct front_conn *c)
{
	bool read = evbuffer_get_length(bufferevent_get_input(c->bev)) < FRONT_INPUT_HELD;

	if (read == c->reading || c->state == FRONT_CONN_DEAD)
		return;
	c->reading = read;
	if (read)
		bufferevent_enable(c->bev, EV_READ);
	else
		bufferevent_disable(c->bev, EV_READ);
}

void
front_conn_run(struct front_conn *c)
{
	assert(!c->running);
	c->running = true;
	while (step(c))
		continue;
	c->running = false;
	update_reading(c);
}

void
front_conn_wake(struct front_conn *c)
{
	if (!c->running)
		bufferevent_trigger(c->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_OPT_DEFER_CALLBACKS);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	front_conn_run(arg);
}

static void
on_write(struct bufferevent *bev, void *arg)
{
	struct front_conn *c = arg;

	if (c->state == FRONT_CONN_REQUEST)
		front_reply_taken(c->req);
	else if (c->state == FRONT_CONN_FLUSHING && front_conn_queued(c) == 0)
		flushed(c);
}

/* End of file or an error: the client is gone. What was answered in full is still delivered to
 * one that only closed its own side. */
static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct front_conn *c = arg;

	if (c->state == FRONT_CONN_FLUSHING && (what & BEV_EVENT_ERROR) == 0) {
		if (c->then != FRONT_THEN_RESET)
			c->then = FRONT_THEN_CLOSE;
		return;
	}
	front_conn_gone(c, FRONT_CLIENT_CLOSED);
}

static void
on_read_timer(void *arg)
{
	struct front_conn *c = arg;

	switch (c->state) {
	case FRONT_CONN_IDLE:
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

/* libevhtp's callbacks are kept for our own use, and ours put in their place before the first
 * byte is read. */
evhtp_res
front_conn_accept(evhtp_connection_t *evhtp, void *arg)
{
	struct front *f = arg;
	struct front_conn *c = NEW(struct front_conn);

	c->front = f;
	c->evhtp = evhtp;
	c->bev = evhtp_connection_get_bev(evhtp);
	c->state = FRONT_CONN_IDLE;
	c->reading = true;
	set_peer(c, evhtp->saddr);
	(void)fcntl(bufferevent_getfd(c->bev), F_SETFD, FD_CLOEXEC);
	bufferevent_getcb(c->bev, &f->evhtp_read, &f->evhtp_write, NULL, NULL);
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	bufferevent_setwatermark(c->bev, EV_WRITE, FRONT_OUTPUT_LOW, 0);
	bufferevent_set_max_single_read(c->bev, FRONT_READ_MAX);
	bufferevent_set_max_single_write(c->bev, FRONT_OUTPUT_FULL);
	timer_init(&c->read_timer, f->loop, on_read_timer, c);
	timer_init(&c->write_timer, f->loop, on_write_timer, c);
	timer_start(&c->read_timer, f->limits.idle_ms);
	list_add_last(&f->conns, &c->link);
	front_accept_count(f);
	return EVHTP_RES_OK;
}
