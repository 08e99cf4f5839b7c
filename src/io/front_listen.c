/*
 * Where the front end listens, and when it accepts.
 *
 * Accepting rests while as many connections are open as are allowed, and for a
 * moment after the system had no descriptor left: clients wait in the kernel's
 * queue meanwhile, and the loop does not spin.
 */
#include "front_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/sockets.h"

#include <event2/listener.h>

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { ACCEPT_PAUSE_MS = 100, FULL_SAID_AGAIN_MS = 60000, BURST_MAX = 64 };

struct front_listener {
	struct list link;               /* in front.listeners */
	struct evconnlistener *accepts; /* owned */
	char *address;                  /* owned; as it was configured */
	struct buf bound;               /* "host:port" or "unix:/path" */
	char *path;                     /* owned; of a unix socket that is ours, else NULL */
	dev_t device;
	ino_t inode;
};

static void
set_option(int fd, int level, int name, int value)
{
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

/* What is set on the listening socket, accepted ones inherit. Keep-alive finds clients that
 * vanished without a word while they waited for an answer. */
static void
set_tcp_options(int fd)
{
	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

/* EMFILE and its like. */
static void
on_accept_error(struct evconnlistener *accepts, void *arg)
{
	struct front *f = ((evhtp_t *)arg)->arg;

	if (!f->accept_failing)
		log_warn("front", "cannot accept: %s", strerror(errno));
	f->accept_failing = true;
	timer_start(&f->accept_pause, ACCEPT_PAUSE_MS);
	front_accept_update(f);
}

void
front_on_accept_pause(void *arg)
{
	front_accept_update(arg);
}

void
front_on_accept_turn(void *arg)
{
	struct front *f = arg;

	f->burst = 0;
	front_accept_update(f);
}

void
front_accept_update(struct front *f)
{
	bool accept = !f->held && f->conn_count < f->limits.connections && f->burst < BURST_MAX &&
	              f->accept_pause.due_ms == 0;
	struct front_listener *l;

	LIST_FOR_EACH (l, &f->listeners, struct front_listener, link) {
		if (accept)
			evconnlistener_enable(l->accepts);
		else
			evconnlistener_disable(l->accepts);
	}
}

static void
say_full(struct front *f)
{
	int64_t now_ms = clock_now_ms();

	if (f->full_said_ms != 0 && now_ms - f->full_said_ms < FULL_SAID_AGAIN_MS)
		return;
	log_warn("front", "%d connections are open, the most allowed: others wait", f->conn_count);
	f->full_said_ms = now_ms;
}

/* libevent accepts in one go whatever waits. After a burst the others get their turn. */
void
front_accept_count(struct front *f)
{
	f->accept_failing = false;
	if (++f->burst == BURST_MAX)
		waker_wake(&f->accept_turn);
	if (++f->conn_count == f->limits.connections)
		say_full(f);
	if (f->burst == BURST_MAX || f->conn_count == f->limits.connections)
		front_accept_update(f);
}

/* libevhtp makes the listener for a socket that listens already. It has room for one, so we keep
 * them. */
static struct front_listener *
listener_add(struct front *f, int fd, const char *address)
{
	struct front_listener *l;

	if (evhtp_accept_socket(f->evhtp, fd, 0) != 0) {
		close(fd);
		return NULL;
	}
	l = NEW(struct front_listener);
	l->address = mem_strdup(address);
	l->accepts = f->evhtp->server;
	f->evhtp->server = NULL;
	evconnlistener_set_error_cb(l->accepts, on_accept_error);
	list_add_last(&f->listeners, &l->link);
	return l;
}

static uint16_t
port_of(const struct sockaddr_storage *sa)
{
	const struct sockaddr_in6 *v6 = (const void *)sa;
	const struct sockaddr_in *v4 = (const void *)sa;

	/* NOLINTNEXTLINE(clang-analyzer-core*): it does not see that getsockname fills this */
	return ntohs(sa->ss_family == AF_INET6 ? v6->sin6_port : v4->sin_port);
}

static void
set_port(struct sockaddr *sa, uint16_t port)
{
	if (sa->sa_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)sa)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)(void *)sa)->sin_port = htons(port);
}

