#include "../check.h"

#include "client.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH_5 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
#define HELLO    LENGTH_5 "hello"
#define CHUNKED  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

/* What the peer answers to every request. */
static const char *answer;

static void
says_answer(struct peer_conn *p, void *arg)
{
	peer_say(p, answer);
}

static void
says_answer_and_closes(struct peer_conn *p, void *arg)
{
	peer_say(p, answer);
	peer_close(p);
}

static void
says_nothing(struct peer_conn *p, void *arg)
{
}

static void
stop_loop(struct peer_conn *p, void *arg)
{
	struct client *c = arg;

	loop_stop(c->loop);
}

static void
an_answer_of_known_length_comes_whole(void **state)
{
	struct client *c = *state;

	answer = "HTTP/1.1 201 Made\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhello";
	c->peer->on_request = says_answer;
	client_expect(c, EXCHANGE_DONE);
	assert_int_equal(c->status, 201);
	assert_string_equal(buf_text(&c->body), "hello");
	assert_string_equal(buf_text(&c->headers), "Content-Length: 5\nX-A: b\n");
	assert_false(c->chunked);
	assert_int_equal(c->flushes, 0);
	assert_int_equal(upstream_idle(c->upstream), 1);
}

static void
a_chunked_answer_comes_whole(void **state)
{
	struct client *c = *state;

	answer = CHUNKED "3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: v\r\n\r\n";
	c->peer->on_request = says_answer;
	client_expect(c, EXCHANGE_DONE);
	assert_true(c->chunked);
	assert_string_equal(buf_text(&c->body), "abcde");
	assert_int_equal(upstream_idle(c->upstream), 1);
}

static void
an_answer_until_close_comes_whole(void **state)
{
	struct client *c = *state;

	answer = "HTTP/1.0 200 OK\r\n\r\nhello";
	c->peer->on_request = says_answer_and_closes;
	client_expect(c, EXCHANGE_DONE);
	assert_string_equal(buf_text(&c->body), "hello");
	assert_int_equal(upstream_idle(c->upstream), 0);
}

static void
interim_answers_are_skipped(void **state)
{
	struct client *c = *state;

	answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" HELLO;
	c->peer->on_request = says_answer;
	client_expect(c, EXCHANGE_DONE);
	assert_int_equal(c->status, 200);
	assert_string_equal(buf_text(&c->body), "hello");
}

static void
an_answer_to_head_has_no_body(void **state)
{
	struct client *c = *state;

	answer = LENGTH_5;
	c->peer->on_request = says_answer;
	c->request.method = HTTP_HEAD;
	client_expect(c, EXCHANGE_DONE);
	assert_string_equal(buf_text(&c->headers), "Content-Length: 5\n");
	assert_int_equal(c->body.len, 0);
	assert_int_equal(upstream_idle(c->upstream), 1);
}

/* Each token is made only after the one before it has been handed over. */
static void
make_next_token(struct client *c)
{
	static const char *const rest[] = {"2\r\nb\n\r\n", "2\r\nc\n\r\n", "0\r\n\r\n"};

	assert_int_equal(c->body.len, 2 * c->flushes);
	peer_say(&c->peer->conns[0], rest[c->flushes - 1]);
}

static void
tokens_are_handed_over_as_they_come(void **state)
{
	struct client *c = *state;

	answer = CHUNKED "2\r\na\n\r\n";
	c->peer->on_request = says_answer;
	c->in_flush = make_next_token;
	client_expect(c, EXCHANGE_DONE);
	assert_int_equal(c->flushes, 3);
	assert_string_equal(buf_text(&c->body), "a\nb\nc\n");
}

static int pieces;

static void
count_piece(struct client *c)
{
	pieces++;
}

static void
the_chunks_of_one_read_are_one_piece(void **state)
{
	struct client *c = *state;

	answer = CHUNKED "3\r\nabc\r\n1;x\r\nd\r\n02\r\nef\r\n0\r\n\r\n";
	c->peer->on_request = says_answer;
	c->in_body = count_piece;
	pieces = 0;
	client_expect(c, EXCHANGE_DONE);
	assert_int_equal(pieces, 1);
	assert_string_equal(buf_text(&c->body), "abcdef");
}

