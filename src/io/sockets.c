/* A handful at most: an array is searched from its beginning, so that their order stays. */
#include "io/sockets.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct given {
	struct sockets_item item;
	char *address; /* owned */
	int fd;        /* owned; -1: taken */
};

struct sockets {
	struct given *all; /* owned */
	size_t count;
};

struct sockets *
sockets_create(void)
{
	return NEW(struct sockets);
}

void
sockets_destroy(struct sockets **sp)
{
	struct sockets *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->count; i++) {
		if (s->all[i].fd >= 0)
			close(s->all[i].fd);
		free(s->all[i].address);
	}
	free(s->all);
	free(s);
}

void
sockets_add(struct sockets *s, const struct sockets_item *item, int fd)
{
	struct given *g;

	s->all = mem_realloc(s->all, (s->count + 1) * sizeof(s->all[0]));
	g = &s->all[s->count++];
	*g = (struct given){*item, mem_strdup(item->address), fd};
	g->item.address = g->address;
}

int
sockets_take(struct sockets *s, enum sockets_use use, const char *address)
{
	for (size_t i = 0; i < s->count; i++) {
		struct given *g = &s->all[i];
		int fd = g->fd;

		if (fd < 0 || g->item.use != use || strcmp(g->address, address) != 0)
			continue;
		g->fd = -1;
		return fd;
	}
	return -1;
}

bool
sockets_are_chosen(const struct sockets *s, enum sockets_use use)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->all[i].item.use == use && s->all[i].item.chosen)
			return true;
	return false;
}

void
sockets_for_each(const struct sockets *s, void (*fn)(const struct sockets_item *item, void *arg),
                 void *arg)
{
	for (size_t i = 0; i < s->count; i++)
		fn(&s->all[i].item, arg);
}

static void
add_unix(const struct sockaddr_un *un, socklen_t len, struct buf *out)
{
	size_t most = len - offsetof(struct sockaddr_un, sun_path);

	buf_adds(out, "unix:");
	if (most > 0 && un->sun_path[0] == '\0')
		buf_addf(out, "@%.*s", (int)most - 1, un->sun_path + 1);
	else
		buf_addf(out, "%.*s", (int)most, un->sun_path);
}

static void
add_tcp(const struct sockaddr *sa, struct buf *out)
{
	char text[INET6_ADDRSTRLEN];

	if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)sa;

		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
		buf_addf(out, "[%s]:%u", text, ntohs(in6->sin6_port));
	} else {
		const struct sockaddr_in *in = (const void *)sa;

		inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
		buf_addf(out, "%s:%u", text, ntohs(in->sin_port));
	}
}

bool
sockets_add_address(int fd, struct buf *out)
{
	struct sockaddr_storage bound = {0};
	socklen_t len = sizeof(bound), flag_len = sizeof(int);
	int listens = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &flag_len) != 0 || listens == 0 ||
	    getsockname(fd, (struct sockaddr *)&bound, &len) != 0)
		return false;
	switch (bound.ss_family) {
	case AF_UNIX: add_unix((const void *)&bound, len, out); return true;
	case AF_INET:
	case AF_INET6: add_tcp((const void *)&bound, out); return true;
	}
	return false;
}
