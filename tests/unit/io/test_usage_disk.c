/* The accounts of use on disk. */
#include "../check.h"
#include "io/usage_disk.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], path[96];
static struct buf report;

static int
make_folder(void **state)
{
	strcpy(folder, "/tmp/usage-disk-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/usage.db", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	char command[128];

	buf_finish(&report);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

/* Every number of a row is a function of `n`. */
static struct tally_row
row_of(int64_t hour, const char *key, const char *model, int64_t n)
{
	struct tally_row row = {.hour = hour, .key = key, .model = model};

	row.count =
	    (struct tally_count){n, n + 1, n + 2, n + 3, n + 4, n + 5, {n + 6, n + 7, n + 8, n + 9}};
	return row;
}

static void
write_row(const struct tally_row *row, void *arg)
{
	struct tally_row want = row_of(row->hour, row->key, row->model, row->count.requests);

	assert_memory_equal(&row->count, &want.count, sizeof(want.count));
	buf_addf(arg, "%d %s/%s %d; ", (int)row->hour, row->key, row->model, (int)row->count.requests);
}

/* As of hour 50. */
static struct usage_disk *
open_disk(int64_t keep_hours, struct buf *rows)
{
	buf_clear(&report);
	return usage_disk_open(path, 50, keep_hours, write_row, rows, &report);
}

static void
check_rows(int64_t keep_hours, const char *expected)
{
	struct buf rows = {0};
	struct usage_disk *d = open_disk(keep_hours, &rows);

	assert_non_null(d);
	assert_string_equal(buf_text(&report), "");
	assert_string_equal(buf_text(&rows), expected);
	usage_disk_close(&d);
	buf_finish(&rows);
}

static void
put(struct usage_disk *d, int64_t hour, const char *key, const char *model, int64_t n)
{
	struct tally_row row = row_of(hour, key, model, n);

	usage_disk_put(d, &row);
}

static void
what_was_put_is_there_again(void **state)
{
	struct buf rows = {0};
	struct usage_disk *d = open_disk(100, &rows);

	assert_non_null(d);
	assert_string_equal(buf_text(&rows), "");
	put(d, 12, "alice", "m:1", 4);
	put(d, 11, "bob's", "m\"; DROP TABLE usage; --", 7);
	put(d, 12, "alice", "m:1", 9);
	usage_disk_wait(d);
	assert_false(usage_disk_is_failing(d));
	usage_disk_close(&d);
	check_rows(100, "11 bob's/m\"; DROP TABLE usage; -- 7; 12 alice/m:1 9; ");
	buf_finish(&rows);
}

static void
what_is_too_old_is_dropped(void **state)
{
	struct buf rows = {0};
	struct usage_disk *d = open_disk(100, &rows);

	put(d, 1, "k", "m", 1);
	put(d, 2, "k", "m", 2);
	usage_disk_close(&d);
	check_rows(49, "2 k/m 2; ");
	check_rows(100, "2 k/m 2; ");
	d = open_disk(49, &rows);
	put(d, 50, "k", "m", 3);
	put(d, 51, "k", "m", 4);
	usage_disk_close(&d);
	check_rows(100, "50 k/m 3; 51 k/m 4; ");
	buf_finish(&rows);
}

static void
a_killed_program_loses_nothing_that_was_written(void **state)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		struct buf rows = {0};
		struct usage_disk *d = open_disk(100, &rows);

		for (int n = 0; n < 50; n++)
			put(d, n, "k", "m", n);
		usage_disk_wait(d);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	check_rows(2, "49 k/m 49; ");
}

static void
one_file_has_one_user(void **state)
{
	struct buf rows = {0};
	struct usage_disk *d = open_disk(100, &rows);

	assert_non_null(d);
	assert_null(open_disk(100, &rows));
	assert_non_null(strstr(buf_text(&report), "locked"));
	usage_disk_close(&d);
	buf_finish(&rows);
}

static void
what_is_no_such_file_is_said_and_left_alone(void **state)
{
	static const char words[] = "this is not a database, but somebody's own words, many of them";
	struct buf rows = {0};
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	for (int i = 0; i < 100; i++)
		fputs(words, f);
	fclose(f);
	assert_null(open_disk(100, &rows));
	assert_string_not_equal(buf_text(&report), "");
	f = fopen(path, "r");
	assert_int_equal(fgetc(f), 't');
	fclose(f);
	buf_finish(&rows);
}

/* The limit on the size of files stands for a full disk. */
static void
what_a_full_disk_refused_is_written_later(void **state)
{
	struct buf rows = {0};
	struct usage_disk *d = open_disk(100, &rows);
	struct rlimit before, none = {0, RLIM_INFINITY};

	put(d, 1, "k", "m", 1);
	usage_disk_wait(d);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	put(d, 2, "k", "m", 2);
	put(d, 2, "k", "m", 3);
	usage_disk_wait(d);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(usage_disk_is_failing(d));
	assert_int_equal(usage_disk_news(d), DISK_FAILS);
	assert_int_equal(usage_disk_news(d), DISK_NO_NEWS);
	put(d, 3, "k", "m", 4);
	usage_disk_wait(d);
	assert_false(usage_disk_is_failing(d));
	assert_int_equal(usage_disk_news(d), DISK_WORKS_AGAIN);
	usage_disk_close(&d);
	check_rows(100, "1 k/m 1; 2 k/m 3; 3 k/m 4; ");
	buf_finish(&rows);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_was_put_is_there_again),
	    TEST(what_is_too_old_is_dropped),
	    TEST(a_killed_program_loses_nothing_that_was_written),
	    TEST(one_file_has_one_user),
	    TEST(what_is_no_such_file_is_said_and_left_alone),
	    TEST(what_a_full_disk_refused_is_written_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
