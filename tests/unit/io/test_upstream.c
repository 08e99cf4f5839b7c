#include "../check.h"

#include "client.h"

#include <arpa/inet.h>
#include <event2/bufferevent.h>
#include <event2/dns.h>
#include <event2/dns_struct.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void
says_ok(struct peer_conn *p, void *arg)
{
	peer_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static void
use_host(struct client *c, const char *host, int64_t connect_ms)
{
	struct buf url = {0};

	buf_addf(&url, "http://%s:%d", host, c->peer->port);
	client_use(
	    c, &(struct upstream_conf){.url = buf_text(&url), .connect_ms = connect_ms, .idle_max = 4});
	buf_finish(&url);
}

static struct upstream *
create(struct client *c, const char *url, const char *api_key, struct buf *why)
{
	struct upstream_conf conf = {.url = url, .api_key = api_key, .connect_ms = 5000};

	return upstream_create(c->loop, &conf, why);
}

static void
urls_are_understood(void **state)
{
	static const struct {
		const char *url;
		const char *host;
	} good[] = {
	    {"http://10.0.0.1:11434", "10.0.0.1:11434"},
	    {"http://node", "node"},
	    {"HTTP://node:80", "node"},
	    {"http://node:443/", "node:443"},
	    {"https://node.example", "node.example"},
	    {"https://node:443/a/b/", "node"},
	    {"https://node:80", "node:80"},
	    {"http://[::1]:11434", "[::1]:11434"},
	    {"http://[fe80::1]", "[fe80::1]"},
	    {"http://under_score:1", "under_score:1"},
	};
	struct client *c = *state;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct buf why = {0};
		struct upstream *u = create(c, good[i].url, NULL, &why);

		if (u == NULL)
			fail_msg("%s", buf_text(&why));
		assert_string_equal(upstream_host(u), good[i].host);
		upstream_destroy(&u);
	}
}

static void
wrong_urls_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *url;
		const char *why;
	} bad[] = {
	    {"", "must begin with http"},
	    {"node:11434", "must begin with http"},
	    {"ftp://node", "must begin with http"},
	    {"http:/node", "must begin with http"},
	    {"http://", "host is missing"},
	    {"http://:80", "host is missing"},
	    {"http:///path", "host is missing"},
	    {"http://user:password@node", "api_key"},
	    {"http://no de", "invalid character"},
	    {"http://n\xc3\xb6"
	     "de",
	     "invalid character"},
	    {"http://10.0.0.256", "IPv4"},
	    {"http://10.0.0", "IPv4"},
	    {"http://[::1", "bracket"},
	    {"http://[::x]", "IPv6"},
	    {"http://[]", "host is missing"},
	    {"http://[::1]80", "only a port"},
	    {"http://::1", "brackets"},
	    {"http://fe80::1", "brackets"},
	    {"http://node:", "port"},
	    {"http://node:0", "port"},
	    {"http://node:65536", "port"},
	    {"http://node:80a", "port"},
	    {"http://node:-1", "port"},
	    {"http://node/a?b", "query"},
	    {"http://node#b", "fragment"},
	    {"http://node/a b", "invalid character in the path"},
	};
	struct client *c = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf why = {0};

		if (create(c, bad[i].url, NULL, &why) != NULL)
			fail_msg("taken: %s", bad[i].url);
		if (strstr(buf_text(&why), bad[i].why) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", buf_text(&why), bad[i].why);
		buf_finish(&why);
	}
}

static void
a_key_that_is_no_header_value_is_refused(void **state)
{
	static const char *const bad[] = {"", "a b", "a\r\nX: y", "\x7f", "\xc3\xa9"};
	struct client *c = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf why = {0};

		assert_null(create(c, "http://node", bad[i], &why));
		assert_non_null(strstr(buf_text(&why), "API key"));
		buf_finish(&why);
	}
}

