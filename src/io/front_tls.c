/*
 * TLS between a connection and its socket.
 *
 * OpenSSL reads and writes by a BIO of ours. What it seals takes the way of plain
 * bytes: to the socket while nothing waits before it, else to the bufferevent; so
 * all that counts bytes and their progress counts sealed ones. What it opens goes
 * into the buffer that all connections share.
 *
 * The socket is read once each time that it is readable, and all of that is opened
 * at once: OpenSSL keeps no more than a part of a record, which is why the socket
 * alone can tell whether there is more to read, and why OpenSSL gives its buffers
 * back (SSL_MODE_RELEASE_BUFFERS).
 *
 * There is no SSL before the first byte, which tells TLS (a record of the handshake
 * begins with 22, RFC 8446 5.1) from a client that speaks plain HTTP. A step of a
 * handshake may cost a signature, milliseconds long: SHAKES_A_TURN of them are done
 * between two looks at everybody's sockets, the others wait in front.shaking.
 */
#include "io/front_tls.h"

#include "base/log.h"
#include "base/tls.h"
#include "front_conn.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	SHAKES_A_TURN = 4,
	HANDSHAKE_RECORD = 22,
	CHATTER_BYTES_MAX = 16 * 1024, /* that OpenSSL answers by itself after the handshake */
};

/* ---- the BIO ---- */

static int
on_seal(BIO *bio, const char *bytes, int len)
{
	struct front_conn *c = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	front_wire_put(c, bytes, (size_t)len);
	return len;
}

static int
on_pull(BIO *bio, char *out, int size)
{
	struct front_conn *c = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	if (c->tls.pull == FRONT_PULL_DUE) {
		ssize_t n = recv(c->fd, out, (size_t)size, 0);

		c->tls.pull = n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)) ? FRONT_PULL_DONE
		              : n == 0                                                ? FRONT_PULL_END
		                                                                      : FRONT_PULL_FAILED;
		if (n > 0)
			return (int)n;
	}
	if (c->tls.pull == FRONT_PULL_DONE)
		BIO_set_retry_read(bio);
	return c->tls.pull == FRONT_PULL_END ? 0 : -1;
}

static long
on_control(BIO *bio, int command, long number, void *pointer)
{
	return command == BIO_CTRL_FLUSH;
}

/* Kept until the program ends. */
static const BIO_METHOD *
method(void)
{
	static BIO_METHOD *made;

	if (made == NULL) {
		made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "drover connection");
		if (made == NULL || BIO_meth_set_write(made, on_seal) != 1 ||
		    BIO_meth_set_read(made, on_pull) != 1 || BIO_meth_set_ctrl(made, on_control) != 1)
			abort();
	}
	return made;
}

static SSL *
ssl_create(struct front_conn *c)
{
	SSL *ssl = SSL_new(c->front->tls);
	BIO *bio = BIO_new(method());

	if (ssl == NULL || bio == NULL)
		abort();
	BIO_set_data(bio, c);
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_accept_state(ssl);
	return ssl;
}

/* ---- reading and writing ---- */

/* Nothing can be sent any more; the socket says so as an event. */
static void
break_off(struct front_conn *c)
{
	c->tls.over = true;
	(void)shutdown(c->fd, SHUT_RDWR);
}

void
front_tls_write(struct front_conn *c, const char *bytes, size_t len)
{
	size_t sealed;

	if (c->tls.over)
		return;
	ERR_clear_error();
	if (SSL_write_ex(c->tls.ssl, bytes, len, &sealed) != 1)
		break_off(c);
}

/* How far it got: the client may have gone meanwhile. */
static void
read_end(struct front_conn *c, int error)
{
	if (error == SSL_ERROR_SSL || c->tls.pull == FRONT_PULL_FAILED ||
	    c->tls.chatter_bytes > CHATTER_BYTES_MAX) {
		c->tls.over = true;
		front_conn_gone(c, FRONT_CLIENT_CLOSED);
	} else if (error != SSL_ERROR_WANT_READ) {
		front_conn_end_of_input(c);
	}
}

/* What the socket has in one go, opened. An end right behind it is looked at after what it brought
 * was worked on, as with plain bytes. While it reads, OpenSSL may answer by itself what is no
 * request, such as a renegotiation that it refuses: its peer need not read these answers. */
static void
read_some(struct front_conn *c, char *out, size_t size)
{
	uint64_t before = c->handed_bytes;
	size_t len = 0, got = 0;
	int error;

	ERR_clear_error();
	while (len < size && SSL_read_ex(c->tls.ssl, out + len, size - len, &got) == 1)
		len += got;
	error = SSL_get_error(c->tls.ssl, 0);
	c->tls.chatter_bytes += c->handed_bytes - before;
	if (len == 0) {
		read_end(c, error);
		return;
	}
	if (error != SSL_ERROR_WANT_READ)
		event_active(c->readable, EV_READ, 0);
	front_wire_take(c, (struct str){out, len});
}

/* ---- the handshake ---- */

