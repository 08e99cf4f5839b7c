/* Bodies and answers, as clients of both versions want them. */
#include "front_bed.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define CLOSE "Host: a\r\nConnection: close\r\n\r\n"

static int
start(void **state)
{
	struct bed *b = NEW(struct bed);

	bed_open(b, &bed_limits);
	*state = b;
	return 0;
}

static int
end(void **state)
{
	bed_close(*state);
	free(*state);
	return 0;
}

/* Sends `request`, which makes the front end close, and returns all that came. */
static char *
ask(struct bed *b, const char *request)
{
	struct buf plain = {0};
	struct client c;

	client_open(&c, b);
	client_send(&c, request);
	RUN_UNTIL(b, client_ended(&c));
	assert_false(c.reset);
	client_plain(&c, &plain);
	client_close(&c);
	return buf_take(&plain);
}

static void
check_answer(struct bed *b, const char *request, const char *want)
{
	char *got = ask(b, request);

	assert_string_equal(got, want);
	free(got);
}

static void
an_answer_has_status_date_headers_length_and_close(void **state)
{
	struct client c;

	client_open(&c, *state);
	client_send(&c, "GET /x HTTP/1.1\r\n" CLOSE);
	RUN_UNTIL(c.bed, client_ended(&c));
	assert_true(client_has(&c, "HTTP/1.1 200 OK\r\nDate: "));
	assert_true(client_has(&c, " GMT\r\nX-T: y\r\nContent-Length: 9\r\nConnection: close\r\n\r\n"
	                           "GET /x 2\n"));
	client_close(&c);
}

