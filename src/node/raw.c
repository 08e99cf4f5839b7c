/* The descriptor under a request. */
#include "raw.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Written as front_req_peer writes it. */
static void
name_of_peer(int fd, char *out, size_t size)
{
	struct sockaddr_storage a = {0};
	socklen_t len = sizeof(a);
	char host[INET6_ADDRSTRLEN] = "";

	out[0] = '\0';
	if (getpeername(fd, (struct sockaddr *)&a, &len) != 0)
		return;
	if (a.ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)&a;

		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
		snprintf(out, size, "%s:%d", host, ntohs(v4->sin_port));
	} else if (a.ss_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&a;

		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
		snprintf(out, size, "[%s]:%d", host, ntohs(v6->sin6_port));
	}
}

static int
find_descriptor(const char *peer)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	char name[INET6_ADDRSTRLEN + 16];
	int found = -1;

	while (dir != NULL && found < 0 && (entry = readdir(dir)) != NULL) {
		/* NOLINTNEXTLINE(cert-err34-c): all but "." and ".." are small numbers */
		int fd = atoi(entry->d_name);

		name_of_peer(fd, name, sizeof(name));
		if (name[0] != '\0' && strcmp(name, peer) == 0)
			found = fd;
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

bool
raw_send(const struct front_req *r, struct str bytes)
{
	int fd = find_descriptor(front_req_peer(r));

	return fd >= 0 && send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL) == (ssize_t)bytes.len;
}

bool
raw_reset_on_close(const struct front_req *r)
{
	static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	int fd = find_descriptor(front_req_peer(r));

	return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0;
}
