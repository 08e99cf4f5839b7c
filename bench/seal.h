/*
 * TLS of a client of the benchmark: it trusts whoever answers, and each connection has a whole
 * handshake of its own.
 */
#ifndef BENCH_SEAL_H
#define BENCH_SEAL_H

#include <openssl/ssl.h>
#include <sys/types.h>

/* A handshake over a connected socket that still blocks. The end of the program if it fails. */
SSL *seal_open(int fd);
/* As send() and recv(): -1 with errno, and EAGAIN where nothing has come that is data. */
ssize_t seal_send(SSL *ssl, const char *bytes, size_t len);
ssize_t seal_recv(SSL *ssl, char *bytes, size_t size);
/* Says that nothing follows; the socket stays open. */
void seal_close(SSL *ssl);
/* At the end of the program. */
void seal_finish(void);

#endif
