/* What a program and its successor say to each other: what is written can be read. */
#include "../check.h"

#include "app/handover.h"

#include <string.h>

static void
check_socket(enum sockets_use use, bool chosen, const char *address)
{
	struct sockets_item item = {use, chosen, address}, read = {0};
	struct buf message = {0};

	handover_add_socket(&item, &message);
	assert_true(handover_read_socket((struct str){message.data, message.len}, &read));
	assert_int_equal(read.use, use);
	assert_int_equal(read.chosen, chosen);
	assert_string_equal(read.address, address);
	buf_finish(&message);
}

static void
sockets_say_what_they_are_for(void **state)
{
	check_socket(SOCKETS_FRONT, false, "127.0.0.1:0");
	check_socket(SOCKETS_FRONT, true, "unix:/run/a b/drover.sock");
	check_socket(SOCKETS_ADMIN, false, "[::1]:8081");
}

static void
what_is_no_socket_is_refused(void **state)
{
	static const char *const others[] = {
	    "",       "sockets-end",       "socket",
	    "socket", "socket front",      "socket side configured 127.0.0.1:1",
	    "ready",  "socket front both", "socket front both 127.0.0.1:1",
	};
	struct sockets_item item;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (handover_read_socket(str_of(others[i]), &item))
			fail_msg("\"%s\" was taken for a socket", others[i]);
}

static void
a_drained_node_is_named(void **state)
{
	struct buf message = {0};
	struct str name;

	handover_add_drained("big one", &message);
	assert_true(handover_read_drained((struct str){message.data, message.len}, &name));
	assert_true(str_eq(name, "big one"));
	assert_false(handover_read_drained(str_of("drained"), &name));
	assert_false(handover_read_drained(str_of("state"), &name));
	buf_finish(&message);
}

static void
keep(const struct tally_row *row, void *arg)
{
	struct buf *out = arg;
	const struct tally_count *n = &row->count;

	buf_addf(out, "%lld|%s|%s|%lld %lld %lld %lld %lld %lld|%lld %lld %lld %lld",
	         (long long)row->hour, row->key, row->model, (long long)n->requests,
	         (long long)n->prompt_tokens, (long long)n->output_tokens, (long long)n->slot_ms,
	         (long long)n->waited_ms, (long long)n->cached, (long long)n->refused[TALLY_LIMIT],
	         (long long)n->refused[TALLY_FORBIDDEN], (long long)n->refused[TALLY_BUSY],
	         (long long)n->refused[TALLY_INVALID]);
}

static void
use_comes_with_all_its_numbers(void **state)
{
	struct tally_row row = {
	    .hour = 498000,
	    .key = "the team",
	    .model = "tiny:latest",
	    .count = {1, 2, 3, 4, 5, 6, {7, 8, 9, 10}},
	};
	struct buf message = {0}, read = {0};

	handover_add_usage(&row, &message);
	assert_true(handover_read_usage((struct str){message.data, message.len}, keep, &read));
	assert_string_equal(buf_text(&read), "498000|the team|tiny:latest|1 2 3 4 5 6|7 8 9 10");
	buf_finish(&message);
	buf_finish(&read);
}

/* Two versions of the program need not count the same. */
static void
numbers_may_be_missing_or_too_many(void **state)
{
	struct buf read = {0};

	assert_true(handover_read_usage(str_of("usage 5 1 2\nk\nm"), keep, &read));
	assert_string_equal(buf_text(&read), "5|k|m|1 2 0 0 0 0|0 0 0 0");
	buf_clear(&read);
	assert_true(
	    handover_read_usage(str_of("usage 5 1 2 3 4 5 6 7 8 9 10 11 12\nk\nm"), keep, &read));
	assert_string_equal(buf_text(&read), "5|k|m|1 2 3 4 5 6|7 8 9 10");
	buf_finish(&read);
}

static void
what_is_no_use_is_refused(void **state)
{
	static const char *const others[] = {
	    "", "usage", "usage 5", "usage 5 1\nk", "usage x 1\nk\nm", "ready"};
	struct buf read = {0};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (handover_read_usage(str_of(others[i]), keep, &read))
			fail_msg("\"%s\" was taken for use", others[i]);
	assert_int_equal(read.len, 0);
	buf_finish(&read);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sockets_say_what_they_are_for),
	    cmocka_unit_test(what_is_no_socket_is_refused),
	    cmocka_unit_test(a_drained_node_is_named),
	    cmocka_unit_test(use_comes_with_all_its_numbers),
	    cmocka_unit_test(numbers_may_be_missing_or_too_many),
	    cmocka_unit_test(what_is_no_use_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
