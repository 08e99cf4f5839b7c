/* Contexts of OpenSSL, and what is wrong with the files they are made of. */
#include "base/tls.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DAY_S = 24 * 60 * 60, SOON_DAYS = 14 };

static const unsigned char protocols[] = "\x08http/1.1";

/* Whether the file can be read at all, which OpenSSL tells less well. */
static bool
is_readable(const char *path, struct buf *why)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		buf_addf(why, "%s: %s", path, strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) {
		buf_addf(why, "%s: is no file", path);
		return false;
	}
	if (access(path, R_OK) != 0) {
		buf_addf(why, "%s: %s; let the user with the number %u read it", path, strerror(errno),
		         (unsigned)geteuid());
		return false;
	}
	return true;
}

/* What OpenSSL said last, in its words where there are no better ones. */
static void
add_reason(struct buf *why)
{
	unsigned long error = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(error);

	buf_adds(why, reason == NULL ? "OpenSSL does not take it" : reason);
	ERR_clear_error();
}

static bool
was_mismatch(unsigned long error)
{
	if (ERR_GET_LIB(error) == ERR_LIB_X509)
		return ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH ||
		       ERR_GET_REASON(error) == X509_R_KEY_TYPE_MISMATCH;
	return ERR_GET_LIB(error) == ERR_LIB_SSL &&
	       ERR_GET_REASON(error) == SSL_R_NO_CERTIFICATE_ASSIGNED;
}

/* OpenSSL puts what it comes to behind what it found first. */
static bool
was_not_pem(void)
{
	unsigned long error = ERR_peek_error();

	return ERR_GET_LIB(error) == ERR_LIB_OSSL_DECODER ||
	       (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE);
}

/* Again the first error: the last one only says that reading failed. */
static bool
add_damage(struct buf *why)
{
	unsigned long error = ERR_peek_error();
	const char *reason = ERR_reason_error_string(error);

	if (ERR_GET_LIB(error) != ERR_LIB_PEM && ERR_GET_LIB(error) != ERR_LIB_ASN1)
		return false;
	buf_addf(why, "is damaged (%s): cut off or changed; write it anew",
	         reason == NULL ? "no PEM" : reason);
	return true;
}

/* Nobody is there to be asked for one. */
static int
no_passphrase(char *out, int size, int writing, void *asked)
{
	if (asked != NULL)
		*(bool *)asked = true;
	return -1;
}

static bool
take_cert(SSL_CTX *context, const char *cert, struct buf *why)
{
	if (!is_readable(cert, why))
		return false;
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(context, cert) == 1)
		return true;
	buf_addf(why, "%s: ", cert);
	if (was_not_pem())
		buf_adds(why, "holds no certificate; give a PEM file, the server's own certificate first, "
		              "then those between it and its authority");
	else if (!add_damage(why))
		add_reason(why);
	ERR_clear_error();
	return false;
}

static bool
take_key(SSL_CTX *context, const char *key, const char *cert, struct buf *why)
{
	bool asked = false, ok;

	if (!is_readable(key, why))
		return false;
	SSL_CTX_set_default_passwd_cb_userdata(context, &asked);
	ERR_clear_error();
	ok = SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 &&
	     SSL_CTX_check_private_key(context) == 1;
	SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
	if (ok)
		return true;
	buf_addf(why, "%s: ", key);
	if (asked)
		buf_addf(why,
		         "is protected by a passphrase; give it without: openssl pkey -in %s -out FILE",
		         key);
	else if (was_mismatch(ERR_peek_last_error()))
		buf_addf(why, "is not the key of the first certificate in %s", cert);
	else if (was_not_pem())
		buf_adds(why, "holds no private key; give a PEM file");
	else
		add_reason(why);
	ERR_clear_error();
	return false;
}

