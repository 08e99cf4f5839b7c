/*
 * An open connection: bytes in, idle in between.
 *
 * Bytes are read into one static buffer that all connections share, since the
 * holder uses them up within the call: a token of a stream costs one recv and no
 * memory.
 */
#include "upstream_conn.h"

#include "base/clock.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IDLE_MS = 60 * 1000 };

static char read_buffer[CONN_READ_BYTES];

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
