/* TLS towards a node: OpenSSL on the connection's own socket. Private to io/upstream*.c. */
#ifndef IO_UPSTREAM_TLS_H
#define IO_UPSTREAM_TLS_H

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

/* `host` is a name or an address, as the certificate must bear it. NULL: out of resources. */
SSL *tls_create(SSL_CTX *context, const char *host, int fd);
enum step tls_shake(SSL *ssl);
enum step tls_recv(SSL *ssl, void *out, size_t size, size_t *got);
enum step tls_send(SSL *ssl, const void *bytes, size_t len, size_t *sent);
/* Why tls_shake failed: a constant. */
const char *tls_why(const SSL *ssl);

#endif