/* 0 or an errno. A free port that was found is kept in `*port` for the next address. */
static int
listen_tcp(struct front *f, const char *address, struct addrinfo *ai, uint16_t *port)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	struct front_listener *l;

	if (fd < 0)
		return errno;
	set_tcp_options(fd);
	if (ai->ai_family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (*port != 0)
		set_port(ai->ai_addr, *port);
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0 ||
	    getsockname(fd, (struct sockaddr *)&bound, &len) != 0) {
		int error = errno;

		close(fd);
		return error;
	}
	l = listener_add(f, fd, address);
	if (l == NULL)
		return ENOMEM;
	*port = port_of(&bound);
	(void)sockets_add_address(fd, &l->bound);
	return 0;
}

/* Takes "host:port" apart; `host` is empty for ":port". */
static bool
split_host_port(const char *address, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(address, ':');
	const char *start = address;
	size_t len;
	uint64_t number;

	if (colon == NULL || !str_to_u64(str_of(colon + 1), &number) || number > 65535)
		return false;
	len = (size_t)(colon - address);
	if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
		start++;
		len -= 2;
	} else if (memchr(address, ':', len) != NULL) {
		return false;
	}
	if (len >= size)
		return false;
	memcpy(host, start, len);
	host[len] = '\0';
	*port = colon + 1;
	return true;
}

/* Each address of a name; those of a family that the machine does not have are passed over, as
 * long as one is left. */
static bool
listen_all(struct front *f, const char *address, struct addrinfo *list, struct buf *why)
{
	uint16_t port = 0;
	bool some = false;
	int error = 0;

	for (struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
		error = listen_tcp(f, address, ai, &port);
		if (error == 0)
			some = true;
		else if (error != EADDRNOTAVAIL && error != EAFNOSUPPORT)
			break;
	}
	if (error == 0 || (some && (error == EADDRNOTAVAIL || error == EAFNOSUPPORT)))
		return true;
	buf_addf(why, "cannot listen on %s: %s", address, strerror(error));
	return false;
}

static bool
listen_host(struct front *f, const char *address, struct buf *why)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *list;
	char host[256];
	const char *port;
	bool ok;
	int error;

	if (!split_host_port(address, host, sizeof(host), &port)) {
		buf_addf(why, "cannot listen on %s: not an address (host:port or unix:/path)", address);
		return false;
	}
	error = getaddrinfo(host[0] == '\0' ? NULL : host, port, &hints, &list);
	if (error != 0) {
		buf_addf(why, "cannot listen on %s: %s", address, gai_strerror(error));
		return false;
	}
	ok = listen_all(f, address, list, why);
	freeaddrinfo(list);
	return ok;
}

/* A socket nobody listens on any more is what a program left behind that was killed. To connect
 * to another kind of file is refused just the same. */
