/* Writing where a reader may stand still. */
#include "../check.h"
#include "base/outlet.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MUCH = 4 * 1024 * 1024 };

static struct str
much(void)
{
	static char bytes[MUCH];

	memset(bytes, 'x', sizeof(bytes));
	return (struct str){bytes, sizeof(bytes)};
}

static size_t
read_all(int fd)
{
	char piece[65536];
	size_t all = 0;
	ssize_t n;

	while ((n = recv(fd, piece, sizeof(piece), MSG_DONTWAIT)) > 0)
		all += (size_t)n;
	return all;
}

/* It would hang where a write waits. */
static void
a_pipe_takes_what_it_has_room_for(void **state)
{
	char piece[65536];
	int ends[2];
	size_t written;

	assert_int_equal(pipe(ends), 0);
	written = outlet_write(ends[1], much(), 0);
	assert_in_range(written, 1, MUCH - 1);
	assert_int_equal(outlet_write(ends[1], str_of("more"), 0), 0);
	assert_int_equal(read(ends[0], piece, sizeof(piece)), (ssize_t)written);
	assert_int_equal(outlet_write(ends[1], str_of("more"), 0), 4);
	close(ends[0]);
	close(ends[1]);
}

static void
so_does_a_socket(void **state)
{
	int ends[2];
	size_t written;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	written = outlet_write(ends[1], much(), 0);
	assert_in_range(written, 1, MUCH - 1);
	assert_int_equal(read_all(ends[0]), written);
	assert_int_equal(outlet_write(ends[1], str_of("more"), 0), 4);
	close(ends[0]);
	close(ends[1]);
}

static void
a_pipe_is_left_with_whole_lines(void **state)
{
	static char lines[MUCH], piece[65536];
	int ends[2];
	size_t written;
	ssize_t n;

	for (size_t i = 0; i < sizeof(lines); i++)
		lines[i] = i % 300 == 299 ? '\n' : 'x';
	assert_int_equal(pipe(ends), 0);
	written = outlet_write(ends[1], (struct str){lines, sizeof(lines)}, 0);
	assert_in_range(written, 1, MUCH - 1);
	assert_int_equal(written % 300, 0);
	n = read(ends[0], piece, sizeof(piece));
	assert_int_equal(n, (ssize_t)written);
	assert_int_equal(piece[n - 1], '\n');
	close(ends[0]);
	close(ends[1]);
}

static void
a_file_takes_all(void **state)
{
	char path[] = "/tmp/outlet-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(outlet_write(fd, much(), 0), MUCH);
	close(fd);
}

static void
what_cannot_be_written_is_said(void **state)
{
	assert_int_equal(outlet_write(-1, str_of("text"), 0), 0);
	assert_int_equal(outlet_write(STDOUT_FILENO, (struct str){NULL, 0}, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_pipe_takes_what_it_has_room_for), cmocka_unit_test(so_does_a_socket),
	    cmocka_unit_test(a_pipe_is_left_with_whole_lines),   cmocka_unit_test(a_file_takes_all),
	    cmocka_unit_test(what_cannot_be_written_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
