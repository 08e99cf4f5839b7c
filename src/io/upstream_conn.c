/*
 * An open connection: bytes in, bytes out, idle in between.
 *
 * Bytes are read into one static buffer that all connections share, since the
 * holder uses them up within the call; sent bytes are copied only when the
 * socket does not take them. A token of a stream thus costs one recv and no
 * memory.
 */
#include "upstream_conn.h"

#include "base/clock.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	KEPT_BYTES = 16 * 1024, /* of an output buffer from one request to the next */
	PARTS_MAX = 4,
	JOINED_BYTES_MAX = 4 * 1024,      /* so large a body costs less copied behind its head */
	TLS_JOINED_BYTES_MAX = 16 * 1024, /* a record: a body up to it leaves with its head */
	IDLE_MS = 60 * 1000,
};

static char read_buffer[CONN_READ_BYTES];

size_t
conn_pending(const struct conn *c)
{
	return c->out.len - c->out_at + c->body.len;
}

bool
conn_has_arrived(const struct conn *c)
{
	int unconfirmed;

	return ioctl(c->fd, SIOCOUTQ, &unconfirmed) == 0 && unconfirmed == 0;
}

static void
clear_out(struct conn *c)
{
	c->out_at = 0;
	if (c->out.cap > KEPT_BYTES)
		buf_finish(&c->out);
	else
		buf_clear(&c->out);
}

void
conn_stop_sending(struct conn *c)
{
	clear_out(c);
	c->body = (struct str){NULL, 0};
	event_del(c->writable);
}

/* What it means for the answer is seen by reading on. */
static void
give_up_sending(struct conn *c)
{
	conn_stop_sending(c);
	c->write_failed = true;
	event_active(c->readable, EV_READ, 0);
}

