#include "base/tls.h"

#include "../certificate.h"
#include "../check.h"
#include "base/buf.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HOUR_S = 3600, DAY_S = 24 * HOUR_S };

static char folder[64];
static char paths[8][128];
static int path_count;

static const char *
path_of(const char *name)
{
	char *path = paths[path_count++];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static const char *
write_text(const char *name, const char *text)
{
	const char *path = path_of(name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return path;
}

static const char *
write_cert(const char *name, EVP_PKEY *key, long valid_s)
{
	const char *path = path_of(name);
	X509 *x = certificate_make(key, "DNS:localhost", valid_s);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	PEM_write_X509(f, x);
	fclose(f);
	X509_free(x);
	return path;
}

static const char *
write_key(const char *name, EVP_PKEY *key, const char *passphrase)
{
	const char *path = path_of(name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(PEM_write_PrivateKey(f, key, passphrase == NULL ? NULL : EVP_aes_128_cbc(),
	                                 (const unsigned char *)passphrase,
	                                 passphrase == NULL ? 0 : (int)strlen(passphrase), NULL,
	                                 NULL) == 1);
	fclose(f);
	return path;
}

static int
setup(void **state)
{
	strcpy(folder, "/tmp/drover-test-tls-XXXXXX");
	assert_non_null(mkdtemp(folder));
	path_count = 0;
	*state = EVP_EC_gen("P-256");
	return 0;
}

static int
teardown(void **state)
{
	for (int i = 0; i < path_count; i++)
		unlink(paths[i]);
	rmdir(folder);
	EVP_PKEY_free(*state);
	return 0;
}

static void
check_refused(const char *cert, const char *key, enum tls_file expected, const char *message)
{
	struct buf why = {0};
	enum tls_file blame;

	assert_null(tls_server_context(cert, key, &blame, &why));
	assert_int_equal(blame, expected);
	if (strstr(buf_text(&why), message) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", buf_text(&why), message);
	buf_finish(&why);
}

static void
a_certificate_and_its_key_are_taken(void **state)
{
	struct buf why = {0};
	enum tls_file blame;
	SSL_CTX *context = tls_server_context(write_cert("cert", *state, 90L * DAY_S),
	                                      write_key("key", *state, NULL), &blame, &why);

	assert_non_null(context);
	assert_true(llabs(tls_expires_s(context) - (time(NULL) + 90LL * DAY_S)) < HOUR_S);
	assert_false(tls_add_doubt(context, time(NULL), &why));
	assert_string_equal(buf_text(&why), "");
	SSL_CTX_free(context);
}

static void
a_file_that_cannot_be_read_is_told(void **state)
{
	const char *cert = write_cert("cert", *state, DAY_S);

	check_refused(path_of("none"), "key", TLS_CERT, "/none: No such file or directory");
	check_refused(cert, path_of("nokey"), TLS_KEY, "/nokey: No such file or directory");
	check_refused(folder, "key", TLS_CERT, ": is no file");
}

static void
a_file_that_holds_something_else_is_told(void **state)
{
	const char *cert = write_cert("cert", *state, DAY_S), *key = write_key("key", *state, NULL);
	const char *empty = write_text("empty", ""), *text = write_text("text", "hello\n");
	const char *broken = write_text("broken", "-----BEGIN CERTIFICATE-----\nAAAA\n"
	                                          "-----END CERTIFICATE-----\n");

	check_refused(empty, key, TLS_CERT, "holds no certificate");
	check_refused(text, key, TLS_CERT, "holds no certificate");
	check_refused(key, key, TLS_CERT, "holds no certificate");
	check_refused(broken, key, TLS_CERT, "broken: ");
	check_refused(cert, empty, TLS_KEY, "holds no private key");
	check_refused(cert, cert, TLS_KEY, "holds no private key");
}

static void
a_key_of_another_certificate_is_told(void **state)
{
	const char *cert = write_cert("cert", *state, DAY_S);
	EVP_PKEY *other = EVP_EC_gen("P-256"), *rsa = EVP_RSA_gen(2048);

	check_refused(cert, write_key("other", other, NULL), TLS_KEY,
	              "/other: is not the key of the first certificate in /tmp/");
	check_refused(cert, write_key("rsa", rsa, NULL), TLS_KEY,
	              "/rsa: is not the key of the first certificate in /tmp/");
	EVP_PKEY_free(other);
	EVP_PKEY_free(rsa);
}

static void
a_passphrase_is_not_asked_for(void **state)
{
	check_refused(write_cert("cert", *state, DAY_S), write_key("key", *state, "secret"), TLS_KEY,
	              "is protected by a passphrase; give it without: openssl pkey -in /tmp/");
}

static void
a_key_that_is_too_weak_is_told(void **state)
{
	EVP_PKEY *weak = EVP_RSA_gen(1024);

	check_refused(write_cert("cert", weak, DAY_S), write_key("key", weak, NULL), TLS_CERT,
	              "key too small");
	EVP_PKEY_free(weak);
}

static void
check_doubt(void *key, long valid_s, int64_t now_s, const char *expected)
{
	struct buf why = {0};
	enum tls_file blame;
	SSL_CTX *context = tls_server_context(write_cert("cert", key, valid_s),
	                                      write_key("key", key, NULL), &blame, &why);

	assert_non_null(context);
	assert_true(tls_add_doubt(context, now_s, &why));
	assert_int_equal(strncmp(buf_text(&why), expected, strlen(expected)), 0);
	SSL_CTX_free(context);
	buf_finish(&why);
	path_count -= 2;
}

/* The certificate begins two hours ago. */
static void
times_that_clients_mind_are_doubted(void **state)
{
	int64_t now_s = time(NULL);

	check_doubt(*state, -60, now_s, "has expired, on 2");
	check_doubt(*state, 13L * DAY_S, now_s, "expires on 2");
	check_doubt(*state, 90L * DAY_S, now_s - 3LL * HOUR_S, "is not valid before 2");
	path_count += 2;
}

static void
roots_are_read_where_they_count(void **state)
{
	struct buf why = {0};
	SSL_CTX *context = tls_client_context(write_cert("ca", *state, DAY_S), true, &why);

	assert_non_null(context);
	SSL_CTX_free(context);
	assert_null(tls_client_context(write_text("text", "hello"), true, &why));
	assert_non_null(strstr(buf_text(&why), "/text: holds no certificate"));
	buf_clear(&why);
	assert_null(tls_client_context(path_of("none"), true, &why));
	assert_non_null(strstr(buf_text(&why), "/none: No such file"));
	context = tls_client_context(path_of("none"), false, &why);
	assert_non_null(context);
	SSL_CTX_free(context);
	buf_finish(&why);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_certificate_and_its_key_are_taken),
	    TEST(a_file_that_cannot_be_read_is_told),
	    TEST(a_file_that_holds_something_else_is_told),
	    TEST(a_key_of_another_certificate_is_told),
	    TEST(a_passphrase_is_not_asked_for),
	    TEST(a_key_that_is_too_weak_is_told),
	    TEST(times_that_clients_mind_are_doubted),
	    TEST(roots_are_read_where_they_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
