#include "../certificate.h"
#include "../check.h"

#include "base/mem.h"
#include "client.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { LARGE_BYTES = 2 << 20 };

static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                const unsigned char *in, unsigned int len, void *arg)
{
	if (len != 9 || memcmp(in, "\x08http/1.1", 9) != 0)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = in + 1;
	*out_len = 8;
	return SSL_TLSEXT_ERR_OK;
}

/* What a test has on disk. */
static char ca_file[64];

static void
write_ca(X509 *x)
{
	FILE *file;
	int fd;

	strcpy(ca_file, "/tmp/drover-test-ca-XXXXXX");
	fd = mkstemp(ca_file);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	PEM_write_X509(file, x);
	fclose(file);
}

static int
setup(void **state)
{
	ca_file[0] = '\0';
	return client_setup(state);
}

static int
teardown(void **state)
{
	if (ca_file[0] != '\0')
		unlink(ca_file);
	return client_teardown(state);
}

static SSL_CTX *
serve(struct client *c, const char *san, long valid_s)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = certificate_make(key, san, valid_s);
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	assert_int_equal(SSL_CTX_use_certificate(tls, x), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(tls, key), 1);
	SSL_CTX_set_alpn_select_cb(tls, choose_protocol, NULL);
	write_ca(x);
	X509_free(x);
	EVP_PKEY_free(key);
	peer_use_tls(c->peer, tls);
	return tls;
}

static void
use(struct client *c, const char *host, const char *ca, bool verify, int64_t connect_ms)
{
	struct buf url = {0};

	buf_addf(&url, "https://%s:%d", host, c->peer->port);
	client_use(c, &(struct upstream_conf){.url = buf_text(&url),
	                                      .tls_ca = ca,
	                                      .tls_verify = verify,
	                                      .connect_ms = connect_ms,
	                                      .idle_max = 4});
	buf_finish(&url);
}

static void
says_ok(struct peer_conn *p, void *arg)
{
	peer_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static void
a_node_with_the_right_certificate_is_talked_to(void **state)
{
	struct client *c = *state;

	serve(c, "IP:127.0.0.1", 3600);
	use(c, "127.0.0.1", ca_file, true, 5000);
	c->peer->on_request = says_ok;
	for (int i = 0; i < 3; i++)
		client_expect(c, EXCHANGE_DONE);
	assert_int_equal(c->peer->accepted, 1);
	assert_string_equal(buf_text(&c->body), "ok");
}

static bool name_was_sent;

static void
says_ok_and_notes_the_name(struct peer_conn *p, void *arg)
{
	SSL *ssl = bufferevent_openssl_get_ssl(p->bev);

	name_was_sent = strcmp(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name), "localhost") == 0;
	says_ok(p, arg);
}

static void
a_name_is_checked_and_sent(void **state)
{
	struct client *c = *state;

	serve(c, "DNS:localhost", 3600);
	use(c, "localhost", ca_file, true, 5000);
	c->peer->on_request = says_ok_and_notes_the_name;
	client_expect(c, EXCHANGE_DONE);
	assert_true(name_was_sent);
}

