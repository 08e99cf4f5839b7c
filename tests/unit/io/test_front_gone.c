/* Clients that go or read slowly, and answers that are cut. */
#include "front_bed.h"

#include "base/clock.h"

#include <string.h>
#include <sys/socket.h>

static bool
has_unread(const struct client *c)
{
	char byte;

	return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

static void
check_gone(const char *request, void (*leave)(struct client *c))
{
	struct client c;
	struct bed b;
	int64_t left_ms;

	bed_open_with(&b, (struct front_limits){0});
	bed_hold(&b, &c, request);
	left_ms = clock_now_ms();
	leave(&c);
	RUN_UNTIL(&b, bed_saw(&b, "gone:"));
	assert_true(bed_saw(&b, "gone:closed "));
	assert_true(b.gone_at_ms - left_ms < 100);
	assert_int_equal(front_connections(b.front), 0);
	if (leave == client_half_close)
		client_close(&c);
	bed_close(&b);
}

static void
a_client_that_goes_is_seen_at_once(void **state)
{
	check_gone(HOLD, client_close);
	check_gone(HOLD, client_reset);
	check_gone(HOLD, client_half_close);
	check_gone("POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", client_close);
	check_gone("POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", client_reset);
}

static void
a_client_that_goes_is_seen_behind_unread_bytes(void **state)
{
	check_gone("POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhalf", client_close);
	check_gone("POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhalf", client_reset);
	check_gone(HOLD HOLD HOLD, client_close);
	check_gone(HOLD HOLD HOLD, client_reset);
}

static void
check_gone_behind_much(void (*leave)(struct client *c))
{
	static char much[48 * 1024];
	struct client c;
	struct bed b;

	bed_open_with(&b, (struct front_limits){0});
	bed_hold(&b, &c, HOLD);
	memset(much, 'G', sizeof(much));
	client_send_bytes(&c, much, sizeof(much));
	bed_settle(&b);
	leave(&c);
	RUN_UNTIL(&b, bed_saw(&b, "gone:closed "));
	assert_int_equal(front_connections(b.front), 0);
	if (leave == client_half_close)
		client_close(&c);
	bed_close(&b);
}

static void
a_client_that_goes_is_seen_behind_more_than_is_read(void **state)
{
	check_gone_behind_much(client_close);
	check_gone_behind_much(client_reset);
	check_gone_behind_much(client_half_close);
}

static void
a_client_that_goes_in_mid_body_is_seen(void **state)
{
	struct client c;
	struct bed b;

	bed_open_with(&b, (struct front_limits){0});
	client_open(&c, &b);
	client_send(&c, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhalf");
	RUN_UNTIL(&b, bed_saw(&b, "POST/x "));
	client_close(&c);
	RUN_UNTIL(&b, bed_saw(&b, "gone:closed "));
	assert_false(bed_saw(&b, "end:"));
	bed_close(&b);
}

static void
a_client_that_goes_in_mid_stream_is_seen(void **state)
{
	struct front_head head = {.status = 200, .length = -1};
	struct client c;
	struct bed b;

	bed_open_with(&b, (struct front_limits){0});
	bed_hold(&b, &c, HOLD);
	front_reply_head(b.held, &head);
	front_reply_flush(b.held);
	RUN_UNTIL(&b, client_answers(&c) == 1);
	client_reset(&c);
	front_reply_body(b.held, str_of("to nobody"));
	front_reply_flush(b.held);
	RUN_UNTIL(&b, bed_saw(&b, "gone:closed "));
	bed_close(&b);
}

/* So many bytes behind a request that they are not all read. */
static void
hold_much(struct bed *b, struct client *c)
{
	struct buf bytes = {0};

	for (int i = 0; i < 5000; i++)
		buf_adds(&bytes, "0123456789");
	client_open(c, b);
	client_send(c, "POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n");
	client_send_bytes(c, bytes.data, bytes.len);
	RUN_UNTIL(b, b->held != NULL);
	bed_settle(b);
	buf_finish(&bytes);
}

static void
a_client_that_goes_behind_many_bytes_is_seen_when_it_is_written_to(void **state)
{
	struct front_head head = {.status = 200, .length = -1};
	struct client c;
	struct bed b;

	bed_open_with(&b, (struct front_limits){0});
	client_open(&c, &b);
	client_send(&c, HOLD HOLD);
	RUN_UNTIL(&b, b.held != NULL);
	for (int i = 0; i < 5000; i++)
		client_send(&c, "0123456789");
	bed_settle(&b);
	client_reset(&c);
	front_reply_head(b.held, &head);
	front_reply_flush(b.held);
	RUN_UNTIL(&b, bed_saw(&b, "gone:closed "));
	bed_close(&b);
}

static void
an_answer_begun_before_the_body_was_read_still_sees_the_client_go(void **state)
{
	struct front_head head = {.status = 200, .length = -1};
	struct client c;
	struct bed b;

	bed_open_with(&b, (struct front_limits){0});
	hold_much(&b, &c);
	front_reply_head(b.held, &head);
	front_reply_flush(b.held);
	RUN_UNTIL(&b, client_answers(&c) == 1);
	client_close(&c);
	RUN_UNTIL(&b, bed_saw(&b, "gone:closed "));
	bed_close(&b);
}

/* As long as the answer was given before the end of the client's side was seen. */
static void
what_is_answered_in_full_reaches_a_client_that_half_closed(void **state)
{
	enum { TOTAL = 8 * 1024 * 1024 };
	static const char bytes[TOTAL] = {0};
	struct front_head head = {.status = 200, .length = TOTAL};
	struct client c;
	struct bed b;

	bed_open_with(&b, (struct front_limits){0});
	bed_hold(&b, &c, HOLD);
	client_read(&c, false);
	front_reply_head(b.held, &head);
	front_reply_body(b.held, (struct str){bytes, TOTAL});
	bed_release(&b, front_reply_end);
	client_half_close(&c);
	bed_settle(&b);
	client_read(&c, true);
	RUN_UNTIL(&b, client_ended(&c));
	assert_true(c.in.len > TOTAL);
	assert_false(c.reset);
	assert_false(bed_saw(&b, "gone:"));
	client_close(&c);
	bed_close(&b);
}

static void
a_slow_reader_stops_the_source_and_gets_everything(void **state)
{
	enum { TOTAL = 4 * 1024 * 1024 };
	struct client c;
	struct bed b;

	bed_open_with(&b, (struct front_limits){0});
	b.flood_bytes = TOTAL;
	client_open_narrow(&c, &b);
	client_read(&c, false);
	client_send(&c, "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
	RUN_UNTIL(&b, b.held != NULL);
	assert_true(front_reply_is_full(b.held));
	assert_true(front_req_bytes_out(b.held) < TOTAL);
	bed_settle(&b);
	assert_false(bed_saw(&b, "drained"));
	client_read(&c, true);
	RUN_UNTIL(&b, client_has(&c, "\r\n0\r\n\r\n"));
	assert_true(bed_saw(&b, "drained drained "));
	assert_true(c.in.len > TOTAL);
	client_close(&c);
	bed_close(&b);
}

static void
a_client_that_reads_nothing_is_cut_after_a_while(void **state)
{
	struct client c;
	struct bed b;
	int64_t began_ms;

	bed_open_with(&b, (struct front_limits){.write_ms = 80});
	b.flood_bytes = 64 * 1024 * 1024;
	client_open_narrow(&c, &b);
	client_read(&c, false);
	began_ms = clock_now_ms();
	client_send(&c, "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
	RUN_UNTIL(&b, bed_saw(&b, "gone:"));
	assert_true(bed_saw(&b, "gone:stalled "));
	assert_true(b.gone_at_ms - began_ms >= 70);
	assert_int_equal(front_connections(b.front), 0);
	client_close(&c);
	bed_close(&b);
}

/* Checks that `text`, and no end of the body, comes before the connection ends. */
static void
check_cut(const char *request, int64_t length, const char *text, bool by_reset)
{
	struct front_head head = {.status = 200, .length = length};
	struct client c;
	struct bed b;

	bed_open_with(&b, (struct front_limits){0});
	bed_hold(&b, &c, request);
	front_reply_head(b.held, &head);
	front_reply_body(b.held, str_of("hello"));
	bed_release(&b, front_reply_cut);
	RUN_UNTIL(&b, client_ended(&c));
	assert_true(c.in.len > strlen(text));
	assert_memory_equal(c.in.data + c.in.len - strlen(text), text, strlen(text));
	assert_int_equal(c.reset, by_reset);
	client_close(&c);
	bed_close(&b);
}

static void
a_cut_delivers_what_was_given_and_shows(void **state)
{
	check_cut(HOLD, -1, "\r\n\r\n5\r\nhello\r\n", false);
	check_cut(HOLD, 10, "\r\n\r\nhello", false);
	check_cut("GET /hold HTTP/1.0\r\n\r\n", -1, "\r\n\r\nhello", true);
}

/* What the client's system has not taken must not be lost to the RST. */
static void
a_cut_until_close_waits_for_the_client(void **state)
{
	enum { TOTAL = 2 * 1024 * 1024 };
	static const char bytes[TOTAL] = {0};
	struct front_head head = {.status = 200, .length = -1};
	struct client c;
	struct bed b;

	bed_open_with(&b, (struct front_limits){0});
	client_open_narrow(&c, &b);
	client_read(&c, false);
	client_send(&c, "GET /hold HTTP/1.0\r\n\r\n");
	RUN_UNTIL(&b, b.held != NULL);
	front_reply_head(b.held, &head);
	front_reply_body(b.held, (struct str){bytes, TOTAL});
	bed_release(&b, front_reply_cut);
	bed_settle(&b);
	client_read(&c, true);
	RUN_UNTIL(&b, client_ended(&c));
	assert_true(c.in.len > TOTAL);
	assert_true(c.reset);
	client_close(&c);
	bed_close(&b);
}

static void
a_cut_before_the_answer_just_closes(void **state)
{
	struct client c;
	struct bed b;

	bed_open_with(&b, (struct front_limits){0});
	bed_hold(&b, &c, HOLD);
	bed_release(&b, front_reply_cut);
	RUN_UNTIL(&b, client_ended(&c));
	assert_int_equal(c.in.len, 0);
	client_close(&c);
	bed_close(&b);
}

static void
begin_soon(struct bed *b, struct client *c)
{
	struct front_head head = {.status = 200, .length = -1};

	bed_hold(b, c, HOLD);
	front_reply_head(b->held, &head);
	front_reply_body(b->held, str_of("piece"));
	front_reply_flush_soon(b->held);
	front_reply_flush_soon(b->held);
}

static void
small_pieces_leave_at_the_end_of_the_turn(void **state)
{
	static char much[8000];
	struct client c, d;
	struct bed b;

	bed_open_with(&b, (struct front_limits){0});
	begin_soon(&b, &c);
	assert_false(has_unread(&c));
	RUN_UNTIL(&b, client_has(&c, "piece"));
	memset(much, 'm', sizeof(much));
	front_reply_body(b.held, (struct str){much, sizeof(much)});
	front_reply_flush_soon(b.held);
	assert_true(has_unread(&c));
	begin_soon(&b, &d);
	client_close(&c);
	client_close(&d);
	bed_close(&b);
}

static void
what_was_to_leave_soon_is_forgotten_with_its_request(void **state)
{
	struct client c;
	struct bed b;

	bed_open_with(&b, (struct front_limits){0});
	begin_soon(&b, &c);
	bed_release(&b, front_reply_cut);
	RUN_UNTIL(&b, client_ended(&c));
	assert_true(client_has(&c, "piece"));
	client_close(&c);
	begin_soon(&b, &c);
	client_reset(&c);
	RUN_UNTIL(&b, bed_saw(&b, "gone:closed "));
	bed_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_client_that_goes_is_seen_at_once),
	    cmocka_unit_test(a_client_that_goes_is_seen_behind_unread_bytes),
	    cmocka_unit_test(a_client_that_goes_is_seen_behind_more_than_is_read),
	    cmocka_unit_test(a_client_that_goes_in_mid_body_is_seen),
	    cmocka_unit_test(a_client_that_goes_in_mid_stream_is_seen),
	    cmocka_unit_test(a_client_that_goes_behind_many_bytes_is_seen_when_it_is_written_to),
	    cmocka_unit_test(an_answer_begun_before_the_body_was_read_still_sees_the_client_go),
	    cmocka_unit_test(what_is_answered_in_full_reaches_a_client_that_half_closed),
	    cmocka_unit_test(a_slow_reader_stops_the_source_and_gets_everything),
	    cmocka_unit_test(a_client_that_reads_nothing_is_cut_after_a_while),
	    cmocka_unit_test(a_cut_delivers_what_was_given_and_shows),
	    cmocka_unit_test(a_cut_until_close_waits_for_the_client),
	    cmocka_unit_test(a_cut_before_the_answer_just_closes),
	    cmocka_unit_test(small_pieces_leave_at_the_end_of_the_turn),
	    cmocka_unit_test(what_was_to_leave_soon_is_forgotten_with_its_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
