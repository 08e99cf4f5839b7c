/* TLS towards a node: OpenSSL on the connection's own socket. Private to io/upstream*.c. */
#ifndef IO_UPSTREAM_TLS_H
#define IO_UPSTREAM_TLS_H

#include "base/buf.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

/* What a step on a socket came to, plain or TLS. */
enum step {
	STEP_DONE,
	STEP_WANTS_READ,
	STEP_WANTS_WRITE,
	STEP_EOF, /* the peer ended properly */
	STEP_FAILED,
};

/* All connections to one node. The session that it gave last is offered to it again: that saves
 * either side a signature. */
struct tls_client {
	SSL_CTX *context;     /* owned; NULL: none */
	SSL_SESSION *session; /* owned; NULL: none */
};

/* `ca` and `verify` as for tls_client_context. NULL: `why` says why. */
struct tls_client *tls_client_create(const char *ca, bool verify, struct buf *why);
/* Connections go on with the context that they were made by. */
void tls_client_destroy(struct tls_client **t);
/* The session may be what a handshake failed by. */
void tls_client_forget(struct tls_client *t);
/* `host` is a name or an address, as the certificate must bear it. NULL: out of resources. */
SSL *tls_create(struct tls_client *t, const char *host, int fd);
/* Says that nothing follows, as far as the socket takes it at once, and frees. NULL is allowed. */
void tls_destroy(SSL **ssl);
enum step tls_shake(SSL *ssl);
enum step tls_recv(SSL *ssl, void *out, size_t size, size_t *got);
enum step tls_send(SSL *ssl, const void *bytes, size_t len, size_t *sent);
/* Why tls_shake failed: a constant. */
const char *tls_why(const SSL *ssl);

#endif
