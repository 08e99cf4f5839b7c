/* Connections that are kept for the next request, and what closes them. */
#include "../check.h"

#include "client.h"

#include "base/clock.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define LENGTH_5 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
#define HELLO    LENGTH_5 "hello"

/* What the peer answers to every request. */
static const char *answer;

static void
says_answer(struct peer_conn *p, void *arg)
{
	peer_say(p, answer);
}

static void
a_connection_is_used_again(void **state)
{
	struct client *c = *state;

	answer = HELLO;
	c->peer->on_request = says_answer;
	for (int i = 0; i < 5; i++)
		client_expect(c, EXCHANGE_DONE);
	assert_int_equal(c->peer->accepted, 1);
	assert_int_equal(c->peer->requests, 5);
}

static void
a_fresh_one_has_a_connection_of_its_own(void **state)
{
	struct client *c = *state;

	answer = HELLO;
	c->peer->on_request = says_answer;
	client_expect(c, EXCHANGE_DONE);
	c->request.fresh = true;
	client_expect(c, EXCHANGE_DONE);
	assert_int_equal(c->peer->accepted, 2);
	assert_int_equal(upstream_idle(c->upstream), 2);
}

static void
check_not_reused(struct client *c, const char *text)
{
	answer = text;
	c->peer->on_request = says_answer;
	client_expect(c, EXCHANGE_DONE);
	assert_int_equal(upstream_idle(c->upstream), 0);
}

static void
a_connection_out_of_step_is_not_used_again(void **state)
{
	check_not_reused(*state, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
	check_not_reused(*state, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
	check_not_reused(*state, HELLO "HTTP/1.1 200 OK\r\n");
}

static void
only_so_many_idle_connections_are_kept(void **state)
{
	struct client *c = *state;
	struct buf url = {0};
	struct upstream_conf conf = {.connect_ms = 5000, .idle_max = 0};

	buf_addf(&url, "http://127.0.0.1:%d", c->peer->port);
	conf.url = buf_text(&url);
	client_use(c, &conf);
	buf_finish(&url);
	check_not_reused(c, HELLO);
}

static void
wait_for_no_idle(struct client *c)
{
	for (int turns = 0; upstream_idle(c->upstream) > 0; turns++) {
		assert_true(turns < 1000);
		client_wait_ms(c, 1);
	}
}

/* Past libevent: it is with the other side when this returns. */
static void
say_at_once(struct peer_conn *p, const char *text)
{
	int fd = bufferevent_getfd(p->bev), unsent = 1;

	assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
	while (unsent > 0)
		assert_int_equal(ioctl(fd, SIOCOUTQ, &unsent), 0);
}

/* A connection that has just answered is not looked at. */
static void
pass_a_millisecond(void)
{
	int64_t now = clock_now_ms();

	while (clock_now_ms() == now)
		continue;
}

/* Before the loop has turned, so that nothing but a look at the connection can tell. */
static void
what_came_before_a_request_is_no_answer_to_it(void **state)
{
	struct client *c = *state;

	answer = HELLO;
	c->peer->on_request = says_answer;
	client_expect(c, EXCHANGE_DONE);
	say_at_once(&c->peer->conns[0], LENGTH_5 "stray");
	pass_a_millisecond();
	client_expect(c, EXCHANGE_DONE);
	assert_string_equal(buf_text(&c->body), "hello");
	assert_int_equal(c->peer->accepted, 2);
	assert_int_equal(upstream_idle(c->upstream), 1);
}

static void
an_idle_connection_that_speaks_or_closes_is_dropped(void **state)
{
	struct client *c = *state;

	answer = HELLO;
	c->peer->on_request = says_answer;
	client_expect(c, EXCHANGE_DONE);
	assert_int_equal(upstream_idle(c->upstream), 1);
	peer_say(&c->peer->conns[0], HELLO);
	wait_for_no_idle(c);
	client_expect(c, EXCHANGE_DONE);
	peer_close(&c->peer->conns[1]);
	wait_for_no_idle(c);
	client_expect(c, EXCHANGE_DONE);
	peer_reset(&c->peer->conns[2]);
	wait_for_no_idle(c);
}

/* More than the peer's system takes while nobody reads there. */
static char large_body[16 * 1024 * 1024];

static void
start_again_then_end(struct client *c)
{
	struct bufferevent *bev = c->peer->conns[0].bev;

	c->in_end = NULL;
	bufferevent_disable(bev, EV_READ);
	c->request.method = HTTP_POST;
	c->request.body = (struct str){large_body, sizeof(large_body)};
	client_start(c);
	assert_int_equal(shutdown(bufferevent_getfd(bev), SHUT_WR), 0);
}

/* An end that crosses the request; a reset is known before. */
static void
a_kept_connection_that_had_closed_is_stale_or_not_used(void **state)
{
	struct client *c = *state;

	answer = HELLO;
	c->peer->on_request = says_answer;
	c->in_end = start_again_then_end;
	client_expect(c, EXCHANGE_STALE);
	c->request.body = (struct str){0};
	client_expect(c, EXCHANGE_DONE);
	peer_reset(&c->peer->conns[1]);
	pass_a_millisecond();
	client_expect(c, EXCHANGE_DONE);
	assert_int_equal(c->peer->accepted, 3);
}

static void
closes_at_second(struct peer_conn *p, void *arg)
{
	if (p->peer->requests == 1)
		peer_say(p, HELLO);
	else
		peer_close(p);
}

static void
resets_at_second(struct peer_conn *p, void *arg)
{
	if (p->peer->requests == 1)
		peer_say(p, HELLO);
	else
		peer_reset(p);
}

static void
expect_closed_at_second(struct client *c, void (*on_request)(struct peer_conn *p, void *arg))
{
	c->peer->on_request = on_request;
	client_expect(c, EXCHANGE_DONE);
	client_expect(c, EXCHANGE_CLOSED);
	assert_int_equal(c->peer->accepted, 1);
}

static void
a_kept_connection_that_closes_when_it_has_the_request_is_not_stale(void **state)
{
	expect_closed_at_second(*state, closes_at_second);
}

static void
a_kept_connection_that_is_reset_when_it_has_the_request_is_not_stale(void **state)
{
	expect_closed_at_second(*state, resets_at_second);
}

static void
says_half_then_closes_at_second(struct peer_conn *p, void *arg)
{
	if (p->peer->requests == 1)
		peer_say(p, HELLO);
	else
		peer_say(p, "HTTP/1.1 2");
	if (p->peer->requests == 2)
		peer_close(p);
}

static void
a_reused_connection_that_closes_after_a_byte_is_not_stale(void **state)
{
	struct client *c = *state;

	c->peer->on_request = says_half_then_closes_at_second;
	client_expect(c, EXCHANGE_DONE);
	client_expect(c, EXCHANGE_CLOSED);
	assert_int_equal(c->peer->accepted, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, client_setup, client_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_connection_is_used_again),
	    TEST(a_connection_out_of_step_is_not_used_again),
	    TEST(a_fresh_one_has_a_connection_of_its_own),
	    TEST(only_so_many_idle_connections_are_kept),
	    TEST(what_came_before_a_request_is_no_answer_to_it),
	    TEST(an_idle_connection_that_speaks_or_closes_is_dropped),
	    TEST(a_kept_connection_that_had_closed_is_stale_or_not_used),
	    TEST(a_kept_connection_that_closes_when_it_has_the_request_is_not_stale),
	    TEST(a_kept_connection_that_is_reset_when_it_has_the_request_is_not_stale),
	    TEST(a_reused_connection_that_closes_after_a_byte_is_not_stale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
