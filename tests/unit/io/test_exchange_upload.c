#include "../check.h"

#include "base/mem.h"
#include "client.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

enum { LARGE_BYTES = 8 << 20 };

static void
says_ok(struct peer_conn *p, void *arg)
{
	peer_say(p, OK);
}

static struct upstream_conf
conf_of(struct client *c, struct buf *url, const char *path)
{
	buf_addf(url, "http://127.0.0.1:%d%s", c->peer->port, path);
	return (struct upstream_conf){.url = buf_text(url), .connect_ms = 5000, .idle_max = 4};
}

/* What reached the peer, with "PORT" for the port. */
static void
assert_request(struct client *c, const char *want)
{
	struct buf text = {0};
	const char *port = strstr(want, "PORT");

	assert_non_null(port);
	buf_addf(&text, "%.*s%d%s", (int)(port - want), want, c->peer->port, port + 4);
	assert_string_equal(buf_text(&c->peer->conns[c->peer->accepted - 1].in), buf_text(&text));
	buf_finish(&text);
}

static void
a_request_is_written_as_it_must_be(void **state)
{
	struct client *c = *state;

	c->peer->on_request = says_ok;
	client_expect(c, EXCHANGE_DONE);
	assert_request(c, "GET /api/tags HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n");
	c->request.method = HTTP_POST;
	client_expect(c, EXCHANGE_DONE);
	assert_request(c,
	               "POST /api/tags HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Length: 0\r\n\r\n");
	c->request.headers = str_of("X-A: b\r\nX-C: d\r\n");
	c->request.body = str_of("hello");
	client_expect(c, EXCHANGE_DONE);
	assert_request(c, "POST /api/tags HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nX-A: b\r\nX-C: d\r\n"
	                  "Content-Length: 5\r\n\r\nhello");
	c->request.method = HTTP_DELETE;
	client_expect(c, EXCHANGE_DONE);
	assert_request(c, "DELETE /api/tags HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nX-A: b\r\nX-C: d\r\n"
	                  "Content-Length: 5\r\n\r\nhello");
}