static void
check_refused(struct client *c, const char *why)
{
	c->peer->on_request = says_ok;
	client_expect(c, EXCHANGE_TLS_FAILED);
	if (strcasestr(c->why, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", c->why, why);
	assert_int_equal(c->peer->requests, 0);
}

static void
a_certificate_for_another_address_is_refused(void **state)
{
	struct client *c = *state;

	serve(c, "IP:127.0.0.2,DNS:127.0.0.1", 3600);
	use(c, "127.0.0.1", ca_file, true, 5000);
	check_refused(c, "it is for another");
}

static void
a_certificate_for_another_name_is_refused(void **state)
{
	struct client *c = *state;

	serve(c, "DNS:other,IP:127.0.0.1", 3600);
	use(c, "localhost", ca_file, true, 5000);
	check_refused(c, "it is for another");
}

static void
a_certificate_of_nobody_is_refused(void **state)
{
	struct client *c = *state;

	serve(c, "IP:127.0.0.1", 3600);
	use(c, "127.0.0.1", NULL, true, 5000);
	check_refused(c, "it signed itself");
}

static void
an_expired_certificate_is_refused(void **state)
{
	struct client *c = *state;

	serve(c, "IP:127.0.0.1", -60);
	use(c, "127.0.0.1", ca_file, true, 5000);
	check_refused(c, "expired");
}

static void
without_verify_any_certificate_will_do(void **state)
{
	struct client *c = *state;

	serve(c, "DNS:other", -60);
	use(c, "127.0.0.1", NULL, false, 5000);
	c->peer->on_request = says_ok;
	client_expect(c, EXCHANGE_DONE);
}

static void
an_old_version_is_refused(void **state)
{
	struct client *c = *state;
	SSL_CTX *tls = serve(c, "IP:127.0.0.1", 3600);

	SSL_CTX_set_security_level(tls, 0);
	SSL_CTX_set_max_proto_version(tls, TLS1_1_VERSION);
	use(c, "127.0.0.1", ca_file, true, 5000);
	check_refused(c, "protocol");
}

static void
says_plain(struct peer_conn *p, void *arg)
{
	p->peer->on_data = NULL;
	peer_say(p, "HTTP/1.1 400 Bad Request\r\n\r\n");
}

static void
a_node_that_speaks_plain_http_is_told(void **state)
{
	struct client *c = *state;

	c->peer->on_data = says_plain;
	use(c, "127.0.0.1", NULL, false, 5000);
	client_expect(c, EXCHANGE_TLS_FAILED);
	assert_non_null(strstr(c->why, "it does not speak TLS"));
}

static void
a_handshake_that_hangs_is_told(void **state)
{
	struct client *c = *state;

	use(c, "127.0.0.1", NULL, false, 40);
	client_expect(c, EXCHANGE_CONNECT_TIMEOUT);
}

static void
closes(struct peer_conn *p, void *arg)
{
	peer_close(p);
}

static void
a_node_that_closes_in_the_handshake_is_told(void **state)
{
	struct client *c = *state;

	c->peer->on_data = closes;
	use(c, "127.0.0.1", NULL, false, 5000);
	client_expect(c, EXCHANGE_TLS_FAILED);
}

static void
echo(struct peer_conn *p, void *arg)
{
	const char *end = memmem(p->in.data, p->in.len, "\r\n\r\n", 4);
	struct str body = {end + 4, p->in.len - (size_t)(end + 4 - p->in.data)};
	struct buf head = {0};

	buf_addf(&head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", body.len);
	peer_say_bytes(p, head.data, head.len);
	peer_say_bytes(p, body.ptr, body.len);
	buf_finish(&head);
}

static char *
large_body(void)
{
	char *body = mem_alloc(LARGE_BYTES);

	for (size_t i = 0; i < LARGE_BYTES; i++)
		body[i] = (char)('a' + i * 7 / 3 % 26);
	return body;
}

static void
go_on(struct client *c)
{
	loop_stop(c->loop);
}

/* Large both ways, with reading paused for a while. */
static void
large_bodies_pass_both_ways(void **state)
{
	struct client *c = *state;
	char *body = large_body();

	serve(c, "IP:127.0.0.1", 3600);
	use(c, "127.0.0.1", ca_file, true, 5000);
	c->peer->on_request = echo;
	c->request.method = HTTP_POST;
	c->request.body = (struct str){body, LARGE_BYTES};
	c->in_head = go_on;
	client_start(c);
	client_run(c);
	exchange_pause(c->exchange, true);
	client_wait_ms(c, 10);
	exchange_pause(c->exchange, false);
	client_run(c);
	assert_int_equal(c->end, EXCHANGE_DONE);
	assert_int_equal(c->body.len, LARGE_BYTES);
	assert_memory_equal(c->body.data, body, LARGE_BYTES);
	assert_int_equal(upstream_idle(c->upstream), 1);
	free(body);
}

static void
a_streamed_upload_passes(void **state)
{
	struct client *c = *state;

	serve(c, "IP:127.0.0.1", 3600);
	use(c, "127.0.0.1", ca_file, true, 5000);
	c->peer->on_request = says_ok;
	c->request.method = HTTP_POST;
	c->request.streamed = true;
	c->request.streamed_length = -1;
	client_start(c);
	exchange_send(c->exchange, str_of("hel"));
	exchange_send(c->exchange, str_of("lo"));
	exchange_send_end(c->exchange);
	client_run(c);
	assert_int_equal(c->end, EXCHANGE_DONE);
	assert_non_null(
	    strstr(buf_text(&c->peer->conns[0].in), "\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"));
}

/* A body that a test streams, as far as the exchange takes it. */
static struct {
	char *bytes;
	size_t at;
} source;

static void
send_more(struct client *c)
{
	bool more = true;

	while (more && source.at < LARGE_BYTES) {
		size_t n = LARGE_BYTES - source.at < 60000 ? LARGE_BYTES - source.at : 60000;

		more = exchange_send(c->exchange, (struct str){source.bytes + source.at, n});
		source.at += n;
	}
	if (source.at == LARGE_BYTES)
		exchange_send_end(c->exchange);
}

static void
a_large_streamed_upload_passes(void **state)
{
	struct client *c = *state;

	source.bytes = large_body();
	source.at = 0;
	serve(c, "IP:127.0.0.1", 3600);
	use(c, "127.0.0.1", ca_file, true, 5000);
	c->peer->on_request = echo;
	c->in_drained = send_more;
	c->request.method = HTTP_POST;
	c->request.streamed = true;
	c->request.streamed_length = LARGE_BYTES;
	client_start(c);
	send_more(c);
	client_run(c);
	assert_int_equal(c->end, EXCHANGE_DONE);
	assert_int_equal(c->body.len, LARGE_BYTES);
	assert_memory_equal(c->body.data, source.bytes, LARGE_BYTES);
	free(source.bytes);
}

static bool says_goodbye;

static void
says_until_close(struct peer_conn *p, void *arg)
{
	peer_say(p, "HTTP/1.0 200 OK\r\n\r\nhello");
}

static void
end_peer(struct client *c)
{
	struct peer_conn *p = &c->peer->conns[c->peer->accepted - 1];

	if (says_goodbye)
		SSL_shutdown(bufferevent_openssl_get_ssl(p->bev));
	peer_close(p);
}

static void
an_end_without_goodbye_is_a_cut(void **state)
{
	struct client *c = *state;

	serve(c, "IP:127.0.0.1", 3600);
	use(c, "127.0.0.1", ca_file, true, 5000);
	c->peer->on_request = says_until_close;
	c->in_flush = end_peer;
	says_goodbye = true;
	client_expect(c, EXCHANGE_DONE);
	says_goodbye = false;
	client_expect(c, EXCHANGE_CUT);
	assert_string_equal(buf_text(&c->body), "hello");
}

static void
an_idle_connection_that_closes_is_dropped(void **state)
{
	struct client *c = *state;

	serve(c, "IP:127.0.0.1", 3600);
	use(c, "127.0.0.1", ca_file, true, 5000);
	c->peer->on_request = says_ok;
	client_expect(c, EXCHANGE_DONE);
	client_wait_ms(c, 5);
	assert_int_equal(upstream_idle(c->upstream), 1);
	peer_close(&c->peer->conns[0]);
	for (int turns = 0; upstream_idle(c->upstream) > 0; turns++) {
		assert_true(turns < 1000);
		client_wait_ms(c, 1);
	}
}

static int resumed;

static void
says_ok_and_closes(struct peer_conn *p, void *arg)
{
	resumed += SSL_session_reused(bufferevent_openssl_get_ssl(p->bev));
	peer_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
}

static void
the_next_connection_resumes_the_session_of_the_one_before(void **state)
{
	struct client *c = *state;

	serve(c, "IP:127.0.0.1", 3600);
	use(c, "127.0.0.1", ca_file, true, 5000);
	c->peer->on_request = says_ok_and_closes;
	resumed = 0;
	for (int i = 0; i < 3; i++)
		client_expect(c, EXCHANGE_DONE);
	assert_int_equal(c->peer->accepted, 3);
	assert_int_equal(resumed, 2);
}

static void
missing_certificates_are_told_at_the_start(void **state)
{
	struct client *c = *state;
	struct upstream_conf conf = {
	    .url = "https://node", .tls_ca = "/nowhere/ca.pem", .tls_verify = true};
	struct buf why = {0};

	assert_null(upstream_create(c->loop, &conf, &why));
	assert_non_null(strstr(buf_text(&why), "/nowhere/ca.pem"));
	buf_finish(&why);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_node_with_the_right_certificate_is_talked_to),
	    TEST(a_name_is_checked_and_sent),
	    TEST(a_certificate_for_another_address_is_refused),
	    TEST(a_certificate_for_another_name_is_refused),
	    TEST(a_certificate_of_nobody_is_refused),
	    TEST(an_expired_certificate_is_refused),
	    TEST(without_verify_any_certificate_will_do),
	    TEST(an_old_version_is_refused),
	    TEST(a_node_that_speaks_plain_http_is_told),
	    TEST(a_handshake_that_hangs_is_told),
	    TEST(a_node_that_closes_in_the_handshake_is_told),
	    TEST(large_bodies_pass_both_ways),
	    TEST(a_large_streamed_upload_passes),
	    TEST(a_streamed_upload_passes),
	    TEST(an_end_without_goodbye_is_a_cut),
	    TEST(an_idle_connection_that_closes_is_dropped),
	    TEST(the_next_connection_resumes_the_session_of_the_one_before),
	    TEST(missing_certificates_are_told_at_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
