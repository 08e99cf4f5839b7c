/*
 * Writing where a reader may stand still.
 *
 * The descriptor is shared with other programs as a rule, so it cannot be made non-blocking. But
 * what poll calls writable takes a piece of PIPE_BUF at once: a pipe has a page free then, a socket
 * three quarters of its buffer.
 */
#include "base/outlet.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a file nobody has to read. */
static bool
has_reader(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(fd));
}

static bool
has_room(int fd, int wait_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int ready;

	do
		ready = poll(&p, 1, wait_ms);
	while (ready < 0 && errno == EINTR);
	return ready > 0;
}

/* As many whole lines as a pipe takes in one, so that others who write there as well, or the end of
 * this program, cut none. */
static size_t
piece_of(struct str data)
{
	const char *end;

	if (data.len <= PIPE_BUF)
		return data.len;
	end = memrchr(data.ptr, '\n', PIPE_BUF);
	return end == NULL ? PIPE_BUF : (size_t)(end - data.ptr) + 1;
}

size_t
outlet_write(int fd, struct str data, int wait_ms)
{
	bool careful = has_reader(fd);
	size_t at = 0;

	while (at < data.len) {
		struct str left = {data.ptr + at, data.len - at};
		ssize_t n;

		if (careful && !has_room(fd, wait_ms))
			break;
		n = write(fd, left.ptr, careful ? piece_of(left) : left.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	return at;
}