static enum step
send_plain(struct conn *c, struct iovec *parts, int count, size_t *sent)
{
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
	ssize_t n;

	do /* send() costs the kernel less than a vector of one */
		n = count == 1 ? send(c->fd, parts->iov_base, parts->iov_len, MSG_NOSIGNAL)
		               : sendmsg(c->fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	*sent = n < 0 ? 0 : (size_t)n;
	if (n >= 0)
		return STEP_DONE;
	return errno == EAGAIN || errno == EWOULDBLOCK ? STEP_WANTS_WRITE : STEP_FAILED;
}

/* sendmsg only reads the bytes, but its struct serves recvmsg too. */
static struct iovec
part_of(struct str bytes)
{
	union {
		const char *in;
		void *out;
	} base = {.in = bytes.ptr};

	return (struct iovec){base.out, bytes.len};
}

static enum step
send_pending(struct conn *c, size_t *sent)
{
	struct str out = {buf_text(&c->out) + c->out_at, c->out.len - c->out_at};
	struct iovec parts[2];
	int count = 0;

	if (c->ssl != NULL && out.len > 0)
		return tls_send(c->ssl, out.ptr, out.len, sent);
	if (c->ssl != NULL)
		return tls_send(c->ssl, c->body.ptr, c->body.len, sent);
	if (out.len > 0)
		parts[count++] = part_of(out);
	if (c->body.len > 0)
		parts[count++] = part_of(c->body);
	return send_plain(c, parts, count, sent);
}

static void
advance(struct conn *c, size_t sent)
{
	size_t of_out = c->out.len - c->out_at;

	if (sent < of_out) {
		c->out_at += sent;
		return;
	}
	clear_out(c);
	if (sent == of_out)
		return;
	c->body.ptr += sent - of_out;
	c->body.len -= sent - of_out;
}

void
conn_flush(struct conn *c)
{
	while (c->state == CONN_OPEN && conn_pending(c) > 0) {
		size_t sent = 0;

		switch (send_pending(c, &sent)) {
		case STEP_DONE: advance(c, sent); break;
		case STEP_WANTS_WRITE: event_add(c->writable, NULL); return;
		case STEP_WANTS_READ: event_del(c->writable); return;
		case STEP_EOF:
		case STEP_FAILED: give_up_sending(c); return;
		}
	}
}

/* The bytes already sent make room before the buffer grows. */
static void
queue(struct conn *c, struct str part)
{
	if (c->out_at > 0 && c->out_at >= c->out.len / 2) {
		memmove(c->out.data, c->out.data + c->out_at, c->out.len - c->out_at);
		c->out.len -= c->out_at;
		c->out_at = 0;
	}
	buf_add(&c->out, part.ptr, part.len);
}

/* How many bytes of the parts the socket took without their being copied. */
static size_t
send_uncopied(struct conn *c, const struct str *parts, int count)
{
	struct iovec vector[PARTS_MAX];
	size_t sent = 0;

	assert(count <= PARTS_MAX);
	if (c->state != CONN_OPEN || c->ssl != NULL || conn_pending(c) > 0)
		return 0;
	for (int i = 0; i < count; i++)
		vector[i] = part_of(parts[i]);
	if (send_plain(c, vector, count, &sent) == STEP_FAILED)
		give_up_sending(c);
	return sent;
}

void
conn_send(struct conn *c, const struct str *parts, int count)
{
	size_t sent;

	if (c->write_failed)
		return;
	sent = send_uncopied(c, parts, count);
	if (c->write_failed)
		return;
	for (int i = 0; i < count; i++) {
		struct str part = parts[i];
		size_t gone = part.len < sent ? part.len : sent;

		sent -= gone;
		if (part.len > gone)
			queue(c, (struct str){part.ptr + gone, part.len - gone});
	}
	conn_flush(c);
}

void
conn_send_all(struct conn *c, struct str body)
{
	if (body.len <= (c->upstream->tls != NULL ? TLS_JOINED_BYTES_MAX : JOINED_BYTES_MAX))
		buf_add(&c->out, body.ptr, body.len);
	else
		c->body = body;
	conn_flush(c);
}

static enum step
receive(struct conn *c, size_t *got)
{
	ssize_t n;

	if (c->ssl != NULL)
		return tls_recv(c->ssl, read_buffer, sizeof(read_buffer), got);
	n = recv(c->fd, read_buffer, sizeof(read_buffer), 0);
	if (n == 0)
		return STEP_EOF;
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? STEP_WANTS_READ
		                                                                 : STEP_FAILED;
	*got = (size_t)n;
	return STEP_DONE;
}

/* RFC 9112 6.3: what came behind an answer must not be taken for the next, so that a connection
 * that rested is looked at: then it is sure that nothing had come before the next request is sent.
 * What comes within a millisecond is seen by reading that answer, or could as well come later. */
static bool
is_quiet(struct conn *c)
{
	size_t got;

	return c->idle_since_ms == clock_now_ms() || receive(c, &got) == STEP_WANTS_READ;
}

/* An idle connection has nothing to say: with whatever it says it is out of step. */
static void
read_some(struct conn *c)
{
	size_t got = 0;
	enum step step = receive(c, &got);

	switch (step) {
	case STEP_WANTS_READ: return;
	case STEP_WANTS_WRITE:
		c->read_wants_write = true;
		event_add(c->writable, NULL);
		return;
	case STEP_DONE:
	case STEP_EOF:
	case STEP_FAILED: break;
	}
	clock_hold();
	if (c->state == CONN_IDLE)
		conn_close(c);
	else if (step == STEP_DONE)
		c->ops->on_bytes((struct str){read_buffer, got}, c->arg);
	else
		c->ops->on_closed(step == STEP_EOF, c->arg);
	clock_release();
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	switch (c->state) {
	case CONN_DIALING:
	case CONN_SHAKING: conn_dial_step(c); return;
	case CONN_OPEN:
	case CONN_IDLE:
		/* TLS may have waited for these bytes to send its own. */
		if (c->ssl != NULL && conn_pending(c) > 0)
			event_active(c->writable, EV_WRITE, 0);
		read_some(c);
		return;
	case CONN_WAITING:
	case CONN_FAILED:
	case CONN_CLOSED: abort();
	}
}

static void
write_some(struct conn *c)
{
	if (c->read_wants_write) {
		c->read_wants_write = false;
		event_active(c->readable, EV_READ, 0);
	}
	conn_flush(c);
	if (conn_pending(c) == 0)
		event_del(c->writable);
	if (c->state == CONN_OPEN)
		c->ops->on_progress(c->arg);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	switch (c->state) {
	case CONN_DIALING:
	case CONN_SHAKING: conn_dial_step(c); return;
	case CONN_OPEN:
	case CONN_IDLE: write_some(c); return;
	case CONN_WAITING:
	case CONN_FAILED:
	case CONN_CLOSED: abort();
	}
}

static void
on_kick(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	assert(c->state == CONN_FAILED);
	c->ops->on_failed(c->failure, c->why, c->arg);
}

static void
on_timer(void *arg)
{
	struct conn *c = arg;

	switch (c->state) {
	case CONN_DIALING:
	case CONN_SHAKING: conn_dial_limit(c); return;
	case CONN_OPEN: c->ops->on_limit(c->arg); return;
	case CONN_IDLE: conn_close(c); return;
	case CONN_WAITING:
	case CONN_FAILED:
	case CONN_CLOSED: return;
	}
}

void
conn_watch(struct conn *c)
{
	struct event_base *base = loop_base(c->upstream->loop);

	event_assign(c->readable, base, c->fd, EV_READ | EV_PERSIST, on_readable, c);
	event_assign(c->writable, base, c->fd, EV_WRITE | EV_PERSIST, on_writable, c);
}

void
conn_unwatch(struct conn *c)
{
	if (c->fd < 0)
		return;
	event_del(c->readable);
	event_del(c->writable);
	tls_destroy(&c->ssl);
	close(c->fd);
	c->fd = -1;
}

void
conn_opened(struct conn *c)
{
	c->state = CONN_OPEN;
	timer_stop(&c->timer);
	event_del(c->writable);
	event_add(c->readable, NULL);
}

static struct event *
must_event(struct loop *l, event_callback_fn fn, struct conn *c)
{
	struct event *e = event_new(loop_base(l), -1, 0, fn, c);

	assert(e != NULL);
	return e;
}

static struct conn *
conn_create(struct upstream *u)
{
	struct conn *c = NEW(struct conn);

	c->upstream = u;
	c->fd = -1;
	list_init(&c->link);
	c->readable = must_event(u->loop, on_readable, c);
	c->writable = must_event(u->loop, on_writable, c);
	c->kick = must_event(u->loop, on_kick, c);
	timer_init(&c->timer, u->loop, on_timer, c);
	return c;
}

static void
conn_free(void *object)
{
	struct conn *c = object;

	event_free(c->readable);
	event_free(c->writable);
	event_free(c->kick);
	timer_finish(&c->timer);
	buf_finish(&c->out);
	free(c);
}

/* NULL: none that can be trusted. */
static struct conn *
first_idle(struct upstream *u)
{
	struct conn *c;

	while ((c = LIST_FIRST(&u->idle, struct conn, link)) != NULL && !is_quiet(c))
		conn_close(c);
	return c;
}

struct conn *
conn_take(struct upstream *u, bool fresh, const struct conn_ops *ops, void *arg)
{
	struct conn *c = fresh ? NULL : first_idle(u);

	if (c == NULL) {
		c = conn_create(u);
		c->ops = ops;
		c->arg = arg;
		conn_dial(c);
		return c;
	}
	c->ops = ops;
	c->arg = arg;
	c->state = CONN_OPEN;
	c->reused = true;
	u->idle_count--;
	list_remove(&c->link);
	list_add_last(&u->busy, &c->link);
	timer_stop(&c->timer);
	return c;
}

void
conn_keep(struct conn *c)
{
	struct upstream *u = c->upstream;

	assert(c->state == CONN_OPEN && conn_pending(c) == 0 && !c->write_failed);
	if (u->idle_count >= u->idle_max) {
		conn_close(c);
		return;
	}
	conn_pause(c, false);
	c->state = CONN_IDLE;
	c->idle_since_ms = clock_now_ms();
	c->ops = NULL;
	c->arg = NULL;
	u->idle_count++;
	list_remove(&c->link);
	list_add_first(&u->idle, &c->link);
	timer_start(&c->timer, IDLE_MS);
}

void
conn_close(struct conn *c)
{
	assert(c->state != CONN_CLOSED);
	if (c->state == CONN_IDLE)
		c->upstream->idle_count--;
	list_remove(&c->link);
	conn_unwatch(c);
	event_del(c->kick);
	timer_stop(&c->timer);
	c->state = CONN_CLOSED;
	loop_bury(c->upstream->loop, c, conn_free);
}

void
conn_pause(struct conn *c, bool paused)
{
	if (c->paused == paused)
		return;
	c->paused = paused;
	if (paused)
		event_del(c->readable);
	else
		event_add(c->readable, NULL);
}

/* Else each token of a stream is acknowledged at once, by a segment that costs as much as reading
 * it. Refused or not, the answer is the same. */
void
conn_delay_acks(struct conn *c)
{
	static const int off = 0;

	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off));
}

void
conn_limit(struct conn *c, int64_t ms)
{
	if (ms > 0)
		timer_start(&c->timer, ms);
	else
		timer_stop(&c->timer);
}
