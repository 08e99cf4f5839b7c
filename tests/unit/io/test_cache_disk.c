#include "../check.h"

#include "base/mem.h"
#include "io/cache_disk.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BODY_BYTES = 3000, ROWS_MAX = 4096 };

static const struct cache_disk_limits roomy = {.file_bytes = 64 << 20, .backlog_bytes = 32 << 20};

/* What was loaded: which of the test's rows, each checked. */
struct loaded {
	int count;
	bool has[ROWS_MAX];
};

static char folder[64], path[96];
static struct buf report;

static int
make_folder(void **state)
{
	strcpy(folder, "/tmp/cache-disk-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/cache.db", folder);
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

/* A row is a function of its number. */
static void
make_row(int n, struct cache_disk_row *row, char body[BODY_BYTES])
{
	memset(&row->key, 0, sizeof(row->key));
	memcpy(row->key.bytes, &n, sizeof(n));
	memset(body, 'a' + n % 26, BODY_BYTES);
	snprintf(body, BODY_BYTES, "body %d", n);
	row->model = str_of(n % 2 == 0 ? "even:latest" : "odd:latest");
	row->tag = (unsigned)n;
	row->made_wall_ms = 1700000000000 + n;
	row->body = (struct str){body, BODY_BYTES};
}

static void
load(const struct cache_disk_row *row, void *arg)
{
	struct loaded *l = arg;
	struct cache_disk_row want;
	char body[BODY_BYTES];
	int n;

	memcpy(&n, row->key.bytes, sizeof(n));
	assert_in_range(n, 0, ROWS_MAX - 1);
	make_row(n, &want, body);
	assert_memory_equal(&row->key, &want.key, sizeof(want.key));
	assert_int_equal(row->tag, want.tag);
	assert_int_equal(row->made_wall_ms, want.made_wall_ms);
	assert_int_equal(row->model.len, want.model.len);
	assert_memory_equal(row->model.ptr, want.model.ptr, want.model.len);
	assert_int_equal(row->body.len, BODY_BYTES);
	assert_memory_equal(row->body.ptr, body, BODY_BYTES);
	l->count += !l->has[n];
	l->has[n] = true;
}

static struct cache_disk *
open_with(const struct cache_disk_limits *limits, struct loaded *l)
{
	memset(l, 0, sizeof(*l));
	buf_clear(&report);
	return cache_disk_open(path, limits, load, l, &report);
}

static struct cache_disk *
must_open(struct loaded *l)
{
	struct cache_disk *d = open_with(&roomy, l);

	if (d == NULL)
		fail_msg("cannot open: %s", buf_text(&report));
	return d;
}

static void
put(struct cache_disk *d, int from, int to)
{
	struct cache_disk_row row;
	char body[BODY_BYTES];

	for (int n = from; n < to; n++) {
		make_row(n, &row, body);
		cache_disk_put(d, &row);
	}
}

static void
take_away(struct cache_disk *d, int n)
{
	struct cache_disk_row row;
	char body[BODY_BYTES];

	make_row(n, &row, body);
	cache_disk_remove(d, &row.key);
}

static void
write_rows(int count)
{
	struct loaded l;
	struct cache_disk *d = must_open(&l);

	put(d, 0, count);
	cache_disk_close(&d);
	assert_null(d);
}

static void
what_was_put_is_there_again(void **state)
{
	struct loaded l;
	struct cache_disk *d = must_open(&l);

	assert_int_equal(l.count, 0);
	put(d, 0, 100);
	put(d, 0, 10);
	take_away(d, 5);
	take_away(d, 500);
	cache_disk_wait(d);
	assert_int_equal(cache_disk_stats(d).written, 110);
	cache_disk_close(&d);

	d = must_open(&l);
	assert_int_equal(l.count, 99);
	assert_false(l.has[5]);
	assert_string_equal(buf_text(&report), "");
	put(d, 5, 6);
	cache_disk_close(&d);
	d = must_open(&l);
	assert_int_equal(l.count, 100);
	cache_disk_close(&d);
}

static void
a_killed_program_loses_nothing_that_was_written(void **state)
{
	struct loaded l;
	struct cache_disk *d;
	int status;
	pid_t child = fork();

	if (child == 0) {
		d = must_open(&l);
		put(d, 0, 1000);
		cache_disk_wait(d);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	d = must_open(&l);
	assert_int_equal(l.count, 1000);
	cache_disk_close(&d);
}

static void
one_file_has_one_user(void **state)
{
	struct loaded l;
	struct cache_disk *d = must_open(&l), *other;

	other = open_with(&roomy, &l);
	assert_null(other);
	assert_string_equal(buf_text(&report), "database is locked");
	cache_disk_close(&d);
}

static void
a_folder_that_is_not_there_is_said(void **state)
{
	struct loaded l;

	snprintf(path, sizeof(path), "%s/nowhere/cache.db", folder);
	assert_null(open_with(&roomy, &l));
	assert_string_equal(buf_text(&report), "unable to open database file");
}

static char *
read_file(size_t *size)
{
	FILE *f = fopen(path, "rb");
	char *bytes;
	struct stat st;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	*size = (size_t)st.st_size;
	bytes = mem_alloc(*size);
	assert_int_equal(fread(bytes, 1, *size, f), *size);
	fclose(f);
	return bytes;
}

static void
write_file(const char *bytes, size_t size)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	fclose(f);
}

/* Opens it however it is, and uses it. What is loaded is checked by `load`. */
static int
use_damaged(void)
{
	struct loaded l;
	struct cache_disk *d = must_open(&l);
	int sound = l.count;

	put(d, 200, 201);
	cache_disk_close(&d);
	d = must_open(&l);
	assert_true(l.has[200]);
	/* What was rescued is in the new file. */
	assert_int_equal(l.count, sound + 1);
	assert_string_equal(buf_text(&report), "");
	cache_disk_close(&d);
	return sound;
}

static void
a_file_cut_anywhere_opens_and_says_so(void **state)
{
	size_t size;
	char *bytes;
	int most = 0;

	write_rows(40);
	bytes = read_file(&size);
	for (size_t cut = 0; cut < size; cut += cut < 200 ? 7 : 3301) {
		struct loaded l;
		struct cache_disk *d;

		write_file(bytes, cut);
		d = must_open(&l);
		assert_true(cut == 0 || buf_text(&report)[0] != '\0');
		cache_disk_close(&d);
		write_file(bytes, cut);
		most = use_damaged() > most ? l.count : most;
	}
	assert_true(most > 10); /* what is sound is rescued */
	free(bytes);
}

static void
spoilt_bytes_are_never_served(void **state)
{
	size_t size;
	char *bytes;
	int lost = 0;

	write_rows(40);
	bytes = read_file(&size);
	for (size_t at = 0; at < size; at += at < 100 ? 3 : 2711) {
		char was = bytes[at];

		bytes[at] ^= 0x55;
		write_file(bytes, size);
		lost += use_damaged() < 40;
		bytes[at] = was;
	}
	assert_true(lost > 10);
	free(bytes);
}

static void
another_format_is_emptied(void **state)
{
	struct loaded l;
	struct cache_disk *d;
	size_t size;
	char *bytes;

	write_rows(10);
	bytes = read_file(&size);
	bytes[63] = 99; /* user_version, at offset 60, big endian */
	write_file(bytes, size);
	free(bytes);
	d = must_open(&l);
	assert_int_equal(l.count, 0);
	assert_string_equal(buf_text(&report), "its format is version 99, not 1: all of it is lost");
	cache_disk_close(&d);
	d = must_open(&l);
	assert_string_equal(buf_text(&report), "");
	cache_disk_close(&d);
}

static void
the_file_stays_under_its_limit_and_goes_on_below_it(void **state)
{
	struct cache_disk_limits limits = {.file_bytes = 200000, .backlog_bytes = 32 << 20};
	struct loaded l;
	struct cache_disk *d = open_with(&limits, &l);
	size_t size;
	int had;

	assert_non_null(d);
	for (int n = 0; n < 300; n++) {
		put(d, n, n + 1);
		cache_disk_wait(d);
	}
	assert_true(cache_disk_stats(d).failed > 0 && cache_disk_stats(d).written > 20);
	assert_false(cache_disk_stats(d).given_up);
	had = (int)cache_disk_stats(d).written;
	for (int n = 0; n < 300; n++)
		take_away(d, n);
	put(d, 0, 10);
	cache_disk_wait(d);
	assert_int_equal(cache_disk_stats(d).written, had + 10);
	cache_disk_close(&d);
	free(read_file(&size));
	assert_true(size <= 200000 + 8192);
	d = must_open(&l);
	assert_int_equal(l.count, 10);
	cache_disk_close(&d);
}

/* A limit of the system on the size of files fails as a full disk does, for removals too. */
static void
a_full_disk_costs_the_file_and_nothing_else(void **state)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		struct rlimit limit = {300000, 300000};
		struct loaded l;
		struct cache_disk *d = must_open(&l);

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		for (int n = 0; n < 2000; n++) {
			put(d, n, n + 1);
			take_away(d, n / 2);
			if (n % 20 == 0)
				cache_disk_wait(d);
		}
		cache_disk_wait(d);
		if (cache_disk_stats(d).failed == 0)
			_exit(2);
		cache_disk_close(&d);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	use_damaged();
}

