/*
 * TLS towards a node.
 *
 * OpenSSL works on the socket itself, without a bufferevent in between: plain
 * and TLS connections share one path, its limits and its static buffer. An end
 * without close_notify counts as a failure: a body that runs until the close
 * could have been cut by anybody.
 */
#include "upstream_tls.h"

#include "base/mem.h"
#include "base/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

/* 1: it is kept. The node may have got another context since. */
static int
on_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls_client *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (t == NULL)
		return 0;
	SSL_SESSION_free(t->session);
	t->session = session;
	return 1;
}

struct tls_client *
tls_client_create(const char *ca, bool verify, struct buf *why)
{
	SSL_CTX *context = tls_client_context(ca, verify, why);
	struct tls_client *t;

	if (context == NULL)
		return NULL;
	t = NEW(struct tls_client);
	t->context = context;
	SSL_CTX_set_app_data(context, t);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context, on_session);
	return t;
}

void
tls_client_forget(struct tls_client *t)
{
	SSL_SESSION_free(t->session);
	t->session = NULL;
}

void
tls_client_destroy(struct tls_client **tp)
{
	struct tls_client *t = *tp;

	*tp = NULL;
	if (t == NULL)
		return;
	tls_client_forget(t);
	SSL_CTX_set_app_data(t->context, NULL);
	SSL_CTX_free(t->context);
	free(t);
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
tls_create(struct tls_client *t, const char *host, int fd)
{
	SSL *ssl = SSL_new(t->context);

	if (ssl == NULL)
		return NULL;
	if (!expect_host(ssl, host) || SSL_set_fd(ssl, fd) != 1 ||
	    (t->session != NULL && SSL_set_session(ssl, t->session) != 1)) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_connect_state(ssl);
	return ssl;
}

/* Of a connection that ended without a word, OpenSSL would not resume the session. */
void
tls_destroy(SSL **sslp)
{
	SSL *ssl = *sslp;

	*sslp = NULL;
	if (ssl == NULL)
		return;
	ERR_clear_error();
	if (!SSL_in_init(ssl))
		(void)SSL_shutdown(ssl);
	SSL_free(ssl);
	ERR_clear_error();
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

/* What an operator can do something about, in words that say what. */
static const char *
why_untrusted(long verdict)
{
	switch (verdict) {
	case X509_V_ERR_CERT_HAS_EXPIRED: return "certificate is not trusted: it has expired";
	case X509_V_ERR_CERT_NOT_YET_VALID: return "certificate is not trusted: it is not valid yet";
	case X509_V_ERR_HOSTNAME_MISMATCH: return "certificate is not trusted: it is for another name";
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return "certificate is not trusted: it is for another address";
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return "certificate is not trusted: it signed itself, and tls.ca does not name it";
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return "certificate is not trusted: its authority is not known here, give it as tls.ca";
	default: return X509_verify_cert_error_string(verdict);
	}
}

static const char *
why_broken(unsigned long error)
{
	const char *reason = ERR_reason_error_string(error);

	if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER)
		return "it does not speak TLS";
	return reason == NULL ? "it closed in the handshake" : reason;
}

const char *
tls_why(const SSL *ssl)
{
	long verdict = SSL_get_verify_result(ssl);

	if (verdict != X509_V_OK && SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE)
		return why_untrusted(verdict);
	return why_broken(ERR_peek_last_error());
}
