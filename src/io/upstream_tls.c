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
load_roots(SSL_CTX *context, const char *ca, struct buf *why)
{
	if (ca == NULL ? SSL_CTX_set_default_verify_paths(context) == 1
	               : SSL_CTX_load_verify_locations(context, ca, NULL) == 1)
		return true;
	buf_addf(why, "cannot read certificates from %s", ca == NULL ? "the system" : ca);
	if (ERR_peek_last_error() != 0)
		buf_addf(why, ": %s", ERR_reason_error_string(ERR_peek_last_error()));
	ERR_clear_error();
	return false;
}

SSL_CTX *
tls_context_create(const char *ca, bool verify, struct buf *why)
{
	static const unsigned char protocols[] = "\x08http/1.1";
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (context == NULL) {
		buf_adds(why, "cannot set up TLS");
		return NULL;
	}
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
	                              SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_alpn_protos(context, protocols, sizeof(protocols) - 1) != 0) {
		buf_adds(why, "cannot set up TLS");
		goto failed;
	}
	if ((verify || ca != NULL) && !load_roots(context, ca, why))
		goto failed;
	return context;
failed:
	SSL_CTX_free(context);
	return NULL;
}

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
