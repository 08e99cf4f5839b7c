/* The program's log. */
#include "../check.h"
#include "base/log.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Standard error becomes a pipe; its reading end, which does not wait. */
static int
read_from(int *former)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	*former = dup(STDERR_FILENO);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	close(ends[1]);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	return ends[0];
}

static void
restore(int former, int reader)
{
	assert_true(dup2(former, STDERR_FILENO) >= 0);
	close(former);
	close(reader);
}

static void
lines_that_nobody_reads_are_lost_and_counted(void **state)
{
	static char all[1024 * 1024];
	char filler[4096];
	int former, reader = read_from(&former);
	ssize_t len;

	memset(filler, 'x', sizeof(filler));
	for (int i = 0; i < 16; i++) /* what a pipe has room for */
		assert_int_equal(write(STDERR_FILENO, filler, sizeof(filler)), sizeof(filler));
	log_info("one", "is lost");
	log_info("two", "is lost");
	while (read(reader, all, sizeof(all)) > 0)
		;
	log_info("three", "is read");
	log_info("four", "is read");
	len = read(reader, all, sizeof(all) - 1);
	restore(former, reader);
	assert_true(len > 0);
	all[len] = '\0';
	assert_non_null(strstr(all, "warn  log: nobody read it: 2 lines were lost\n"));
	assert_non_null(strstr(all, "info  three: is read\n"));
	assert_non_null(strstr(all, "info  four: is read\n"));
	assert_null(strstr(all, "is lost\n"));
}

static void
a_line_stays_one_line(void **state)
{
	char line[256];
	int former, reader = read_from(&former);
	ssize_t len;

	log_warn("node", "said %s", "a\r\nb");
	len = read(reader, line, sizeof(line) - 1);
	restore(former, reader);
	assert_true(len > 0);
	line[len] = '\0';
	assert_non_null(strstr(line, "warn  node: said a  b\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_that_nobody_reads_are_lost_and_counted),
	    cmocka_unit_test(a_line_stays_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