static void
a_full_backlog_drops_puts(void **state)
{
	struct cache_disk_limits limits = {.file_bytes = 1 << 20, .backlog_bytes = 100};
	struct loaded l;
	struct cache_disk *d = open_with(&limits, &l);

	put(d, 0, 10);
	cache_disk_wait(d);
	assert_int_equal(cache_disk_stats(d).dropped, 10);
	cache_disk_close(&d);
}

/* Rather no file than one with what should be gone. */
static void
too_much_to_remove_costs_the_file(void **state)
{
	struct cache_disk_limits limits = {.file_bytes = 1 << 20, .backlog_bytes = 0};
	struct loaded l;
	struct cache_disk *d;

	write_rows(10);
	d = open_with(&limits, &l);
	assert_int_equal(l.count, 10);
	for (int i = 0; !cache_disk_stats(d).given_up; i++)
		take_away(d, i % 10);
	put(d, 0, 1);
	cache_disk_wait(d);
	assert_int_equal(cache_disk_stats(d).failed, 1);
	assert_int_equal(access(path, F_OK), -1);
	cache_disk_close(&d);
	d = must_open(&l);
	assert_int_equal(l.count, 0);
	cache_disk_close(&d);
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(what_was_put_is_there_again),
	    IN_FOLDER(a_killed_program_loses_nothing_that_was_written),
	    IN_FOLDER(one_file_has_one_user),
	    IN_FOLDER(a_folder_that_is_not_there_is_said),
	    IN_FOLDER(a_file_cut_anywhere_opens_and_says_so),
	    IN_FOLDER(spoilt_bytes_are_never_served),
	    IN_FOLDER(another_format_is_emptied),
	    IN_FOLDER(the_file_stays_under_its_limit_and_goes_on_below_it),
	    IN_FOLDER(a_full_disk_costs_the_file_and_nothing_else),
	    IN_FOLDER(a_full_backlog_drops_puts),
	    IN_FOLDER(too_much_to_remove_costs_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