static void
a_connection_is_kept_as_version_and_header_say(void **state)
{
	struct client c;

	client_open(&c, *state);
	for (int i = 1; i <= 3; i++) {
		client_send(&c, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
		RUN_UNTIL(c.bed, client_answers(&c) == i);
	}
	assert_false(client_has(&c, "Connection:"));
	client_send(&c, "GET /x HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
	RUN_UNTIL(c.bed, client_has(&c, "Connection: keep-alive\r\n\r\nGET /x 1\n"));
	client_send(&c, "GET /x HTTP/1.0\r\n\r\n");
	RUN_UNTIL(c.bed, client_ended(&c));
	assert_int_equal(client_answers(&c), 5);
	assert_true(client_has(&c, "Connection: close\r\n\r\nGET /x 0\n"));
	client_close(&c);
}

static void
an_answer_of_unknown_length_is_chunked_or_lasts_until_close(void **state)
{
	check_answer(*state, "GET /stream HTTP/1.1\r\n" CLOSE,
	             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
	             "6\r\npiece\n\r\n6\r\npiece\n\r\n6\r\npiece\n\r\n0\r\n\r\n");
	check_answer(*state, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	             "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\npiece\npiece\npiece\n");
}

static void
head_204_and_304_have_no_body(void **state)
{
	check_answer(*state, "HEAD /x HTTP/1.1\r\n" CLOSE,
	             "HTTP/1.1 200 OK\r\nX-T: y\r\nContent-Length: 10\r\nConnection: close\r\n\r\n");
	check_answer(*state, "HEAD /stream HTTP/1.1\r\n" CLOSE,
	             "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	check_answer(*state, "GET /204 HTTP/1.1\r\n" CLOSE,
	             "HTTP/1.1 204 No Content\r\nX-T: y\r\nConnection: close\r\n\r\n");
	check_answer(*state, "GET /304 HTTP/1.1\r\n" CLOSE,
	             "HTTP/1.1 304 Not Modified\r\nX-T: y\r\nContent-Length: 0\r\n"
	             "Connection: close\r\n\r\n");
}

static void
a_refused_head_gets_no_body(void **state)
{
	check_answer(*state, "HEAD /x HTTP/1.1\r\n\r\n",
	             "HTTP/1.1 400 Bad Request\r\nContent-Length: 20\r\nConnection: close\r\n"
	             "X-T: n\r\n\r\n");
}

static void
a_client_that_waits_for_100_gets_it_when_the_body_is_wanted(void **state)
{
	struct bed *b = *state;
	struct client c;

	client_open(&c, b);
	client_send(&c, "POST /hold HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
	                "Content-Length: 5\r\n\r\n");
	RUN_UNTIL(b, b->held != NULL);
	bed_settle(b);
	assert_int_equal(c.in.len, 0);
	front_read_body(b->held, 5);
	RUN_UNTIL(b, client_has(&c, "HTTP/1.1 100 Continue\r\n\r\n"));
	client_send(&c, "hello");
	RUN_UNTIL(b, client_has(&c, "POST /hold 3\nhello"));
	assert_int_equal(client_answers(&c), 2);
	client_close(&c);
}

static void
nobody_else_gets_a_100(void **state)
{
	struct bed *b = *state;
	struct client c;

	b->max_bytes = 4;
	check_answer(b, "POST /x HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n" CLOSE,
	             "HTTP/1.1 413 Content Too Large\r\nX-T: y\r\nContent-Length: 22\r\n"
	             "Connection: close\r\n\r\nrequest body too large");
	client_open(&c, b);
	client_send(&c, "POST /x HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	bed_settle(b);
	assert_int_equal(c.in.len, 0);
	client_send(&c, "abc");
	RUN_UNTIL(b, client_ended(&c));
	assert_int_equal(client_answers(&c), 1);
	client_close(&c);
}

static void
on_body_end_comes_after_the_call_that_wants_the_body(void **state)
{
	struct bed *b = *state;
	struct client c;

	client_open(&c, b);
	client_send(&c, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	RUN_UNTIL(b, b->held != NULL);
	front_read_body(b->held, 0);
	assert_false(bed_saw(b, "end:"));
	RUN_UNTIL(b, bed_saw(b, "end:0 "));
	client_close(&c);
}

/* A pattern of 1 MB, so that a piece that was lost or moved shows. */
static void
add_pattern(struct buf *out, int times)
{
	struct buf once = {0};

	for (int i = 0; i < 100000; i++)
		buf_addf(&once, "%09d\n", i);
	while (times-- > 0)
		buf_add(out, once.data, once.len);
	buf_finish(&once);
}

static void
check_upload(struct bed *b, struct client *c, const struct buf *body)
{
	RUN_UNTIL(b, client_ended(c));
	assert_true(bed_saw(b, "end:1000000 "));
	assert_memory_equal(c->in.data + c->in.len - body->len, body->data, body->len);
	assert_int_equal(client_status(c, 0), 200);
}

static void
a_large_body_comes_whole_with_a_length(void **state)
{
	struct buf body = {0};
	struct client c;

	add_pattern(&body, 1);
	client_open(&c, *state);
	client_send(&c, "POST /x HTTP/1.1\r\nContent-Length: 1000000\r\n" CLOSE);
	client_send_bytes(&c, body.data, body.len);
	check_upload(*state, &c, &body);
	client_close(&c);
	buf_finish(&body);
}

static void
a_large_body_comes_whole_in_chunks_of_odd_sizes(void **state)
{
	struct buf body = {0}, wire = {0};
	size_t at = 0, size = 1;
	struct client c;

	add_pattern(&body, 1);
	while (at < body.len) {
		size_t n = size < body.len - at ? size : body.len - at;

		buf_addf(&wire, "%zx;ext=%zu\r\n", n, at);
		buf_add(&wire, body.data + at, n);
		buf_adds(&wire, "\r\n");
		at += n;
		size = size * 7 % 20011 + 1;
	}
	buf_adds(&wire, "0\r\nX-Trailer: 1\r\n\r\n");
	client_open(&c, *state);
	client_send(&c, "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" CLOSE);
	client_send_bytes(&c, wire.data, wire.len);
	check_upload(*state, &c, &body);
	client_close(&c);
	buf_finish(&body);
	buf_finish(&wire);
}

static void
a_paused_body_stays_with_the_client(void **state)
{
	struct bed *b = *state;
	struct buf body = {0};
	struct client c;

	add_pattern(&body, 1);
	client_open(&c, b);
	client_send(&c, "POST /pause HTTP/1.1\r\nContent-Length: 1000000\r\n" CLOSE);
	client_send_bytes(&c, body.data, body.len);
	RUN_UNTIL(b, bed_saw(b, "paused "));
	bed_settle(b);
	assert_string_equal(buf_text(&b->trace), "POST/pause paused ");
	while (!bed_saw(b, "end:")) {
		buf_clear(&b->trace);
		front_pause_body(b->held, false);
		RUN_UNTIL(b, b->trace.len > 0);
	}
	check_upload(b, &c, &body);
	client_close(&c);
	buf_finish(&body);
}

static void
a_body_over_the_bound_gets_a_413_that_a_busy_client_can_read(void **state)
{
	struct bed *b = *state;
	struct buf body = {0};
	struct client c;

	b->max_bytes = 5000;
	add_pattern(&body, 10);
	client_open(&c, b);
	client_send(&c, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n");
	client_send_bytes(&c, body.data, body.len);
	RUN_UNTIL(b, client_ended(&c) && client_sent_all(&c));
	assert_false(c.reset);
	assert_int_equal(client_status(&c, 0), 413);
	assert_true(client_has(&c, "\r\nConnection: close\r\n"));
	assert_string_equal(buf_text(&b->trace), "POST/x bad:413 ");
	client_close(&c);
	buf_finish(&body);
}

static void
a_chunked_body_over_the_bound_gets_a_413_before_its_end(void **state)
{
	struct bed *b = *state;

	b->max_bytes = 8;
	check_answer(b,
	             "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	             "5\r\nhello\r\n5\r\nworld\r\n",
	             "HTTP/1.1 413 Content Too Large\r\nX-T: y\r\nContent-Length: 22\r\n"
	             "Connection: close\r\n\r\nrequest body too large");
}

static void
a_body_that_fills_the_bound_passes(void **state)
{
	struct bed *b = *state;

	b->max_bytes = 10;
	check_answer(b, "POST /x HTTP/1.1\r\nContent-Length: 10\r\n" CLOSE "helloworld",
	             "HTTP/1.1 200 OK\r\nX-T: y\r\nContent-Length: 20\r\nConnection: close\r\n\r\n"
	             "POST /x 3\nhelloworld");
}

static void
an_early_answer_is_read_by_a_client_that_still_sends(void **state)
{
	struct bed *b = *state;
	struct buf body = {0};
	struct client c;

	add_pattern(&body, 10);
	client_open(&c, b);
	client_send(&c, "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n");
	client_send_bytes(&c, body.data, body.len);
	RUN_UNTIL(b, client_ended(&c) && client_sent_all(&c));
	assert_false(c.reset);
	assert_int_equal(client_status(&c, 0), 401);
	assert_true(client_has(&c, "\r\nConnection: close\r\n"));
	client_close(&c);
	buf_finish(&body);
}

/* More than the kernel holds, so that what is not read is seen at the client. */
static void
a_body_nobody_asked_for_stays_with_the_client_until_it_is_answered(void **state)
{
	struct bed *b = *state;
	struct buf body = {0};
	struct client c;

	add_pattern(&body, 40);
	client_open(&c, b);
	client_send(&c, "POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 40000000\r\n\r\n");
	client_send_bytes(&c, body.data, body.len);
	RUN_UNTIL(b, b->held != NULL);
	bed_settle(b);
	assert_false(client_sent_all(&c));
	bed_answer(b, 503);
	RUN_UNTIL(b, client_ended(&c) && client_sent_all(&c));
	assert_false(c.reset);
	assert_int_equal(client_status(&c, 0), 503);
	client_close(&c);
	buf_finish(&body);
}

/* So that refusals do not cost a connection each. */
static void
an_early_answer_to_a_body_that_is_there_keeps_the_connection(void **state)
{
	struct bed *b = *state;

	check_answer(b,
	             "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
	             "GET /x HTTP/1.1\r\n" CLOSE,
	             "HTTP/1.1 401 Unauthorized\r\nX-T: y\r\nContent-Length: 2\r\n\r\nno"
	             "HTTP/1.1 200 OK\r\nX-T: y\r\nContent-Length: 9\r\nConnection: close\r\n\r\n"
	             "GET /x 2\n");
}

/* The second request comes while the first answer still goes out. */
static void
a_request_behind_a_long_answer_is_not_lost(void **state)
{
	struct bed *b = *state;
	struct client c;

	b->flood_bytes = 8 * 1024 * 1024;
	client_open_narrow(&c, b);
	client_read(&c, false);
	client_send(&c, "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
	RUN_UNTIL(b, b->held != NULL);
	client_read(&c, true);
	RUN_UNTIL(b, b->held == NULL);
	client_send(&c, "GET /x HTTP/1.1\r\n" CLOSE);
	RUN_UNTIL(b, client_ended(&c));
	assert_int_equal(client_answers(&c), 2);
	assert_true(client_has(&c, "\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n"));
	client_close(&c);
}

static void
an_answer_is_counted_and_leaves_in_one_piece(void **state)
{
	struct front_head head = {.status = 299, .reason = str_of("Mine"), .length = 5};
	struct bed *b = *state;
	struct client c;
	uint64_t staged_bytes;

	client_open(&c, b);
	client_send(&c, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	RUN_UNTIL(b, b->held != NULL);
	assert_int_equal(front_req_bytes_out(b->held), 0);
	front_reply_head(b->held, &head);
	front_reply_body(b->held, str_of("hel"));
	bed_settle(b);
	assert_int_equal(c.in.len, 0);
	staged_bytes = front_req_bytes_out(b->held);
	front_reply_flush(b->held);
	RUN_UNTIL(b, client_has(&c, "HTTP/1.1 299 Mine\r\n") && client_has(&c, "\r\n\r\nhel"));
	assert_int_equal(c.in.len, staged_bytes);
	assert_int_equal(front_req_bytes_out(b->held), staged_bytes);
	client_close(&c);
}

static void
a_handler_can_have_the_connection_closed(void **state)
{
	struct bed *b = *state;
	struct client c;

	client_open(&c, b);
	client_send(&c, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
	RUN_UNTIL(b, b->held != NULL);
	front_reply_close_after(b->held);
	bed_answer(b, 200);
	RUN_UNTIL(b, client_ended(&c));
	assert_true(client_has(&c, "Connection: close\r\n\r\n"));
	client_close(&c);
}

/* Also when the bytes it came in were overwritten by those of others. */
static void
a_request_knows_its_peer_and_its_head(void **state)
{
	struct bed *b = *state;
	const struct http_head *h;
	struct client c, other;

	client_open(&c, b);
	client_send(&c, "GET /hold?q=1 HTTP/1.1\r\nHost: a\r\nX-Some:  thing \r\n\r\n");
	RUN_UNTIL(b, b->held != NULL);
	client_open(&other, b);
	client_send(&other, "POST /other/path HTTP/1.1\r\nHost: other.host\r\nContent-Length: 9\r\n"
	                    "\r\nsome body");
	RUN_UNTIL(b, client_answers(&other) == 1);
	h = front_req_head(b->held);
	assert_true(str_eq(h->path, "/hold"));
	assert_true(str_eq(h->target, "/hold?q=1"));
	assert_true(str_eq(http_find_header(h, "x-some"), "thing"));
	assert_memory_equal(front_req_peer(b->held), "127.0.0.1:", 10);
	assert_true(front_req_peer_is_loopback(b->held));
	client_close(&c);
	client_close(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_answer_has_status_date_headers_length_and_close),
	    TEST(a_connection_is_kept_as_version_and_header_say),
	    TEST(an_answer_of_unknown_length_is_chunked_or_lasts_until_close),
	    TEST(head_204_and_304_have_no_body),
	    TEST(a_refused_head_gets_no_body),
	    TEST(a_client_that_waits_for_100_gets_it_when_the_body_is_wanted),
	    TEST(nobody_else_gets_a_100),
	    TEST(on_body_end_comes_after_the_call_that_wants_the_body),
	    TEST(a_large_body_comes_whole_with_a_length),
	    TEST(a_large_body_comes_whole_in_chunks_of_odd_sizes),
	    TEST(a_paused_body_stays_with_the_client),
	    TEST(a_body_over_the_bound_gets_a_413_that_a_busy_client_can_read),
	    TEST(a_chunked_body_over_the_bound_gets_a_413_before_its_end),
	    TEST(a_body_that_fills_the_bound_passes),
	    TEST(an_early_answer_is_read_by_a_client_that_still_sends),
	    TEST(a_body_nobody_asked_for_stays_with_the_client_until_it_is_answered),
	    TEST(an_early_answer_to_a_body_that_is_there_keeps_the_connection),
	    TEST(a_request_behind_a_long_answer_is_not_lost),
	    TEST(an_answer_is_counted_and_leaves_in_one_piece),
	    TEST(a_handler_can_have_the_connection_closed),
	    TEST(a_request_knows_its_peer_and_its_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
