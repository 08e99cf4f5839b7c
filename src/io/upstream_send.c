/*
 * What a connection has to send: bytes are copied only when the socket does not take them.
 */
#include "upstream_conn.h"

#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
	KEPT_BYTES = 16 * 1024, /* of an output buffer from one request to the next */
	PARTS_MAX = 4,
	JOINED_BYTES_MAX = 4 * 1024,      /* so large a body costs less copied behind its head */
	TLS_JOINED_BYTES_MAX = 16 * 1024, /* a record: a body up to it leaves with its head */
};

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