static bool
is_stale(const struct sockaddr_un *un)
{
	struct stat st;
	bool stale;
	int fd;

	if (lstat(un->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	stale = connect(fd, (const struct sockaddr *)un, sizeof(*un)) != 0 && errno == ECONNREFUSED;
	close(fd);
	return stale;
}

/* Everybody on the machine may connect, as with a port on loopback: whoever wants less puts the
 * socket into a directory that says so. */
static int
bind_unix(int fd, const struct sockaddr_un *un)
{
	const struct sockaddr *sa = (const struct sockaddr *)un;

	if (bind(fd, sa, sizeof(*un)) != 0) {
		if (errno != EADDRINUSE)
			return errno;
		if (!is_stale(un))
			return EADDRINUSE;
		if (unlink(un->sun_path) != 0 || bind(fd, sa, sizeof(*un)) != 0)
			return errno;
	}
	return chmod(un->sun_path, 0666) == 0 && listen(fd, SOMAXCONN) == 0 ? 0 : errno;
}

/* Remembers the file, to remove that one and no other. */
static void
own_path(struct front_listener *l, const char *path)
{
	struct stat st;

	l->path = mem_strdup(path);
	if (stat(path, &st) == 0) {
		l->device = st.st_dev;
		l->inode = st.st_ino;
	}
}

static bool
listen_unix(struct front *f, const char *address, struct buf *why)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	const char *path = address + strlen("unix:");
	struct front_listener *l = NULL;
	int error = ENAMETOOLONG;

	if (strlen(path) < sizeof(un.sun_path)) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		memcpy(un.sun_path, path, strlen(path));
		error = fd < 0 ? errno : bind_unix(fd, &un);
		if (error == 0)
			l = listener_add(f, fd, address);
		else if (fd >= 0)
			close(fd);
	}
	if (l == NULL) {
		buf_addf(why, "cannot listen on unix:%s: %s", path, strerror(error));
		return false;
	}
	own_path(l, path);
	buf_addf(&l->bound, "unix:%s", path);
	return true;
}

static bool
is_unix(const char *address)
{
	return strncmp(address, "unix:", 5) == 0;
}

bool
front_listen(struct front *f, const char *address, struct buf *why)
{
	bool ok = is_unix(address) ? listen_unix(f, address, why) : listen_host(f, address, why);

	front_accept_update(f);
	return ok;
}

bool
front_adopt(struct front *f, int fd, const char *address, bool own, struct buf *why)
{
	struct front_listener *l = NULL;
	struct buf at = {0};

	if (sockets_add_address(fd, &at) && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
	    fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
		l = listener_add(f, fd, address);
	else
		close(fd);
	if (l == NULL) {
		buf_addf(why, "cannot listen on %s: the socket that was given for it is of no use",
		         address);
		buf_finish(&at);
		return false;
	}
	if (!is_unix(buf_text(&at)))
		set_tcp_options(fd);
	else if (own && is_unix(address))
		own_path(l, address + strlen("unix:"));
	buf_adds(&l->bound, buf_text(&at));
	buf_finish(&at);
	front_accept_update(f);
	return true;
}

void
front_for_each_socket(const struct front *f, void (*fn)(const char *address, int fd, void *arg),
                      void *arg)
{
	struct front_listener *l;

	LIST_FOR_EACH (l, &f->listeners, struct front_listener, link)
		fn(l->address, evconnlistener_get_fd(l->accepts), arg);
}

void
front_hold(struct front *f, bool hold)
{
	f->held = hold;
	front_accept_update(f);
}

void
front_addresses(const struct front *f, struct buf *out)
{
	struct front_listener *l;
	const char *gap = "", *scheme = f->tls == NULL ? "http://" : "https://";

	LIST_FOR_EACH (l, &f->listeners, struct front_listener, link) {
		const char *at = buf_text(&l->bound);

		buf_addf(out, "%s%s%s", gap, is_unix(at) ? "" : scheme, at);
		gap = " ";
	}
}

/* The path may by now belong to a program that took over. */
static void
unlink_own(const struct front_listener *l)
{
	struct stat st;

	if (l->path != NULL && stat(l->path, &st) == 0 && st.st_dev == l->device &&
	    st.st_ino == l->inode)
		unlink(l->path);
}

void
front_listeners_free(struct front *f)
{
	struct front_listener *l;

	LIST_FOR_EACH (l, &f->listeners, struct front_listener, link) {
		if (!f->retired)
			unlink_own(l);
		list_remove(&l->link);
		evconnlistener_free(l->accepts);
		buf_finish(&l->bound);
		free(l->address);
		free(l->path);
		free(l);
	}
	timer_stop(&f->accept_pause);
}
