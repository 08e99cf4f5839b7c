/* Limits: of time, of connections, of descriptors; and how it ends. */
#include "front_bed.h"

#include "base/clock.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

static void
a_head_has_to_come_in_time_however_steadily(void **state)
{
	struct client c;
	struct bed b;

	bed_open_with(&b, (struct front_limits){.head_ms = 60});
	client_open(&c, &b);
	client_send(&c, "GET /x HTTP/1.1\r\n");
	client_drip(&c, "X: y\r\n");
	RUN_UNTIL(&b, client_ended(&c));
	assert_int_equal(client_status(&c, 0), 408);
	assert_false(c.reset);
	assert_true(bed_saw(&b, "refuse:408 "));
	client_close(&c);
	bed_close(&b);
}

static void
an_idle_connection_is_closed_without_a_word(void **state)
{
	struct client fresh, used;
	struct bed b;

	bed_open_with(&b, (struct front_limits){.idle_ms = 40});
	client_open(&used, &b);
	client_send(&used, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
	RUN_UNTIL(&b, client_answers(&used) == 1);
	client_open(&fresh, &b);
	RUN_UNTIL(&b, client_ended(&used) && client_ended(&fresh));
	assert_int_equal(fresh.in.len, 0);
	assert_int_equal(client_answers(&used), 1);
	client_close(&used);
	client_close(&fresh);
	bed_close(&b);
}

static void
empty_lines_and_parts_of_them_keep_no_connection_open(void **state)
{
	struct client part, drips;
	struct bed b;

	bed_open_with(&b, (struct front_limits){.idle_ms = 40});
	client_open(&part, &b);
	client_send(&part, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n\r\n\r");
	client_open(&drips, &b);
	client_drip(&drips, "\r\n");
	RUN_UNTIL(&b, client_ended(&part) && client_ended(&drips));
	assert_int_equal(client_answers(&part), 1);
	assert_int_equal(drips.in.len, 0);
	client_close(&part);
	client_close(&drips);
	bed_close(&b);
}

/* The other connection shows that the time is over. */
static void
check_wait(const char *head, const char *body)
{
	struct client c, other;
	struct bed b;

	bed_open_with(&b, (struct front_limits){.head_ms = 40, .body_ms = 40, .idle_ms = 40});
	client_open(&c, &b);
	client_send(&c, head);
	bed_settle(&b);
	client_send(&c, body);
	RUN_UNTIL(&b, b.held != NULL);
	client_open(&other, &b);
	RUN_UNTIL(&b, client_ended(&other));
	bed_answer(&b, 200);
	RUN_UNTIL(&b, client_answers(&c) == 1);
	assert_int_equal(client_status(&c, 0), 200);
	assert_false(bed_saw(&b, "bad:"));
	client_close(&c);
	client_close(&other);
	bed_close(&b);
}

static void
a_request_that_waits_for_its_answer_is_bound_by_no_limit(void **state)
{
	check_wait(HOLD, "");
	check_wait("GET /hold HTTP/1.1\r\nHost: ", "a\r\n\r\n");
	check_wait("POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", "x");
}

static void
a_body_that_stops_coming_gets_a_408(void **state)
{
	struct client c;
	struct bed b;

	bed_open_with(&b, (struct front_limits){.body_ms = 40});
	client_open(&c, &b);
	client_send(&c, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhalf");
	RUN_UNTIL(&b, client_ended(&c));
	assert_int_equal(client_status(&c, 0), 408);
	assert_string_equal(buf_text(&b.trace), "POST/x bad:408 ");
	client_close(&c);
	bed_close(&b);
}

static void
a_body_that_comes_in_drips_gets_a_408(void **state)
{
	struct client c;
	struct bed b;

	bed_open_with(&b, (struct front_limits){.body_ms = 60});
	client_open(&c, &b);
	client_send(&c, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n");
	client_drip(&c, "x");
	RUN_UNTIL(&b, bed_saw(&b, "bad:"));
	assert_true(bed_saw(&b, "bad:408 "));
	client_close(&c);
	bed_close(&b);
}

static void
a_body_that_comes_steadily_takes_as_long_as_it_takes(void **state)
{
	struct client c;
	struct bed b;
	int64_t began_ms = clock_now_ms();

	bed_open_with(&b, (struct front_limits){.body_ms = 400}); /* drips may be late for once */
	client_open(&c, &b);
	client_send(&c, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 6000\r\n\r\n");
	client_drip(&c, "0123456789012345678901234567890123456789");
	RUN_UNTIL(&b, client_answers(&c) == 1);
	assert_int_equal(client_status(&c, 0), 200);
	assert_true(clock_now_ms() - began_ms > 500);
	client_close(&c);
	bed_close(&b);
}

static void
a_pause_by_the_handler_does_not_count_against_the_client(void **state)
{
	struct client c, other;
	struct bed b;

	bed_open_with(&b, (struct front_limits){.body_ms = 40, .idle_ms = 160});
	client_open(&c, &b);
	client_send(&c, "POST /pause HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nhalf");
	RUN_UNTIL(&b, b.held != NULL);
	client_open(&other, &b);
	RUN_UNTIL(&b, client_ended(&other));
	client_send(&c, "rest");
	front_pause_body(b.held, false);
	RUN_UNTIL(&b, bed_saw(&b, "paused paused "));
	front_pause_body(b.held, false);
	RUN_UNTIL(&b, client_has(&c, "halfrest"));
	client_close(&c);
	client_close(&other);
	bed_close(&b);
}

static void
connections_over_the_limit_wait_until_one_closes(void **state)
{
	struct client c[3];
	struct bed b;

	bed_open_with(&b, (struct front_limits){.connections = 2});
	for (int i = 0; i < 3; i++) {
		client_open(&c[i], &b);
		client_send(&c[i], "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
	}
	RUN_UNTIL(&b, client_answers(&c[0]) == 1 && client_answers(&c[1]) == 1);
	bed_settle(&b);
	assert_int_equal(front_connections(b.front), 2);
	assert_int_equal(client_answers(&c[2]), 0);
	client_close(&c[0]);
	RUN_UNTIL(&b, client_answers(&c[2]) == 1);
	assert_int_equal(front_connections(b.front), 2);
	client_close(&c[1]);
	client_close(&c[2]);
	bed_close(&b);
}

static void
a_burst_of_connections_leaves_others_their_turn(void **state)
{
	enum { MANY = 150 };
	struct client c[MANY];
	struct bed b;

	bed_open_with(&b, (struct front_limits){0});
	for (int i = 0; i < MANY; i++)
		client_open(&c[i], &b);
	event_base_loop(loop_base(b.loop), EVLOOP_ONCE);
	assert_in_range(front_connections(b.front), 1, MANY / 2);
	RUN_UNTIL(&b, front_connections(b.front) == MANY);
	for (int i = 0; i < MANY; i++)
		client_close(&c[i]);
	bed_close(&b);
}

/* The number of turns shows that nothing spins meanwhile. */
static void
without_descriptors_accepting_rests_and_goes_on(void **state)
{
	struct rlimit old, none;
	struct client c;
	struct bed b;
	int64_t began_ms;
	int turns = 0;

	/* valgrind keeps the limit itself: it closes what was accepted beyond it. */
	if (getenv("DROVER_MEMCHECK") != NULL)
		return;
	bed_open_with(&b, (struct front_limits){0});
	client_open(&c, &b);
	client_send(&c, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
	began_ms = clock_now_ms();
	RUN_UNTIL(&b, clock_now_ms() - began_ms > 250)
	turns++;
	assert_int_equal(client_answers(&c), 0);
	assert_true(turns < 20);
	setrlimit(RLIMIT_NOFILE, &old);
	RUN_UNTIL(&b, client_answers(&c) == 1);
	client_close(&c);
	bed_close(&b);
}

static void
a_stop_closes_idle_connections_and_lets_answers_finish(void **state)
{
	struct client busy, idle, late;
	struct bed b;

	bed_open_with(&b, (struct front_limits){0});
	client_open(&idle, &b);
	client_open(&late, &b);
	bed_hold(&b, &busy, HOLD);
	client_send(&late, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
	front_stop_accepting(b.front);
	RUN_UNTIL(&b, client_ended(&idle) && client_ended(&late));
	assert_int_equal(idle.in.len, 0);
	assert_true(client_has(&late, "Connection: close\r\n\r\nGET /x 1\n"));
	assert_int_equal(front_connections(b.front), 1);
	front_read_body(b.held, 0);
	RUN_UNTIL(&b, client_ended(&busy));
	assert_true(client_has(&busy, "Connection: close\r\n\r\nGET /hold 1\n"));
	assert_int_equal(front_connections(b.front), 0);
	client_close(&busy);
	client_close(&idle);
	client_close(&late);
	bed_close(&b);
}

static void
a_stop_closes_behind_an_answer_that_promised_to_stay(void **state)
{
	struct front_head head = {.status = 200, .length = 0};
	struct client c;
	struct bed b;

	bed_open_with(&b, (struct front_limits){0});
	bed_hold(&b, &c, HOLD);
	front_reply_head(b.held, &head);
	front_reply_flush(b.held);
	RUN_UNTIL(&b, client_answers(&c) == 1);
	front_stop_accepting(b.front);
	bed_release(&b, front_reply_end);
	RUN_UNTIL(&b, client_ended(&c));
	assert_false(client_has(&c, "Connection:"));
	client_close(&c);
	bed_close(&b);
}

static void
who_retires_answers_once_more_on_each_connection(void **state)
{
	struct front_head head = {.status = 200, .length = 0};
	struct client busy, idle;
	struct bed b;

	bed_open_with(&b, (struct front_limits){0});
	client_open(&idle, &b);
	bed_hold(&b, &busy, HOLD);
	front_reply_head(b.held, &head);
	front_reply_flush(b.held);
	RUN_UNTIL(&b, client_answers(&busy) == 1);
	front_retire(b.front);
	bed_release(&b, front_reply_end);
	client_send(&busy, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
	RUN_UNTIL(&b, client_ended(&busy));
	assert_int_equal(client_answers(&busy), 2);
	assert_true(client_has(&busy, "Connection: close\r\n\r\nGET /x 1\n"));
	assert_false(client_ended(&idle));
	client_send(&idle, "GET /y HTTP/1.1\r\nHost: a\r\n\r\n");
	RUN_UNTIL(&b, client_ended(&idle));
	assert_true(client_has(&idle, "Connection: close\r\n\r\nGET /y 1\n"));
	client_close(&busy);
	client_close(&idle);
	RUN_UNTIL(&b, front_connections(b.front) == 0);
	bed_close(&b);
}

/* A client that sends on does not lose the answer to a reset. */
static void
who_retires_reads_away_what_is_pipelined_behind_its_last_answer(void **state)
{
	struct client c;
	struct bed b;

	bed_open_with(&b, (struct front_limits){0});
	client_open(&c, &b);
	bed_settle(&b);
	front_retire(b.front);
	client_send(&c, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
	RUN_UNTIL(&b, client_ended(&c));
	client_send(&c, "GET /y HTTP/1.1\r\nHost: a\r\n\r\n");
	bed_settle(&b);
	assert_int_equal(client_answers(&c), 1);
	assert_false(c.reset);
	client_close(&c);
	RUN_UNTIL(&b, front_connections(b.front) == 0);
	bed_close(&b);
}

static void
the_end_of_the_front_end_is_the_end_of_its_requests(void **state)
{
	struct client c;
	struct bed b;

	bed_open_with(&b, (struct front_limits){0});
	bed_hold(&b, &c, HOLD);
	front_destroy(&b.front);
	assert_null(b.front);
	assert_true(bed_saw(&b, "gone:shut "));
	RUN_UNTIL(&b, client_ended(&c));
	client_close(&c);
	bed_close(&b);
}

/* The front end's end of a connection. */
static int
find_accepted(const struct client *c)
{
	struct sockaddr_in mine = {0}, peer = {0};
	socklen_t len = sizeof(mine);

	assert_int_equal(getsockname(c->fd, (struct sockaddr *)&mine, &len), 0);
	for (int fd = 3; fd < 100; fd++) {
		len = sizeof(peer);
		if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 && peer.sin_port == mine.sin_port)
			return fd;
	}
	fail_msg("no descriptor is the other end");
	return -1;
}

static void
accepted_descriptors_are_closed_by_exec(void **state)
{
	struct client c;
	struct bed b;

	bed_open_with(&b, (struct front_limits){0});
	bed_hold(&b, &c, HOLD);
	assert_true((fcntl(find_accepted(&c), F_GETFD) & FD_CLOEXEC) != 0);
	client_close(&c);
	bed_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_head_has_to_come_in_time_however_steadily),
	    cmocka_unit_test(an_idle_connection_is_closed_without_a_word),
	    cmocka_unit_test(empty_lines_and_parts_of_them_keep_no_connection_open),
	    cmocka_unit_test(a_request_that_waits_for_its_answer_is_bound_by_no_limit),
	    cmocka_unit_test(a_body_that_stops_coming_gets_a_408),
	    cmocka_unit_test(a_body_that_comes_in_drips_gets_a_408),
	    cmocka_unit_test(a_body_that_comes_steadily_takes_as_long_as_it_takes),
	    cmocka_unit_test(a_pause_by_the_handler_does_not_count_against_the_client),
	    cmocka_unit_test(connections_over_the_limit_wait_until_one_closes),
	    cmocka_unit_test(a_burst_of_connections_leaves_others_their_turn),
	    cmocka_unit_test(without_descriptors_accepting_rests_and_goes_on),
	    cmocka_unit_test(a_stop_closes_idle_connections_and_lets_answers_finish),
	    cmocka_unit_test(a_stop_closes_behind_an_answer_that_promised_to_stay),
	    cmocka_unit_test(who_retires_answers_once_more_on_each_connection),
	    cmocka_unit_test(who_retires_reads_away_what_is_pipelined_behind_its_last_answer),
	    cmocka_unit_test(the_end_of_the_front_end_is_the_end_of_its_requests),
	    cmocka_unit_test(accepted_descriptors_are_closed_by_exec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
