/* systemd: sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3). */
#include "io/service.h"

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

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

void
service_say_ready(void)
{
	(void)sd_notify(0, "READY=1");
}

void
service_say_status(const char *text)
{
	(void)sd_notifyf(0, "STATUS=%s", text);
}

/* systemd tells by the time whether what follows belongs to this reload. */
void
service_say_reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
	                 (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void
service_say_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}

void
service_say_main_process(pid_t pid)
{
	(void)sd_notifyf(0, "MAINPID=%ld", (long)pid);
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
	(void)sd_notify(0, "WATCHDOG=1");
}
