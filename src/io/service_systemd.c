/*
 * systemd: sd_listen_fds(3), sd_watchdog_enabled(3), and the protocol of sd_notify(3), one datagram
 * a message. sd_notify itself waits while the manager does not read, which a loop must not.
 * A message that cannot be sent is dropped if there will be another of its kind, else it waits for
 * the next.
 */
#include "io/service.h"

#include "base/list.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

/* Of a manager that never reads, none is kept for ever. */
enum { WAITING_MOST = 16, REST_WITHIN_MS = 5000 };

struct waiting {
	struct list link; /* in `all_waiting` */
	char *text;       /* owned */
};

static struct list all_waiting = {&all_waiting, &all_waiting};
static int waiting_count;

static bool
take_socket(struct sockets *s, const char *name, int fd, struct buf *why)
{
	struct buf address = {0};
	bool ok = sockets_add_address(fd, &address);
	struct sockets_item item = {
	    .use = strcmp(name, "admin") == 0 ? SOCKETS_ADMIN : SOCKETS_FRONT,
	    .chosen = true,
	    .address = buf_text(&address),
	};

	if (ok)
		sockets_add(s, &item, fd);
	else
		buf_addf(why,
		         "descriptor %d of LISTEN_FDS, \"%s\", is no listening socket for streams "
		         "(ListenStream=)",
		         fd, name);
	buf_finish(&address);
	return ok;
}

bool
service_take_sockets(struct sockets *s, struct buf *why)
{
	char **names = NULL;
	int count = sd_listen_fds_with_names(1, &names);
	bool ok = true;

	for (int i = 0; i < count; i++) {
		ok = ok && take_socket(s, names[i], SD_LISTEN_FDS_START + i, why);
		free(names[i]);
	}
	free(names);
	return ok;
}

bool
service_listens(void)
{
	return getenv("NOTIFY_SOCKET") != NULL;
}

/* A name that begins with @ is abstract. 0 where there is none. */
static socklen_t
manager_address(struct sockaddr_un *un)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path == NULL ? 0 : strlen(path);

	if (len < 2 || len >= sizeof(un->sun_path) || (path[0] != '/' && path[0] != '@'))
		return 0;
	*un = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(un->sun_path, path, len);
	if (path[0] == '@')
		un->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

/* False: the manager did not read within `wait_ms`. Another failure is as good as sent: it would
 * not be better the next time. */
static bool
send_within(const char *text, int64_t wait_ms)
{
	struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
	struct sockaddr_un un;
	socklen_t len = manager_address(&un);
	int fd = len == 0 ? -1 : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool full;

	if (fd < 0)
		return true;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	full = sendto(fd, text, strlen(text), MSG_NOSIGNAL | (wait_ms == 0 ? MSG_DONTWAIT : 0),
	              (struct sockaddr *)&un, len) < 0 &&
	       (errno == EAGAIN || errno == ENOBUFS);
	close(fd);
	return !full;
}

static void
forget(struct waiting *w)
{
	assert(w != NULL);
	list_remove(&w->link);
	waiting_count--;
	free(w->text);
	free(w);
}

/* False: something still waits. */
static bool
send_waiting(int64_t wait_ms)
{
	struct waiting *w;

	while ((w = LIST_FIRST(&all_waiting, struct waiting, link)) != NULL) {
		if (!send_within(w->text, wait_ms))
			return false;
		forget(w);
	}
	return true;
}

static void
say_once(const char *text)
{
	if (send_waiting(0))
		(void)send_within(text, 0);
}

static void
say_surely(const char *text)
{
	struct waiting *w;

	if (send_waiting(0) && send_within(text, 0))
		return;
	if (waiting_count == WAITING_MOST)
		forget(LIST_FIRST(&all_waiting, struct waiting, link));
	w = NEW(struct waiting);
	w->text = mem_strdup(text);
	list_add_last(&all_waiting, &w->link);
	waiting_count++;
}

void
service_say_ready(void)
{
	say_surely("READY=1");
}

void
service_say_status(const char *text)
{
	struct buf line = {0};

	buf_addf(&line, "STATUS=%s", text);
	say_once(buf_text(&line));
	buf_finish(&line);
}

/* systemd tells by the time whether what follows belongs to this reload. */
void
service_say_reloading(void)
{
	struct timespec now;
	struct buf text = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	buf_addf(&text, "RELOADING=1\nMONOTONIC_USEC=%lld",
	         (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	say_surely(buf_text(&text));
	buf_finish(&text);
}

void
service_say_stopping(void)
{
	say_surely("STOPPING=1");
}

void
service_say_main_process(pid_t pid)
{
	struct buf text = {0};

	buf_addf(&text, "MAINPID=%ld", (long)pid);
	say_surely(buf_text(&text));
	buf_finish(&text);
}

int64_t
service_watchdog_ms(void)
{
	uint64_t us;

	return sd_watchdog_enabled(0, &us) > 0 ? (int64_t)(us / 1000) : 0;
}

void
service_say_alive(void)
{
	say_once("WATCHDOG=1");
}

void
service_say_rest(void)
{
	struct waiting *w;

	(void)send_waiting(REST_WITHIN_MS);
	while ((w = LIST_FIRST(&all_waiting, struct waiting, link)) != NULL)
		forget(w);
}
