/*
 * A node played by a test, in the same loop: it listens on loopback, gathers
 * requests and says what the test tells it to.
 */
#ifndef TESTS_PEER_H
#define TESTS_PEER_H

#include "base/buf.h"
#include "io/loop.h"

#include <openssl/ssl.h>
#include <stdbool.h>

enum { PEER_CONNS_MAX = 1024 };

struct peer;

struct peer_conn {
	struct peer *peer;
	struct bufferevent *bev; /* owned; NULL once either side has closed */
	struct buf in;           /* of the request that is coming, then of the last one */
	bool whole;              /* `in` is a whole request */
	bool close_when_said;
	bool client_left;
};

struct peer {
	struct loop *loop;
	struct evconnlistener *listener; /* owned */
	SSL_CTX *tls;                    /* owned; NULL for plain */
	int port;
	int accepted;
	int requests;
	struct peer_conn conns[PEER_CONNS_MAX];
	/* A whole request has come. */
	void (*on_request)(struct peer_conn *c, void *arg);
	/* Some of it has come; may be NULL. */
	void (*on_data)(struct peer_conn *c, void *arg);
	/* The client has closed; may be NULL. */
	void (*on_left)(struct peer_conn *c, void *arg);
	void *arg;
};

/* `address` is 127.0.0.1, ::1, ...; port 0 takes a free one. NULL when it cannot be listened on. */
struct peer *peer_create(struct loop *l, const char *address, int port);
/* Takes the context over. */
void peer_use_tls(struct peer *p, SSL_CTX *tls);
void peer_stop_listening(struct peer *p);
void peer_destroy(struct peer *p);
void peer_say(struct peer_conn *c, const char *text);
void peer_say_bytes(struct peer_conn *c, const void *bytes, size_t len);
/* After what was said has left. */
void peer_close(struct peer_conn *c);
/* At once, with a RST. */
void peer_reset(struct peer_conn *c);

#endif