static void
a_refused_connection_is_told(void **state)
{
	struct client *c = *state;

	peer_stop_listening(c->peer);
	client_expect(c, EXCHANGE_CONNECT_FAILED);
	client_expect(c, EXCHANGE_CONNECT_FAILED);
}

static void
a_program_out_of_descriptors_is_told(void **state)
{
	struct client *c = *state;
	struct rlimit before, none = {0};

	client_wait_ms(c, 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	client_expect(c, EXCHANGE_CONNECT_FAILED);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_string_equal(c->why, "Too many open files");
}

/* 127.0.0.1 refuses, ::1 takes it. */
static void
the_next_address_is_tried(void **state)
{
	struct client *c = *state;
	struct peer *other = peer_create(c->loop, "::1", c->peer->port);

	if (other == NULL) {
		skip();
		return;
	}
	other->on_request = says_ok;
	other->arg = c;
	peer_stop_listening(c->peer);
	use_host(c, "localhost", 5000);
	client_expect(c, EXCHANGE_DONE);
	assert_int_equal(other->accepted, 1);
	peer_destroy(other);
}

static void
an_ipv6_literal_works(void **state)
{
	struct client *c = *state;
	struct peer *other = peer_create(c->loop, "::1", c->peer->port);

	if (other == NULL) {
		skip();
		return;
	}
	other->on_request = says_ok;
	other->arg = c;
	use_host(c, "[::1]", 5000);
	client_expect(c, EXCHANGE_DONE);
	peer_destroy(other);
}

/* A listener whose queue is full drops further connections silently. */
static int
listen_and_fill(int *fill, int count)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t size = sizeof(a);

	assert_int_equal(bind(fd, (void *)&a, size), 0);
	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(getsockname(fd, (void *)&a, &size), 0);
	for (int i = 0; i < count; i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(fill[i], (void *)&a, size);
	}
	fill[count] = fd;
	return ntohs(a.sin_port);
}

static void
a_connection_that_hangs_is_told(void **state)
{
	struct client *c = *state;
	struct buf url = {0};
	int fds[4];

	buf_addf(&url, "http://127.0.0.1:%d", listen_and_fill(fds, 3));
	client_use(c, &(struct upstream_conf){.url = buf_text(&url), .connect_ms = 60});
	client_expect(c, EXCHANGE_CONNECT_TIMEOUT);
	client_start(c);
	client_cancel(c);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	buf_finish(&url);
}

/* A name server in the loop. It knows node.test, with the addresses of `zone`. */
static struct {
	evutil_socket_t fd;
	struct evdns_server_port *port;
	int asked;
	bool broken; /* answers with a failure */
	bool silent;
	in_addr_t zone[4];
	int count;
} dns;

static void
on_question(struct evdns_server_request *r, void *arg)
{
	dns.asked++;
	if (dns.silent) {
		evdns_server_request_drop(r);
		return;
	}
	for (int i = 0; i < r->nquestions; i++) {
		const struct evdns_server_question *q = r->questions[i];

		if (q->type == EVDNS_TYPE_A && strcasecmp(q->name, "node.test") == 0 && dns.count > 0)
			evdns_server_request_add_a_reply(r, q->name, dns.count, dns.zone, 10);
	}
	evdns_server_request_respond(r, dns.broken ? DNS_ERR_SERVERFAILED : 0);
}

static void
start_dns(struct client *c, const char *first, const char *second)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct evdns_base *base = loop_dns(c->loop);
	socklen_t size = sizeof(a);
	struct buf text = {0};

	memset(&dns, 0, sizeof(dns));
	dns.zone[dns.count++] = inet_addr(first);
	if (second != NULL)
		dns.zone[dns.count++] = inet_addr(second);
	dns.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(dns.fd, (void *)&a, size), 0);
	assert_int_equal(getsockname(dns.fd, (void *)&a, &size), 0);
	dns.port = evdns_add_server_port_with_base(loop_base(c->loop), dns.fd, 0, on_question, NULL);
	evdns_base_clear_nameservers_and_suspend(base);
	evdns_base_search_clear(base);
	buf_addf(&text, "127.0.0.1:%d", ntohs(a.sin_port));
	assert_int_equal(evdns_base_nameserver_ip_add(base, buf_text(&text)), 0);
	evdns_base_resume(base);
	buf_finish(&text);
}

