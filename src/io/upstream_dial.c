/*
 * From nothing to an open connection: addresses, one connect after the other,
 * the TLS handshake. One deadline bounds it all, and an address that does not
 * answer gets an equal share of what is left, so that the last is tried too.
 */
#include "upstream_conn.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int64_t
left_ms(const struct conn *c)
{
	int64_t left = c->deadline_ms - clock_now_ms();

	return left > 0 ? left : 0;
}

static void
fail(struct conn *c)
{
	conn_unwatch(c);
	timer_stop(&c->timer);
	c->state = CONN_FAILED;
	event_active(c->kick, EV_TIMEOUT, 0);
}

static void
fail_with(struct conn *c, enum conn_failure failure, const char *why)
{
	c->failure = failure;
	c->why = why;
	fail(c);
}

static void
shake(struct conn *c)
{
	switch (tls_shake(c->ssl)) {
	case STEP_DONE: conn_opened(c); return;
	case STEP_WANTS_READ:
		event_del(c->writable);
		event_add(c->readable, NULL);
		return;
	case STEP_WANTS_WRITE: event_add(c->writable, NULL); return;
	case STEP_EOF:
	case STEP_FAILED:
		tls_client_forget(c->upstream->tls);
		fail_with(c, CONN_NOT_SECURE, tls_why(c->ssl));
		return;
	}
	abort();
}

/* A node may think for minutes without a byte. The probes tell its silence from that of a machine
 * that is gone, within half a minute, also for idle connections. */
static void
set_options(int fd)
{
	int on = 1, idle_s = 15, interval_s = 5, probes = 3;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

static void
connected(struct conn *c)
{
	struct upstream *u = c->upstream;

	set_options(c->fd);
	names_worked(&u->names, &c->addresses.at[c->address - 1]);
	if (u->tls == NULL) {
		conn_opened(c);
		return;
	}
	c->state = CONN_SHAKING;
	timer_start(&c->timer, left_ms(c));
	c->ssl = tls_create(u->tls, u->url.host, c->fd);
	if (c->ssl == NULL)
		fail_with(c, CONN_NOT_SECURE, "cannot set up TLS");
	else
		shake(c);
}

/* False: not even begun. */
static bool
start_connect(struct conn *c, const union address *a)
{
	socklen_t size = a->any.sa_family == AF_INET6 ? sizeof(a->v6) : sizeof(a->v4);

	c->failure = CONN_NOT_REACHED;
	c->fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0) {
		c->why = strerrordesc_np(errno);
		return false;
	}
	conn_watch(c);
	if (connect(c->fd, &a->any, size) == 0) {
		connected(c);
		return true;
	}
	if (errno == EINPROGRESS) {
		event_add(c->writable, NULL);
		return true;
	}
	c->why = strerrordesc_np(errno);
	conn_unwatch(c);
	return false;
}

static void
try_next(struct conn *c)
{
	while (c->address < c->addresses.count) {
		int64_t share_ms = left_ms(c) / (c->addresses.count - c->address);

		timer_start(&c->timer, share_ms);
		if (start_connect(c, &c->addresses.at[c->address++]))
			return;
	}
	names_failed(&c->upstream->names);
	fail(c);
}

static void
begin(struct conn *c)
{
	struct upstream *u = c->upstream;

	list_remove(&c->link);
	list_add_last(&u->busy, &c->link);
	c->state = CONN_DIALING;
	c->addresses = u->names.known;
	c->address = 0;
	c->why = u->names.why;
	try_next(c);
}

void
conn_dial(struct conn *c)
{
	struct upstream *u = c->upstream;

	c->deadline_ms = clock_now_ms() + u->connect_ms;
	if (names_want(&u->names)) {
		begin(c);
		return;
	}
	/* The lookup has a limit of its own, which ends the waiting. */
	c->state = CONN_WAITING;
	list_add_last(&u->waiting, &c->link);
}

/* The holder is told from events alone: inside conn_take it sees for itself. */
static void
tell_if_open(struct conn *c)
{
	if (c->state == CONN_OPEN)
		c->ops->on_open(c->arg);
}

void
conn_dial_waiting(struct upstream *u)
{
	struct conn *c;

	while ((c = LIST_FIRST(&u->waiting, struct conn, link)) != NULL) {
		begin(c);
		tell_if_open(c);
	}
}

static void
finish_connect(struct conn *c)
{
	socklen_t size = sizeof(int);
	int error = 0;

	event_del(c->writable);
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (error == 0) {
		connected(c);
		return;
	}
	c->why = strerrordesc_np(error);
	conn_unwatch(c);
	try_next(c);
}

void
conn_dial_step(struct conn *c)
{
	if (c->state == CONN_DIALING)
		finish_connect(c);
	else
		shake(c);
	tell_if_open(c);
}

void
conn_dial_limit(struct conn *c)
{
	if (c->state == CONN_SHAKING) {
		fail_with(c, CONN_TIMED_OUT, "TLS handshake timed out");
		return;
	}
	assert(c->state == CONN_DIALING);
	conn_unwatch(c);
	c->failure = CONN_TIMED_OUT;
	c->why = "connecting timed out";
	try_next(c);
	tell_if_open(c);
}
