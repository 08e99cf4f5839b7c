/* TLS over the sockets of bench-load. */
#include "seal.h"

#include "base/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

static SSL_CTX *context;

_Noreturn static void
die(const char *what)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	fprintf(stderr, "%s: %s\n", what, why == NULL ? "the other side closed" : why);
	exit(1);
}

SSL *
seal_open(int fd)
{
	struct buf why = {0};
	SSL *ssl;

	if (context == NULL && (context = tls_client_context(NULL, false, &why)) == NULL)
		die(why.data);
	if ((ssl = SSL_new(context)) == NULL || SSL_set_fd(ssl, fd) != 1)
		die("TLS");
	if (SSL_connect(ssl) != 1)
		die("handshake");
	return ssl;
}

ssize_t
seal_send(SSL *ssl, const char *bytes, size_t len)
{
	size_t sent;

	ERR_clear_error();
	if (SSL_write_ex(ssl, bytes, len, &sent) == 1)
		return (ssize_t)sent;
	errno = EPIPE;
	return -1;
}

ssize_t
seal_recv(SSL *ssl, char *bytes, size_t size)
{
	size_t got;
	int error;

	ERR_clear_error();
	if (SSL_read_ex(ssl, bytes, size, &got) == 1)
		return (ssize_t)got;
	error = SSL_get_error(ssl, 0);
	if (error == SSL_ERROR_ZERO_RETURN)
		return 0;
	errno = error == SSL_ERROR_WANT_READ ? EAGAIN : ECONNRESET;
	return -1;
}

void
seal_close(SSL *ssl)
{
	if (ssl == NULL)
		return;
	(void)SSL_shutdown(ssl);
	SSL_free(ssl);
}

void
seal_finish(void)
{
	SSL_CTX_free(context);
}