static void
stop_dns(struct client *c)
{
	evdns_close_server_port(dns.port);
	close(dns.fd);
}

static void
every_address_of_a_name_is_tried(void **state)
{
	struct client *c = *state;

	/* No TCP to a broadcast address; and the peer listens on 127.0.0.1 alone. */
	start_dns(c, "255.255.255.255", "127.0.0.2");
	dns.zone[dns.count++] = inet_addr("127.0.0.1");
	use_host(c, "node.test", 5000);
	c->peer->on_request = says_ok;
	client_expect(c, EXCHANGE_DONE);
	assert_int_equal(c->peer->accepted, 1);
	stop_dns(c);
}

static void
a_name_is_looked_up_once_for_many(void **state)
{
	struct client *c = *state;
	int asked;

	start_dns(c, "127.0.0.1", NULL);
	use_host(c, "node.test", 5000);
	c->peer->on_request = says_ok;
	client_start(c);
	client_start(c);
	client_expect(c, EXCHANGE_DONE);
	assert_int_equal(c->peer->accepted, 3);
	asked = dns.asked;
	assert_int_equal(asked, 2); /* A and AAAA */
	for (int i = 0; i < 3; i++)
		client_expect(c, EXCHANGE_DONE);
	assert_int_equal(dns.asked, asked);
	stop_dns(c);
}

static void
an_unknown_name_is_told(void **state)
{
	struct client *c = *state;

	start_dns(c, "127.0.0.1", NULL);
	use_host(c, "other.test", 5000);
	client_expect(c, EXCHANGE_CONNECT_FAILED);
	stop_dns(c);
}

static void
without_a_name_server_names_are_unknown(void **state)
{
	struct client *c = *state;

	evdns_base_clear_nameservers_and_suspend(loop_dns(c->loop));
	evdns_base_resume(loop_dns(c->loop));
	use_host(c, "node.test", 60);
	client_expect(c, EXCHANGE_CONNECT_FAILED);
	client_expect(c, EXCHANGE_CONNECT_FAILED);
}

static void
a_silent_name_server_is_not_waited_for(void **state)
{
	struct client *c = *state;

	start_dns(c, "127.0.0.1", NULL);
	dns.silent = true;
	use_host(c, "node.test", 60);
	client_expect(c, EXCHANGE_CONNECT_FAILED);
	client_start(c);
	client_wait_ms(c, 5);
	client_cancel(c);
	stop_dns(c);
}

/* The node is gone, so the next dial asks anew; the answer fails; then the node is back. */
static void
check_old_address_kept(struct client *c)
{
	int asked = dns.asked;

	client_expect(c, EXCHANGE_DONE);
	peer_close(&c->peer->conns[0]);
	while (upstream_idle(c->upstream) > 0)
		client_wait_ms(c, 1);
	client_expect(c, EXCHANGE_DONE);
	assert_true(dns.asked > asked);
}

static void
restart_peer(struct client *c, bool broken, bool silent)
{
	int port = c->peer->port;

	start_dns(c, "127.0.0.1", NULL);
	use_host(c, "node.test", 400);
	c->peer->on_request = says_ok;
	client_expect(c, EXCHANGE_DONE);
	peer_destroy(c->peer);
	while (upstream_idle(c->upstream) > 0)
		client_wait_ms(c, 1);
	dns.broken = broken;
	dns.silent = silent;
	client_expect(c, EXCHANGE_CONNECT_FAILED);
	c->peer = peer_create(c->loop, "127.0.0.1", port);
	assert_non_null(c->peer);
	c->peer->arg = c;
	c->peer->on_request = says_ok;
	check_old_address_kept(c);
	stop_dns(c);
}