static void
note_failure(struct front_conn *c, const char *why)
{
	c->front->tls_figures.failed++;
	log_debug("front", "TLS handshake with %s: %s", c->peer, why);
	c->tls.over = true;
}

/* Of the alert that says why it ends, nothing shall get lost. */
static void
fail(struct front_conn *c, int error)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	note_failure(c, error == SSL_ERROR_SSL && why != NULL ? why : "the client left");
	if (error == SSL_ERROR_SSL)
		front_conn_dismiss(c);
	else
		front_conn_gone(c, FRONT_CLIENT_CLOSED);
}

/* Right behind the handshake its first request may have come. */
static void
shake(struct front_conn *c, char *out, size_t size)
{
	struct front *f = c->front;
	int result, error;

	c->tls.pull = FRONT_PULL_DUE;
	ERR_clear_error();
	result = SSL_do_handshake(c->tls.ssl);
	error = SSL_get_error(c->tls.ssl, result);
	if (result != 1) {
		if (error != SSL_ERROR_WANT_READ)
			fail(c, error);
		return;
	}
	if (SSL_session_reused(c->tls.ssl))
		f->tls_figures.resumed++;
	else
		f->tls_figures.full++;
	front_conn_shaken(c);
	read_some(c, out, size);
}

/* False: there will be no handshake, or not yet. */
static bool
begins(struct front_conn *c)
{
	char first;
	ssize_t n = recv(c->fd, &first, 1, MSG_PEEK);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0 || c->front->tls == NULL) {
		front_conn_gone(c, FRONT_CLIENT_CLOSED);
	} else if (first == HANDSHAKE_RECORD) {
		c->tls.ssl = ssl_create(c);
		return true;
	} else if ((first >= 'A' && first <= 'Z') || first == '\r' || first == '\n') {
		c->front->tls_figures.plain++;
		c->tls.wanted = false;
		front_conn_refuse(c, 400, "this port speaks HTTPS, and the request came as plain HTTP",
		                  NULL);
	} else {
		note_failure(c, "it does not begin as one");
		front_conn_kill(c);
	}
	return false;
}

/* False: it has to wait for another turn. */
static bool
may_shake(struct front_conn *c)
{
	struct front *f = c->front;

	waker_wake(&f->shake_turn);
	if (f->shakes < SHAKES_A_TURN) {
		f->shakes++;
		return true;
	}
	event_del(c->readable);
	list_add_last(&f->shaking, &c->tls.link);
	return false;
}

void
front_tls_readable(struct front_conn *c, char *out, size_t size)
{
	if (c->state == FRONT_CONN_SHAKING) {
		if ((c->tls.ssl != NULL || begins(c)) && may_shake(c))
			shake(c, out, size);
		return;
	}
	c->tls.pull = FRONT_PULL_DUE;
	read_some(c, out, size);
}

/* Whoever waited goes before those who come in the next turn. */
void
front_on_shake_turn(void *arg)
{
	struct front *f = arg;
	struct front_conn *c;

	f->shakes = 0;
	while (f->shakes < SHAKES_A_TURN &&
	       (c = LIST_FIRST(&f->shaking, struct front_conn, tls.link)) != NULL) {
		list_remove(&c->tls.link);
		event_add(c->readable, NULL);
		front_wire_read(c);
	}
	if (!list_empty(&f->shaking))
		waker_wake(&f->shake_turn);
}

void
front_tls_timed_out(struct front_conn *c)
{
	if (c->tls.ssl != NULL)
		note_failure(c, "it took too long");
	front_conn_kill(c);
}

/* ---- the end ---- */

/* RFC 8446 6.1: without this alert, the end of what was sent could have been cut off by anybody.
 * For an alert OpenSSL keeps its buffer, 16 KiB, which matters where many end in one turn. */
void
front_tls_end(struct front_conn *c)
{
	if (c->tls.ssl == NULL || c->tls.over)
		return;
	c->tls.over = true;
	if (!SSL_in_init(c->tls.ssl))
		(void)SSL_shutdown(c->tls.ssl);
	(void)SSL_free_buffers(c->tls.ssl);
	ERR_clear_error();
}

void
front_tls_close(struct front_conn *c)
{
	list_remove(&c->tls.link);
	if (front_wire_queued(c) == 0)
		front_tls_end(c);
	c->tls.over = true;
}

void
front_tls_free(struct front_conn *c)
{
	SSL_free(c->tls.ssl);
}

/* ---- the certificate ---- */

void
front_set_tls(struct front *f, SSL_CTX *context)
{
	if (f->tls != NULL && context != NULL && tls_is_same(f->tls, context)) {
		SSL_CTX_free(context);
		return;
	}
	SSL_CTX_free(f->tls);
	f->tls = context;
}

const struct front_tls_figures *
front_tls_figures(const struct front *f)
{
	return &f->tls_figures;
}

int64_t
front_tls_expires_s(const struct front *f)
{
	return f->tls == NULL ? 0 : tls_expires_s(f->tls);
}
