#include "../check.h"

#include "client.h"
#include "io/fetch.h"

#include <stdlib.h>
#include <string.h>

static struct {
	int calls;
	enum exchange_end end;
	int status;
	struct buf type;
	struct buf body;
	struct loop *loop;
} got;

static const char *answer;

static void
says_answer_and_closes(struct peer_conn *p, void *arg)
{
	peer_say(p, answer);
	peer_close(p);
}

static void
on_fetched(struct fetch *f, enum exchange_end end, int status, struct str type, struct str body,
           void *arg)
{
	got.calls++;
	got.end = end;
	got.status = status;
	buf_add(&got.type, type.ptr, type.len);
	buf_add(&got.body, body.ptr, body.len);
	loop_stop(got.loop);
}

static void
fetch(struct client *c, size_t max_bytes)
{
	buf_clear(&got.type);
	buf_clear(&got.body);
	got.calls = 0;
	got.loop = c->loop;
	assert_non_null(fetch_start(c->upstream, &c->request, max_bytes, on_fetched, NULL));
	client_run(c);
	assert_int_equal(got.calls, 1);
}

static void
an_answer_is_collected(void **state)
{
	struct client *c = *state;

	answer = "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n"
	         "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n1\r\n\n\r\n0\r\n\r\n";
	c->peer->on_request = says_answer_and_closes;
	fetch(c, 3);
	assert_int_equal(got.end, EXCHANGE_DONE);
	assert_int_equal(got.status, 404);
	assert_string_equal(buf_text(&got.type), "application/json");
	assert_string_equal(buf_text(&got.body), "{}\n");
}

static void
an_answer_over_the_bound_is_bad(void **state)
{
	struct client *c = *state;

	answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
	c->peer->on_request = says_answer_and_closes;
	fetch(c, 4);
	assert_int_equal(got.end, EXCHANGE_BAD_ANSWER);
	assert_int_equal(got.status, 0);
	assert_int_equal(got.type.len + got.body.len, 0);
}

static void
a_cut_answer_is_not_handed_over(void **state)
{
	struct client *c = *state;

	answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell";
	c->peer->on_request = says_answer_and_closes;
	fetch(c, 100);
	assert_int_equal(got.end, EXCHANGE_CUT);
	assert_int_equal(got.status, 0);
	assert_int_equal(got.body.len, 0);
}

static void
an_answer_without_a_type_is_fine(void **state)
{
	struct client *c = *state;

	answer = "HTTP/1.1 204 No Content\r\n\r\n";
	c->peer->on_request = says_answer_and_closes;
	fetch(c, 0);
	assert_int_equal(got.end, EXCHANGE_DONE);
	assert_int_equal(got.status, 204);
	assert_string_equal(buf_text(&got.type), "");
}

static void
the_body_of_the_request_is_copied(void **state)
{
	struct client *c = *state;
	char body[] = "hello";
	struct fetch *f;

	answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	c->peer->on_request = says_answer_and_closes;
	c->request.method = HTTP_POST;
	c->request.body = str_of(body);
	got.loop = c->loop;
	f = fetch_start(c->upstream, &c->request, 10, on_fetched, NULL);
	assert_non_null(f);
	memset(body, 'x', sizeof(body) - 1);
	client_run(c);
	assert_non_null(strstr(buf_text(&c->peer->conns[0].in), "\r\n\r\nhello"));
}

static void
stop_loop(struct peer_conn *p, void *arg)
{
	struct client *c = arg;

	loop_stop(c->loop);
}

static void
a_cancelled_fetch_calls_nobody(void **state)
{
	struct client *c = *state;
	struct fetch *f;

	got.calls = 0;
	c->peer->on_request = stop_loop;
	c->peer->on_left = stop_loop;
	f = fetch_start(c->upstream, &c->request, 10, on_fetched, NULL);
	client_run(c);
	fetch_cancel(&f);
	assert_null(f);
	fetch_cancel(&f);
	client_run(c);
	assert_true(c->peer->conns[0].client_left);
	assert_int_equal(got.calls, 0);
}

/* The second request on a connection is never answered, as when the node closed it just then. */
static void
serves_once_a_connection(struct peer_conn *p, void *arg)
{
	if (p->peer->requests == 2)
		peer_close(p);
	else
		peer_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static void
a_connection_that_was_closed_meanwhile_is_replaced(void **state)
{
	struct client *c = *state;

	c->peer->on_request = serves_once_a_connection;
	fetch(c, 10);
	fetch(c, 10);
	assert_int_equal(got.end, EXCHANGE_DONE);
	assert_string_equal(buf_text(&got.body), "ok");
	assert_int_equal(c->peer->accepted, 2);
	assert_int_equal(c->peer->requests, 3);
}

static int
forget(void **state)
{
	buf_finish(&got.type);
	buf_finish(&got.body);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, client_setup, client_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_answer_is_collected),
	    TEST(an_answer_over_the_bound_is_bad),
	    TEST(a_cut_answer_is_not_handed_over),
	    TEST(an_answer_without_a_type_is_fine),
	    TEST(the_body_of_the_request_is_copied),
	    TEST(a_cancelled_fetch_calls_nobody),
	    TEST(a_connection_that_was_closed_meanwhile_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, forget);
}