static void
resets(struct peer_conn *p, void *arg)
{
	peer_reset(p);
}

static void
a_node_that_closes_before_its_answer_is_told(void **state)
{
	struct client *c = *state;

	answer = "";
	c->peer->on_request = says_answer_and_closes;
	client_expect(c, EXCHANGE_CLOSED);
	answer = "HTTP/1.1 100 Continue\r\n\r\n";
	client_expect(c, EXCHANGE_CLOSED);
	c->peer->on_request = resets;
	client_expect(c, EXCHANGE_CLOSED);
	assert_int_equal(c->status, 0);
}

static void
a_cut_answer_is_told(void **state)
{
	struct client *c = *state;

	c->peer->on_request = says_answer_and_closes;
	answer = LENGTH_5 "hell";
	client_expect(c, EXCHANGE_CUT);
	assert_string_equal(buf_text(&c->body), "hell");
	answer = CHUNKED "5\r\nhello\r\n";
	client_expect(c, EXCHANGE_CUT);
	assert_string_equal(buf_text(&c->body), "hello");
}

static void
reset_peer(struct client *c)
{
	peer_reset(&c->peer->conns[c->peer->accepted - 1]);
}

static void
a_reset_never_ends_a_body_well(void **state)
{
	struct client *c = *state;

	c->peer->on_request = says_answer;
	c->in_flush = reset_peer;
	answer = "HTTP/1.1 200 OK\r\n\r\nhello";
	client_expect(c, EXCHANGE_CUT);
}

static void
an_answer_that_is_no_http_is_refused(void **state)
{
	struct client *c = *state;

	c->peer->on_request = says_answer;
	answer = "SSH-2.0-OpenSSH_9.2\r\n";
	client_expect(c, EXCHANGE_BAD_ANSWER);
	assert_int_equal(c->status, 0);
	answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n";
	client_expect(c, EXCHANGE_BAD_ANSWER);
	assert_int_equal(c->status, 0);
	answer = CHUNKED "5\r\nhello\r\nfive\r\n";
	client_expect(c, EXCHANGE_BAD_ANSWER);
	assert_int_equal(c->status, 200);
	assert_string_equal(buf_text(&c->body), "hello");
	assert_int_equal(upstream_idle(c->upstream), 0);
}

/* The client's asserts see that no callback follows; the peer must see the connection close. */
static void
check_cancel(struct client *c)
{
	answer = CHUNKED "1\r\na\r\n1\r\nb\r\n";
	c->peer->on_request = says_answer;
	c->peer->on_left = stop_loop;
	client_start(c);
	client_run(c);
	assert_null(c->exchange);
	assert_int_equal(c->ends, 0);
	assert_true(c->peer->conns[0].client_left);
}

static void
cancel_inside_on_head_is_safe(void **state)
{
	struct client *c = *state;

	c->in_head = client_cancel;
	check_cancel(c);
	assert_int_equal(c->body.len, 0);
}

static void
cancel_inside_on_body_is_safe(void **state)
{
	struct client *c = *state;

	c->in_body = client_cancel;
	check_cancel(c);
	assert_string_equal(buf_text(&c->body), "ab");
	assert_int_equal(c->flushes, 0);
}

static void
cancel_inside_on_flush_is_safe(void **state)
{
	struct client *c = *state;

	c->in_flush = client_cancel;
	check_cancel(c);
	assert_int_equal(c->body.len, 2);
}

static void
cancel_from_peer(struct peer_conn *p, void *arg)
{
	client_cancel(arg);
}

static void
cancel_while_waiting_closes_the_connection(void **state)
{
	struct client *c = *state;

	c->peer->on_request = cancel_from_peer;
	c->peer->on_left = stop_loop;
	client_start(c);
	client_run(c);
	assert_true(c->peer->conns[0].client_left);
}

