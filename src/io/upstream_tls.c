/*
 * TLS towards a node.
 *
 * OpenSSL works on the socket itself, without a bufferevent in between: plain
 * and TLS connections share one path, its limits and its static buffer. An end
 * without close_notify counts as a failure: a body that runs until the close
 * could have been cut by anybody.
 */
#include "upstream_tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

static bool
is_address(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* The macro drops a const. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
static bool
send_name(SSL *ssl, const char *host)
{
	return SSL_set_tlsext_host_name(ssl, host) == 1;
}
#pragma GCC diagnostic pop

/* SNI carries names only (RFC 6066 3). */
static bool
expect_host(SSL *ssl, const char *host)
{
	if (is_address(host))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) == 1 && send_name(ssl, host);
}

SSL *
tls_create(SSL_CTX *context, const char *host, int fd)
{
	SSL *ssl = SSL_new(context);

	if (ssl == NULL)
		return NULL;
	if (!expect_host(ssl, host) || SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_connect_state(ssl);
	return ssl;
}

static enum step
judge(SSL *ssl, int result)
{
	switch (SSL_get_error(ssl, result)) {
	case SSL_ERROR_NONE: return STEP_DONE;
	case SSL_ERROR_WANT_READ: return STEP_WANTS_READ;
	case SSL_ERROR_WANT_WRITE: return STEP_WANTS_WRITE;
	case SSL_ERROR_ZERO_RETURN: return STEP_EOF;
	default: return STEP_FAILED;
	}
}

enum step
tls_shake(SSL *ssl)
{
	/* What an earlier call left in the queue would be taken for this one's error. */
	ERR_clear_error();
	return judge(ssl, SSL_do_handshake(ssl));
}

enum step
tls_recv(SSL *ssl, void *out, size_t size, size_t *got)
{
	ERR_clear_error();
	return judge(ssl, SSL_read_ex(ssl, out, size, got));
}

enum step
tls_send(SSL *ssl, const void *bytes, size_t len, size_t *sent)
{
	ERR_clear_error();
	return judge(ssl, SSL_write_ex(ssl, bytes, len, sent));
}

const char *
tls_why(const SSL *ssl)
{
	long verdict = SSL_get_verify_result(ssl);
	const char *reason;

	if (verdict != X509_V_OK)
		return X509_verify_cert_error_string(verdict);
	reason = ERR_reason_error_string(ERR_peek_last_error());
	return reason == NULL ? "TLS handshake failed" : reason;
}
