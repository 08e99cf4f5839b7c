/* Certificates for tests, made while they run: one in the tree would expire. */
#ifndef TESTS_CERTIFICATE_H
#define TESTS_CERTIFICATE_H

#include "check.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

/* A certificate that signs itself, for `san` ("DNS:localhost", "IP:127.0.0.1"). */
static inline X509 *
certificate_make(EVP_PKEY *key, const char *san, long valid_s)
{
	X509 *x = X509_new();
	X509_EXTENSION *extension;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -7200);
	X509_gmtime_adj(X509_getm_notAfter(x), valid_s);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
	                           (const unsigned char *)"node of a test", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, key);
	extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
	assert_non_null(extension);
	X509_add_ext(x, extension, -1);
	X509_EXTENSION_free(extension);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

#endif