static void
the_last_address_is_kept_when_lookups_fail(void **state)
{
	restart_peer(*state, true, false);
}

static void
the_last_address_is_kept_when_lookups_hang(void **state)
{
	restart_peer(*state, false, true);
}

static void
says_ok_later(struct peer_conn *p, void *arg)
{
	/* Three at once need three connections; then all are answered. */
	if (p->peer->requests < 3)
		return;
	for (int i = 0; i < p->peer->accepted; i++)
		says_ok(&p->peer->conns[i], arg);
}

static void
no_more_than_idle_max_are_kept(void **state)
{
	struct client *c = *state;
	struct buf url = {0};

	buf_addf(&url, "http://127.0.0.1:%d", c->peer->port);
	client_use(c,
	           &(struct upstream_conf){.url = buf_text(&url), .connect_ms = 5000, .idle_max = 2});
	buf_finish(&url);
	c->peer->on_request = says_ok_later;
	client_start(c);
	client_start(c);
	client_expect(c, EXCHANGE_DONE);
	assert_int_equal(c->peer->accepted, 3);
	assert_int_equal(upstream_idle(c->upstream), 2);
}

/* Our end of the connection that the peer has accepted first: a descriptor of this process. */
static int
own_end(const struct client *c)
{
	struct sockaddr_in peer = {0}, own = {0};
	socklen_t len = sizeof(peer);

	assert_int_equal(
	    getpeername(bufferevent_getfd(c->peer->conns[0].bev), (struct sockaddr *)&peer, &len), 0);
	for (int fd = 3; fd < 1024; fd++) {
		len = sizeof(own);
		if (getsockname(fd, (struct sockaddr *)&own, &len) == 0 && own.sin_family == AF_INET &&
		    own.sin_port == peer.sin_port)
			return fd;
	}
	fail_msg("no such connection");
	return -1;
}

static bool acks_wait[2]; /* after the first and the second token */

/* On loopback, what is said is there at once: nothing has waited for an acknowledgement yet. */
static void
look_at_acks(struct client *c)
{
	int quick = -1;
	socklen_t len = sizeof(quick);

	assert_int_equal(getsockopt(own_end(c), IPPROTO_TCP, TCP_QUICKACK, &quick, &len), 0);
	acks_wait[c->flushes - 1] = quick == 0;
	peer_say(&c->peer->conns[0], c->flushes == 1 ? "2\r\nb\n\r\n" : "0\r\n\r\n");
}

static void
begins_stream(struct peer_conn *p, void *arg)
{
	static const int on = 1;

	assert_int_equal(setsockopt(own_end(arg), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on)), 0);
	peer_say(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n");
}

static void
tokens_are_not_acknowledged_one_by_one(void **state)
{
	struct client *c = *state;

	c->peer->on_request = begins_stream;
	c->in_flush = look_at_acks;
	client_expect(c, EXCHANGE_DONE);
	assert_int_equal(c->flushes, 2);
	assert_false(acks_wait[0]);
	assert_true(acks_wait[1]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, client_setup, client_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(urls_are_understood),
	    TEST(wrong_urls_are_refused_with_a_reason),
	    TEST(a_key_that_is_no_header_value_is_refused),
	    TEST(a_refused_connection_is_told),
	    TEST(a_program_out_of_descriptors_is_told),
	    TEST(the_next_address_is_tried),
	    TEST(an_ipv6_literal_works),
	    TEST(a_connection_that_hangs_is_told),
	    TEST(every_address_of_a_name_is_tried),
	    TEST(a_name_is_looked_up_once_for_many),
	    TEST(an_unknown_name_is_told),
	    TEST(without_a_name_server_names_are_unknown),
	    TEST(a_silent_name_server_is_not_waited_for),
	    TEST(the_last_address_is_kept_when_lookups_fail),
	    TEST(the_last_address_is_kept_when_lookups_hang),
	    TEST(no_more_than_idle_max_are_kept),
	    TEST(tokens_are_not_acknowledged_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