static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                const unsigned char *offered, unsigned offered_len, void *arg)
{
	unsigned char *chosen;

	if (SSL_select_next_proto(&chosen, out_len, protocols, sizeof(protocols) - 1, offered,
	                          offered_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *
context_create(const SSL_METHOD *method, struct buf *why)
{
	SSL_CTX *context = SSL_CTX_new(method);

	if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
		buf_adds(why, "cannot set up TLS: ");
		add_reason(why);
		SSL_CTX_free(context);
		return NULL;
	}
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	return context;
}

SSL_CTX *
tls_server_context(const char *cert, const char *key, enum tls_file *blame, struct buf *why)
{
	static const unsigned char ours[] = "drover";
	SSL_CTX *context = context_create(TLS_server_method(), why);

	*blame = TLS_CERT;
	if (context == NULL)
		return NULL;
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_session_id_context(context, ours, sizeof(ours) - 1);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	if (!take_cert(context, cert, why))
		goto failed;
	*blame = TLS_KEY;
	if (take_key(context, key, cert, why))
		return context;
failed:
	SSL_CTX_free(context);
	return NULL;
}

static bool
take_roots(SSL_CTX *context, const char *ca, struct buf *why)
{
	if (ca == NULL) {
		if (SSL_CTX_set_default_verify_paths(context) == 1)
			return true;
		buf_adds(why, "cannot read the system's certificates: ");
		add_reason(why);
		return false;
	}
	if (!is_readable(ca, why))
		return false;
	if (SSL_CTX_load_verify_file(context, ca) == 1)
		return true;
	buf_addf(why, "%s: holds no certificate; give a PEM file", ca);
	ERR_clear_error();
	return false;
}

SSL_CTX *
tls_client_context(const char *ca, bool verify, struct buf *why)
{
	SSL_CTX *context = context_create(TLS_client_method(), why);

	if (context == NULL)
		return NULL;
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (SSL_CTX_set_alpn_protos(context, protocols, sizeof(protocols) - 1) == 0 &&
	    (!verify || take_roots(context, ca, why)))
		return context;
	SSL_CTX_free(context);
	return NULL;
}

bool
tls_is_same(SSL_CTX *a, SSL_CTX *b)
{
	STACK_OF(X509) *of_a = NULL, *of_b = NULL;

	if (X509_cmp(SSL_CTX_get0_certificate(a), SSL_CTX_get0_certificate(b)) != 0)
		return false;
	SSL_CTX_get0_chain_certs(a, &of_a);
	SSL_CTX_get0_chain_certs(b, &of_b);
	if (sk_X509_num(of_a) != sk_X509_num(of_b))
		return false;
	for (int i = 0; i < sk_X509_num(of_a); i++)
		if (X509_cmp(sk_X509_value(of_a, i), sk_X509_value(of_b, i)) != 0)
			return false;
	return true;
}

static int64_t
seconds_of(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? timegm(&tm) : 0;
}

int64_t
tls_expires_s(const SSL_CTX *context)
{
	return seconds_of(X509_get0_notAfter(SSL_CTX_get0_certificate(context)));
}

static void
add_day(struct buf *out, int64_t at_s)
{
	time_t t = (time_t)at_s;
	char text[32];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm);
	buf_adds(out, text);
}

bool
tls_add_doubt(const SSL_CTX *context, int64_t now_s, struct buf *out)
{
	const X509 *cert = SSL_CTX_get0_certificate(context);
	int64_t begins_s = seconds_of(X509_get0_notBefore(cert)), ends_s = tls_expires_s(context);

	if (now_s < begins_s)
		buf_adds(out, "is not valid before ");
	else if (now_s >= ends_s)
		buf_adds(out, "has expired, on ");
	else if (ends_s - now_s < (time_t)SOON_DAYS * DAY_S)
		buf_adds(out, "expires on ");
	else
		return false;
	add_day(out, now_s < begins_s ? begins_s : ends_s);
	buf_adds(out, now_s < begins_s || now_s >= ends_s ? "; clients refuse it" : "; renew it");
	return true;
}
