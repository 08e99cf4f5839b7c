/* Who used what. */
#include "../check.h"
#include "base/buf.h"
#include "core/tally.h"

static const struct tally_count one = {
    .requests = 1, .prompt_tokens = 10, .output_tokens = 5, .slot_ms = 100, .waited_ms = 7};

static void
write_row(const struct tally_row *row, void *arg)
{
	buf_addf(arg, "%d %s/%s %d %d %d; ", (int)row->hour, row->key, row->model,
	         (int)row->count.requests, (int)row->count.prompt_tokens,
	         (int)row->count.refused[TALLY_LIMIT]);
}

static void
check_sum(const struct tally *t, int hour, unsigned by, const char *expected)
{
	struct buf text = {0};

	tally_sum(t, hour * TALLY_HOUR_MS, by, write_row, &text);
	assert_string_equal(buf_text(&text), expected);
	buf_finish(&text);
}

static void
add(struct tally *t, int hour, const char *key, const char *model)
{
	tally_add(t, hour * TALLY_HOUR_MS + 1234, key, model, &one);
}

static struct tally *
open_some(void)
{
	struct tally *t = tally_create(100);

	add(t, 10, "bob", "m1");
	add(t, 10, "alice", "m2");
	add(t, 10, "alice", "m1");
	add(t, 11, "alice", "m1");
	add(t, 11, "alice", "m1");
	return t;
}

static void
sums_keep_apart_what_is_asked_for(void **state)
{
	struct tally *t = open_some();

	check_sum(t, 0, 0, "10 / 5 50 0; ");
	check_sum(t, 0, TALLY_BY_KEY, "10 alice/ 4 40 0; 10 bob/ 1 10 0; ");
	check_sum(t, 0, TALLY_BY_MODEL, "10 /m1 4 40 0; 10 /m2 1 10 0; ");
	check_sum(t, 0, TALLY_BY_HOUR, "10 / 3 30 0; 11 / 2 20 0; ");
	check_sum(t, 0, TALLY_BY_KEY | TALLY_BY_MODEL | TALLY_BY_HOUR,
	          "10 alice/m1 1 10 0; 10 alice/m2 1 10 0; 10 bob/m1 1 10 0; 11 alice/m1 2 20 0; ");
	tally_destroy(&t);
}

static void
sums_begin_with_an_hour(void **state)
{
	struct tally *t = open_some();

	check_sum(t, 11, TALLY_BY_KEY, "11 alice/ 2 20 0; ");
	check_sum(t, 12, TALLY_BY_KEY, "");
	tally_destroy(&t);
}

static void
refusals_are_counted_by_reason(void **state)
{
	struct tally *t = tally_create(10);
	struct tally_count refused = {.requests = 1, .refused = {[TALLY_LIMIT] = 1}};

	tally_add(t, 0, "k", "m", &refused);
	tally_add(t, 0, "k", "m", &one);
	check_sum(t, 0, 0, "0 / 2 10 1; ");
	tally_destroy(&t);
}

static void
old_hours_are_dropped(void **state)
{
	struct tally *t = tally_create(2);

	add(t, 1, "k", "m");
	add(t, 2, "k", "m");
	add(t, 3, "k", "m");
	check_sum(t, 0, TALLY_BY_HOUR, "2 / 1 10 0; 3 / 1 10 0; ");
	add(t, 30, "k", "m");
	check_sum(t, 0, TALLY_BY_HOUR, "30 / 1 10 0; ");
	tally_destroy(&t);
}

static void
a_clock_that_is_set_back_loses_nothing(void **state)
{
	struct tally *t = tally_create(10);

	add(t, 5, "k", "m");
	add(t, 1, "k", "m");
	check_sum(t, 0, TALLY_BY_HOUR, "5 / 2 20 0; ");
	tally_destroy(&t);
}

static void
rows_that_changed_are_told_once_and_whole(void **state)
{
	struct tally *t = tally_create(10);
	struct tally_row old = {.hour = 3, .key = "k", .model = "m", .count = one};
	struct buf text = {0};

	tally_restore(t, &old);
	assert_false(tally_has_changed(t));
	add(t, 3, "k", "m");
	add(t, 3, "k", "m");
	add(t, 4, "k", "n");
	assert_true(tally_has_changed(t));
	tally_take_changed(t, write_row, &text);
	assert_string_equal(buf_text(&text), "3 k/m 3 30 0; 4 k/n 1 10 0; ");
	assert_false(tally_has_changed(t));
	buf_clear(&text);
	tally_take_changed(t, write_row, &text);
	assert_string_equal(buf_text(&text), "");
	add(t, 4, "k", "n");
	add(t, 40, "k", "n"); /* what is dropped need not be told */
	tally_take_changed(t, write_row, &text);
	assert_string_equal(buf_text(&text), "40 k/n 1 10 0; ");
	buf_finish(&text);
	tally_destroy(&t);
}

static void
fewer_hours_to_keep_drop_what_is_older(void **state)
{
	struct tally *t = open_some();

	tally_set_keep(t, 2);
	check_sum(t, 0, TALLY_BY_HOUR, "10 / 3 30 0; 11 / 2 20 0; ");
	tally_set_keep(t, 1);
	check_sum(t, 0, TALLY_BY_HOUR, "11 / 2 20 0; ");
	add(t, 12, "bob", "m1");
	check_sum(t, 0, TALLY_BY_HOUR, "12 / 1 10 0; ");
	tally_destroy(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sums_keep_apart_what_is_asked_for),
	    cmocka_unit_test(sums_begin_with_an_hour),
	    cmocka_unit_test(refusals_are_counted_by_reason),
	    cmocka_unit_test(old_hours_are_dropped),
	    cmocka_unit_test(fewer_hours_to_keep_drop_what_is_older),
	    cmocka_unit_test(rows_that_changed_are_told_once_and_whole),
	    cmocka_unit_test(a_clock_that_is_set_back_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
