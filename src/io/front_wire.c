/*
 * Between a connection and its socket.
 *
 * Input is received into one buffer for all connections, and mostly read up from
 * there while front_conn_run runs; what is left is copied. The bufferevent does
 * not read: it would ask for the length first and allocate for each read, and with
 * deferred callbacks it calls back without end while its high watermark is reached.
 *
 * Output goes straight to the socket as long as nothing waits before it, which
 * spares an event to be armed and disarmed for each piece of a stream. What the
 * kernel does not take at once is the bufferevent's.
 */
#include "front_conn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Looks that find no progress within write_ms, and the client counts as stalled. */
enum { WRITE_LOOKS = 4 };

/* Between two looks whether a client is still there that is not read. */
enum { LOOK_MS = 100 };

/* Lent to one connection at a time, while front_conn_run is on the stack. */
static char received[64 * 1024];

size_t
front_wire_queued(const struct front_conn *c)
{
	return c->spilled ? evbuffer_get_length(bufferevent_get_output(c->bev)) : 0;
}

static void
watch_writing(struct front_conn *c)
{
	int64_t look_ms = c->front->limits.write_ms / WRITE_LOOKS;

	timer_start(&c->write_timer, look_ms > 0 ? look_ms : 1);
}

/* An error is left to the bufferevent, which meets it again and reports it as an event. */
void
front_wire_put(struct front_conn *c, const char *bytes, size_t len)
{
	ssize_t n = 0;

	c->handed_bytes += len;
	if (front_wire_queued(c) == 0) {
		c->spilled = false;
		n = send(c->fd, bytes, len, MSG_NOSIGNAL);
	}
	if (n < 0)
		n = 0;
	if ((size_t)n == len)
		return;
	bufferevent_write(c->bev, bytes + n, len - (size_t)n);
	c->spilled = true;
	if (c->write_timer.due_ms == 0) {
		c->taken_bytes = c->handed_bytes - front_wire_queued(c);
		c->looks = 0;
		watch_writing(c);
	}
}

void
front_wire_write(struct front_conn *c, const char *bytes, size_t len)
{
	if (c->state == FRONT_CONN_DEAD)
		return;
	if (c->tls.ssl == NULL)
		front_wire_put(c, bytes, len);
	else
		front_tls_write(c, bytes, len);
}

static void
on_write_timer(void *arg)
{
	struct front_conn *c = arg;
	size_t queued = front_wire_queued(c);
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
take_input(struct front_conn *c, struct str bytes)
{
	if (c->in.len == 0) {
		c->in = bytes;
		return;
	}
	if (c->in.ptr != c->held.data) {
		memmove(c->held.data, c->in.ptr, c->in.len);
		c->held.len = c->in.len;
	}
	buf_add(&c->held, bytes.ptr, bytes.len);
	c->in = (struct str){c->held.data, c->held.len};
}

/* What is left of the lent buffer is copied; memory that nothing is left in is given back. */
static void
keep_input(struct front_conn *c)
{
	if (c->in.len == 0) {
		buf_finish(&c->held);
	} else if (c->in.ptr >= received && c->in.ptr < received + sizeof(received)) {
		buf_clear(&c->held);
		buf_add(&c->held, c->in.ptr, c->in.len);
		c->in.ptr = c->held.data;
	}
}

/* The end of what it sends is behind what is not read. */
static void
on_look_timer(void *arg)
{
	struct front_conn *c = arg;
	struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};

	if (c->reading || c->state == FRONT_CONN_DEAD)
		return;
	if (poll(&p, 1, 0) > 0)
		front_conn_end_of_input(c);
	else
		timer_start(&c->look_timer, LOOK_MS);
}

void
front_wire_rest(struct front_conn *c)
{
	bool read = c->in.len < FRONT_INPUT_HELD;

	keep_input(c);
	if (read == c->reading || c->state == FRONT_CONN_DEAD)
		return;
	c->reading = read;
	if (read) {
		event_add(c->readable, NULL);
		return;
	}
	event_del(c->readable);
	timer_start(&c->look_timer, LOOK_MS);
}

void
front_wire_take(struct front_conn *c, struct str bytes)
{
	take_input(c, bytes);
	front_conn_run(c);
}

/* What is sealed and shall not be opened any more is read away. */
static void
pass_over(struct front_conn *c, size_t len)
{
	c->drained += len;
	if (c->drained > FRONT_LINGER_BYTES)
		front_conn_kill(c);
}

void
front_wire_read(struct front_conn *c)
{
	ssize_t n;

	if (c->tls.wanted && !c->tls.over) {
		front_tls_readable(c, received, sizeof(received));
		return;
	}
	n = recv(c->fd, received, sizeof(received), 0);
	if (n > 0 && c->tls.over) {
		pass_over(c, (size_t)n);
	} else if (n > 0) {
		front_wire_take(c, (struct str){received, (size_t)n});
	} else if (n == 0) {
		front_conn_end_of_input(c);
	} else if (errno != EAGAIN && errno != EINTR) {
		front_conn_gone(c, FRONT_CLIENT_CLOSED);
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	front_wire_read(arg);
}

static void
on_wake(struct bufferevent *bev, void *arg)
{
	front_conn_run(arg);
}

static void
on_write(struct bufferevent *bev, void *arg)
{
	front_conn_taken(arg);
}

/* A write has failed. */
static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	front_conn_gone(arg, FRONT_CLIENT_CLOSED);
}

/* Reading is taken from libevhtp before the first byte has come, and so the 8 KiB of its parser are
 * given back. Our event is added before that of the bufferevent goes, which spares two system
 * calls.
 */
void
front_wire_open(struct front_conn *c)
{
	c->fd = bufferevent_getfd(c->bev);
	(void)fcntl(c->fd, F_SETFD, FD_CLOEXEC);
	free(c->evhtp->parser);
	c->evhtp->parser = NULL;
	c->readable = event_new(loop_base(c->front->loop), c->fd, EV_READ | EV_PERSIST, on_readable, c);
	event_add(c->readable, NULL);
	c->reading = true;
	bufferevent_disable(c->bev, EV_READ);
	bufferevent_setcb(c->bev, on_wake, on_write, on_event, c);
	bufferevent_setwatermark(c->bev, EV_WRITE, FRONT_OUTPUT_LOW, 0);
	bufferevent_set_max_single_write(c->bev, FRONT_OUTPUT_FULL);
	timer_init(&c->write_timer, c->front->loop, on_write_timer, c);
	timer_init(&c->look_timer, c->front->loop, on_look_timer, c);
}

void
front_wire_close(struct front_conn *c)
{
	front_tls_close(c);
	timer_stop(&c->write_timer);
	timer_stop(&c->look_timer);
	bufferevent_setcb(c->bev, NULL, NULL, NULL, NULL);
	bufferevent_disable(c->bev, EV_WRITE);
	event_del(c->readable);
}

void
front_wire_free(struct front_conn *c)
{
	timer_finish(&c->write_timer);
	timer_finish(&c->look_timer);
	event_free(c->readable);
	buf_finish(&c->held);
	front_tls_free(c);
	evhtp_connection_free(c->evhtp);
}
