/*
 * Contexts of OpenSSL from the files that a configuration names. On the lowest
 * floor, so that `drover check`, a start and a reload judge the files alike, and what
 * was judged is what is used.
 *
 * Ciphers and groups are OpenSSL's own, as the system's policy has them; versions
 * before TLS 1.2, renegotiation and compression are off.
 */
#ifndef BASE_TLS_H
#define BASE_TLS_H

#include "base/buf.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

enum tls_file { TLS_CERT, TLS_KEY };

/* For clients that come in: speaks http/1.1 alone (RFC 7301), and resumes sessions by tickets, so
 * that none is kept. NULL: `why` says what is wrong with the file that `blame` names, and what to
 * do about it. */
SSL_CTX *tls_server_context(const char *cert, const char *key, enum tls_file *blame,
                            struct buf *why);
/* Towards a server. `ca` is a file of certificates, NULL for the system's; without `verify` neither
 * is looked at. NULL: `why` says why. */
SSL_CTX *tls_client_context(const char *ca, bool verify, struct buf *why);
/* Whether clients see the same certificates by both: nothing is gained by the other one. */
bool tls_is_same(SSL_CTX *a, SSL_CTX *b);
/* When the certificate of a server's context ends, in seconds since 1970. */
int64_t tls_expires_s(const SSL_CTX *context);
/* Adds why clients refuse the certificate, or soon will: that it is not valid yet, has expired, or
 * will within two weeks. False: nothing of it. */
bool tls_add_doubt(const SSL_CTX *context, int64_t now_s, struct buf *out);

#endif
