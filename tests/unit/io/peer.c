/* A node played by a test. */
#include "peer.h"

#include "../check.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The length that the head states, the end of the chunks, or no body. */
static bool
is_whole(const struct buf *in)
{
	const char *end = in->len == 0 ? NULL : memmem(in->data, in->len, "\r\n\r\n", 4);
	const char *length;
	size_t body;

	if (end == NULL)
		return false;
	body = in->len - (size_t)(end + 4 - in->data);
	if (memmem(in->data, in->len - body, "\r\nTransfer-Encoding: chunked\r\n", 30) != NULL)
		return body >= 5 && memcmp(in->data + in->len - 5, "0\r\n\r\n", 5) == 0;
	length = memmem(in->data, in->len - body, "\r\nContent-Length: ", 18);
	return length == NULL || body >= strtoul(length + 18, NULL, 10);
}

static void
drop(struct peer_conn *c)
{
	if (c->bev != NULL)
		bufferevent_free(c->bev);
	c->bev = NULL;
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct peer_conn *c = arg;
	size_t len = evbuffer_get_length(in);

	if (c->whole)
		buf_clear(&c->in);
	c->whole = false;
	buf_add(&c->in, evbuffer_pullup(in, -1), len);
	evbuffer_drain(in, len);
	c->whole = is_whole(&c->in);
	if (c->whole) {
		c->peer->requests++;
		if (c->peer->on_request != NULL)
			c->peer->on_request(c, c->peer->arg);
	} else if (c->peer->on_data != NULL) {
		c->peer->on_data(c, c->peer->arg);
	}
}

static void
on_written(struct bufferevent *bev, void *arg)
{
	struct peer_conn *c = arg;

	if (c->close_when_said)
		drop(c);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct peer_conn *c = arg;

	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) == 0)
		return;
	c->client_left = true;
	drop(c);
	if (c->peer->on_left != NULL)
		c->peer->on_left(c, c->peer->arg);
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int len,
          void *arg)
{
	struct peer *p = arg;
	struct peer_conn *c = &p->conns[p->accepted++];

	assert_true(p->accepted <= PEER_CONNS_MAX);
	c->peer = p;
	c->bev = p->tls == NULL
	             ? bufferevent_socket_new(loop_base(p->loop), fd, BEV_OPT_CLOSE_ON_FREE)
	             : bufferevent_openssl_socket_new(loop_base(p->loop), fd, SSL_new(p->tls),
	                                              BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	assert_non_null(c->bev);
	bufferevent_setcb(c->bev, on_read, on_written, on_event, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

struct peer *
peer_create(struct loop *l, const char *address, int port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
	struct peer *p = NEW(struct peer);
	socklen_t size = sizeof(v6);
	int buffer_bytes = 512 * 1024;

	p->loop = l;
	if (!is_v4)
		assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
	p->listener = evconnlistener_new_bind(
	    loop_base(l), on_accept, p, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 16,
	    is_v4 ? (void *)&v4 : (void *)&v6, is_v4 ? sizeof(v4) : sizeof(v6));
	if (p->listener == NULL) {
		free(p);
		return NULL;
	}
	/* Its connections inherit it: the kernel alone must not take a whole large body. */
	setsockopt(evconnlistener_get_fd(p->listener), SOL_SOCKET, SO_RCVBUF, &buffer_bytes,
	           sizeof(buffer_bytes));
	getsockname(evconnlistener_get_fd(p->listener), (void *)&v6, &size);
	p->port = ntohs(v6.sin6_port); /* stands at the same place in both */
	return p;
}

void
peer_use_tls(struct peer *p, SSL_CTX *tls)
{
	p->tls = tls;
}

void
peer_stop_listening(struct peer *p)
{
	if (p->listener != NULL)
		evconnlistener_free(p->listener);
	p->listener = NULL;
}

void
peer_destroy(struct peer *p)
{
	if (p == NULL)
		return;
	peer_stop_listening(p);
	for (int i = 0; i < p->accepted; i++) {
		drop(&p->conns[i]);
		buf_finish(&p->conns[i].in);
	}
	SSL_CTX_free(p->tls);
	free(p);
}

void
peer_say_bytes(struct peer_conn *c, const void *bytes, size_t len)
{
	assert_non_null(c->bev);
	bufferevent_write(c->bev, bytes, len);
}

void
peer_say(struct peer_conn *c, const char *text)
{
	peer_say_bytes(c, text, strlen(text));
}

void
peer_close(struct peer_conn *c)
{
	if (c->bev != NULL && evbuffer_get_length(bufferevent_get_output(c->bev)) > 0)
		c->close_when_said = true;
	else
		drop(c);
}

void
peer_reset(struct peer_conn *c)
{
	struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	assert_non_null(c->bev);
	/* Dissolves the connection before libevent gets to closing it. */
	assert_int_equal(connect(bufferevent_getfd(c->bev), &nobody, sizeof(nobody)), 0);
	drop(c);
}
