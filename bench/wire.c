/* Sockets, epoll and heads for both ends of a benchmark. */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BACKLOG = 4096 };

void
wire_die(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in
loopback(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static void
send_at_once(int fd)
{
	static const int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int
wire_listen(int *port)
{
	static const int on = 1;
	struct sockaddr_in a = loopback(*port);
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		wire_die("socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, BACKLOG) < 0)
		wire_die("listen");
	if (getsockname(fd, (struct sockaddr *)&a, &size) < 0)
		wire_die("getsockname");
	*port = ntohs(a.sin_port);
	return fd;
}

/* Connecting blocks: on loopback it is done at once, and the order of requests stays known. */
int
wire_connect(int port)
{
	struct sockaddr_in a = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		wire_die("socket");
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		wire_die("connect");
	send_at_once(fd);
	return fd;
}

int
wire_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED)
		wire_die("accept");
	if (fd >= 0)
		send_at_once(fd);
	return fd;
}

void
wire_watch(int epoll, int op, int fd, uint32_t events, void *tag)
{
	struct epoll_event e = {.events = events, .data.ptr = tag};

	if (epoll_ctl(epoll, op, fd, &e) < 0)
		wire_die("epoll_ctl");
}

size_t
wire_head_len(const char *data, size_t len)
{
	const char *end = memmem(data, len, "\r\n\r\n", 4);

	return end == NULL ? 0 : (size_t)(end - data) + 4;
}

int
wire_number(const char *option, const char *text, int least, int most)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < least || n > most) {
		fprintf(stderr, "%s: '%s' is not a number of %d to %d\n", option, text, least, most);
		exit(2);
	}
	return (int)n;
}