static void
cancel_right_after_the_start_is_safe(void **state)
{
	struct client *c = *state;
	struct exchange *none = NULL;

	client_start(c);
	client_cancel(c);
	exchange_cancel(&none);
	client_wait_ms(c, 0);
	assert_int_equal(c->ends, 0);
}

static void
start_another(struct client *c)
{
	c->in_end = NULL;
	client_start(c);
}

static void
an_end_may_start_the_next(void **state)
{
	struct client *c = *state;

	answer = HELLO;
	c->peer->on_request = says_answer;
	c->in_end = start_another;
	client_expect(c, EXCHANGE_DONE);
	assert_int_equal(c->peer->requests, 2);
	assert_int_equal(c->peer->accepted, 1);
}

static void
says_a_megabyte(struct peer_conn *p, void *arg)
{
	struct buf text = {0};

	for (int i = 0; i < 1 << 17; i++)
		buf_adds(&text, "01234567");
	peer_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n");
	peer_say_bytes(p, text.data, text.len);
	buf_finish(&text);
}

static void
pause_reading(struct client *c)
{
	exchange_pause(c->exchange, true);
	c->in_flush = NULL;
	loop_stop(c->loop);
}

static void
a_paused_answer_waits_and_its_limit_rests(void **state)
{
	struct client *c = *state;
	size_t before;

	c->request.idle_ms = 40;
	c->peer->on_request = says_a_megabyte;
	c->in_flush = pause_reading;
	client_start(c);
	client_run(c);
	before = c->body.len;
	client_wait_ms(c, 120);
	assert_int_equal(c->body.len, before);
	assert_int_equal(c->ends, 0);
	exchange_pause(c->exchange, false);
	client_run(c);
	assert_int_equal(c->end, EXCHANGE_DONE);
	assert_int_equal(c->body.len, 1 << 20);
	assert_int_equal(upstream_idle(c->upstream), 1);
}

static void
no_head_in_time_is_told(void **state)
{
	struct client *c = *state;

	c->request.first_byte_ms = 30;
	c->peer->on_request = says_nothing;
	client_expect(c, EXCHANGE_FIRST_BYTE_TIMEOUT);
	answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 20";
	c->peer->on_request = says_answer;
	client_expect(c, EXCHANGE_FIRST_BYTE_TIMEOUT);
	assert_int_equal(c->status, 0);
}

static void
a_stalled_answer_is_told(void **state)
{
	struct client *c = *state;

	c->request.first_byte_ms = 0;
	c->request.idle_ms = 30;
	answer = LENGTH_5 "hell";
	c->peer->on_request = says_answer;
	client_expect(c, EXCHANGE_IDLE_TIMEOUT);
	assert_string_equal(buf_text(&c->body), "hell");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, client_setup, client_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_answer_of_known_length_comes_whole),
	    TEST(a_chunked_answer_comes_whole),
	    TEST(an_answer_until_close_comes_whole),
	    TEST(interim_answers_are_skipped),
	    TEST(an_answer_to_head_has_no_body),
	    TEST(tokens_are_handed_over_as_they_come),
	    TEST(the_chunks_of_one_read_are_one_piece),
	    TEST(a_node_that_closes_before_its_answer_is_told),
	    TEST(a_cut_answer_is_told),
	    TEST(a_reset_never_ends_a_body_well),
	    TEST(an_answer_that_is_no_http_is_refused),
	    TEST(cancel_inside_on_head_is_safe),
	    TEST(cancel_inside_on_body_is_safe),
	    TEST(cancel_inside_on_flush_is_safe),
	    TEST(cancel_while_waiting_closes_the_connection),
	    TEST(cancel_right_after_the_start_is_safe),
	    TEST(an_end_may_start_the_next),
	    TEST(a_paused_answer_waits_and_its_limit_rests),
	    TEST(no_head_in_time_is_told),
	    TEST(a_stalled_answer_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