static void
a_key_and_a_prefix_are_added(void **state)
{
	struct client *c = *state;
	struct buf url = {0};
	struct upstream_conf conf = conf_of(c, &url, "/ollama/");

	conf.api_key = "secret";
	client_use(c, &conf);
	buf_finish(&url);
	c->peer->on_request = says_ok;
	client_expect(c, EXCHANGE_DONE);
	assert_request(c, "GET /ollama/api/tags HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n"
	                  "Authorization: Bearer secret\r\n\r\n");
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
assert_received(struct client *c, const char *body, size_t len)
{
	const struct buf *in = &c->peer->conns[c->peer->accepted - 1].in;

	assert_true(in->len > len);
	assert_memory_equal(in->data + in->len - len, body, len);
}

static void
a_large_body_leaves_whole(void **state)
{
	struct client *c = *state;
	char *body = large_body();

	c->peer->on_request = says_ok;
	c->request.method = HTTP_POST;
	c->request.body = (struct str){body, LARGE_BYTES};
	client_start(c);
	assert_false(exchange_was_sent(c->exchange));
	client_run(c);
	assert_int_equal(c->end, EXCHANGE_DONE);
	assert_received(c, body, LARGE_BYTES);
	assert_int_equal(upstream_idle(c->upstream), 1);
	free(body);
}

static void
note_sent(struct client *c)
{
	assert_true(exchange_was_sent(c->exchange));
}

static void
a_streamed_body_is_chunked_or_counted(void **state)
{
	struct client *c = *state;

	c->peer->on_request = says_ok;
	c->in_head = note_sent;
	c->request.method = HTTP_POST;
	c->request.streamed = true;
	for (int known = 0; known < 2; known++) {
		c->request.streamed_length = known ? 5 : -1;
		client_start(c);
		assert_true(exchange_send(c->exchange, str_of("hel")));
		assert_true(exchange_send(c->exchange, str_of("")));
		assert_true(exchange_send(c->exchange, str_of("lo")));
		assert_false(exchange_was_sent(c->exchange));
		exchange_send_end(c->exchange);
		client_run(c);
		assert_int_equal(c->end, EXCHANGE_DONE);
		assert_request(c, known ? "POST /api/tags HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n"
		                          "Content-Length: 5\r\n\r\nhello"
		                        : "POST /api/tags HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n"
		                          "Transfer-Encoding: chunked\r\n\r\n"
		                          "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n");
	}
	assert_int_equal(c->peer->accepted, 1);
}

static void
an_empty_streamed_body_is_sent(void **state)
{
	struct client *c = *state;

	c->peer->on_request = says_ok;
	c->request.method = HTTP_POST;
	c->request.streamed = true;
	client_start(c);
	exchange_send_end(c->exchange);
	client_run(c);
	assert_int_equal(c->end, EXCHANGE_DONE);
	assert_request(c,
	               "POST /api/tags HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Length: 0\r\n\r\n");
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
start_large_upload(struct client *c)
{
	source.bytes = large_body();
	source.at = 0;
	c->request.method = HTTP_POST;
	c->request.streamed = true;
	c->request.streamed_length = LARGE_BYTES;
	c->in_drained = send_more;
	client_start(c);
	send_more(c);
	assert_true(source.at < 1 << 20);
}

static void
an_upload_stops_when_the_node_is_slow(void **state)
{
	struct client *c = *state;

	c->peer->on_request = says_ok;
	start_large_upload(c);
	client_run(c);
	assert_int_equal(c->end, EXCHANGE_DONE);
	assert_true(c->drained > 0);
	assert_received(c, source.bytes, LARGE_BYTES);
	assert_int_equal(upstream_idle(c->upstream), 1);
	free(source.bytes);
}

static void
refuses_at_once(struct peer_conn *p, void *arg)
{
	p->peer->on_data = NULL;
	bufferevent_disable(p->bev, EV_READ);
	peer_say(p, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno");
}

static void
an_early_answer_stops_the_upload(void **state)
{
	struct client *c = *state;

	c->peer->on_data = refuses_at_once;
	start_large_upload(c);
	client_run(c);
	assert_int_equal(c->end, EXCHANGE_DONE);
	assert_int_equal(c->status, 413);
	assert_string_equal(buf_text(&c->body), "no");
	assert_int_equal(upstream_idle(c->upstream), 0);
	free(source.bytes);
}

static void
refuses_and_closes(struct peer_conn *p, void *arg)
{
	refuses_at_once(p, arg);
	peer_close(p);
}

static void
keep_sending(struct client *c)
{
	assert_true(exchange_send(c->exchange, str_of("more")));
}

static void
what_is_sent_after_an_early_answer_is_dropped(void **state)
{
	struct client *c = *state;

	c->request.method = HTTP_POST;
	c->request.streamed = true;
	c->request.streamed_length = -1;
	c->in_head = keep_sending;
	c->in_body = keep_sending;
	c->peer->on_data = refuses_and_closes;
	client_start(c);
	exchange_send(c->exchange, str_of("some"));
	client_run(c);
	assert_int_equal(c->end, EXCHANGE_DONE);
	assert_int_equal(c->status, 413);
	assert_string_equal(buf_text(&c->body), "no");
}

static void
stops_reading(struct peer_conn *p, void *arg)
{
	bufferevent_disable(p->bev, EV_READ);
}

static void
a_node_that_stops_taking_the_body_is_told(void **state)
{
	struct client *c = *state;

	c->request.idle_ms = 50;
	c->peer->on_data = stops_reading;
	start_large_upload(c);
	client_run(c);
	assert_int_equal(c->end, EXCHANGE_SEND_TIMEOUT);
	assert_int_equal(c->status, 0);
	free(source.bytes);
}

static void
stop_client(void *arg)
{
	struct client *c = arg;

	loop_stop(c->loop);
}

/* No limit runs while the exchange waits for its own holder. */
static void
a_slow_source_is_not_the_nodes_fault(void **state)
{
	struct client *c = *state;
	struct timer t;

	timer_init(&t, c->loop, stop_client, c);
	timer_start(&t, 100);
	c->request.idle_ms = 20;
	c->request.first_byte_ms = 5000;
	c->request.method = HTTP_POST;
	c->request.streamed = true;
	c->request.streamed_length = 5;
	c->peer->on_request = says_ok;
	client_start(c);
	client_run(c);
	assert_int_equal(c->ends, 0);
	exchange_send(c->exchange, str_of("hello"));
	exchange_send_end(c->exchange);
	client_run(c);
	assert_int_equal(c->end, EXCHANGE_DONE);
	timer_finish(&t);
}

static void
closes(struct peer_conn *p, void *arg)
{
	peer_reset(p);
}

static void
a_node_that_breaks_off_an_upload_is_told(void **state)
{
	struct client *c = *state;

	c->peer->on_data = closes;
	start_large_upload(c);
	client_run(c);
	assert_int_equal(c->end, EXCHANGE_CLOSED);
	free(source.bytes);
}

static void
resets_then_client_sends(struct peer_conn *p, void *arg)
{
	struct client *c = arg;

	p->peer->on_data = NULL;
	peer_reset(p);
	exchange_send(c->exchange, str_of("a"));
	exchange_send(c->exchange, str_of("b"));
	exchange_send_end(c->exchange);
	assert_false(exchange_was_sent(c->exchange));
	assert_int_equal(c->ends, 0);
}

static void
a_piece_for_a_broken_connection_ends_in_the_next_turn(void **state)
{
	struct client *c = *state;

	c->request.method = HTTP_POST;
	c->request.streamed = true;
	c->request.streamed_length = 2;
	c->peer->on_data = resets_then_client_sends;
	client_expect(c, EXCHANGE_CLOSED);
}

static void
stop_loop(struct peer_conn *p, void *arg)
{
	struct client *c = arg;

	loop_stop(c->loop);
}

static void
an_upload_can_be_cancelled(void **state)
{
	struct client *c = *state;

	c->peer->on_data = stop_loop;
	c->peer->on_left = stop_loop;
	start_large_upload(c);
	client_run(c);
	client_cancel(c);
	free(source.bytes);
	c->peer->on_data = NULL;
	client_run(c);
	assert_true(c->peer->conns[0].client_left);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, client_setup, client_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_request_is_written_as_it_must_be),
	    TEST(a_key_and_a_prefix_are_added),
	    TEST(a_large_body_leaves_whole),
	    TEST(a_streamed_body_is_chunked_or_counted),
	    TEST(an_empty_streamed_body_is_sent),
	    TEST(an_upload_stops_when_the_node_is_slow),
	    TEST(an_early_answer_stops_the_upload),
	    TEST(what_is_sent_after_an_early_answer_is_dropped),
	    TEST(a_node_that_stops_taking_the_body_is_told),
	    TEST(a_slow_source_is_not_the_nodes_fault),
	    TEST(a_node_that_breaks_off_an_upload_is_told),
	    TEST(a_piece_for_a_broken_connection_ends_in_the_next_turn),
	    TEST(an_upload_can_be_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
