/*
 * A link is a pair of sockets that keep messages apart (SOCK_SEQPACKET), so that neither side has
 * to put pieces together, and a message and its descriptor come in one.
 */
#include "io/link.h"

#include "base/mem.h"

#include <event2/event.h>

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct link {
	int end; /* owned */
	const struct link_ops *ops;
	void *arg;
	struct event *readable; /* owned */
	struct buf message;
};

/* Room for one descriptor, aligned as the kernel wants it. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

bool
link_open_ends(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0;
}

static int
passed_with(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static enum link_got
receive(int end, struct buf *message, int *passed)
{
	union control control;
	struct iovec room;
	struct msghdr m = {.msg_iov = &room,
	                   .msg_iovlen = 1,
	                   .msg_control = control.bytes,
	                   .msg_controllen = sizeof(control.bytes)};
	ssize_t n;

	buf_clear(message);
	buf_reserve(message, LINK_MESSAGE_MAX);
	room = (struct iovec){message->data, LINK_MESSAGE_MAX};
	*passed = -1;
	do
		n = recvmsg(end, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return LINK_NOTHING;
	if (n <= 0)
		return LINK_ENDED;
	*passed = passed_with(&m);
	message->len = (size_t)n;
	message->data[n] = '\0';
	return LINK_MESSAGE;
}

enum link_got
link_receive(int end, int64_t wait_ms, struct buf *message, int *passed)
{
	struct pollfd p = {.fd = end, .events = POLLIN};

	while (poll(&p, 1, (int)wait_ms) < 0 && errno == EINTR)
		continue;
	return receive(end, message, passed);
}

/* Each message has its turn of the loop: what it leads to may end the link. */
static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;
	int passed;

	switch (receive(fd, &l->message, &passed)) {
	case LINK_NOTHING: return;
	case LINK_ENDED:
		event_del(l->readable);
		l->ops->on_end(l->arg);
		return;
	case LINK_MESSAGE:
		if (passed >= 0)
			close(passed);
		l->ops->on_message((struct str){l->message.data, l->message.len}, l->arg);
		return;
	}
	abort();
}

struct link *
link_create(struct loop *loop, int end, const struct link_ops *ops, void *arg)
{
	struct link *l = NEW(struct link);

	l->end = end;
	l->ops = ops;
	l->arg = arg;
	l->readable = event_new(loop_base(loop), end, EV_READ | EV_PERSIST, on_readable, l);
	assert(l->readable != NULL);
	event_add(l->readable, NULL);
	return l;
}

void
link_destroy(struct link **lp)
{
	struct link *l = *lp;

	*lp = NULL;
	if (l == NULL)
		return;
	event_free(l->readable);
	close(l->end);
	buf_finish(&l->message);
	free(l);
}

static void
attach(struct msghdr *m, union control *control, int fd)
{
	struct cmsghdr *c;

	memset(control, 0, sizeof(*control));
	m->msg_control = control->bytes;
	m->msg_controllen = sizeof(control->bytes);
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
}

bool
link_send(const struct link *l, struct str message, int passed)
{
	/* sendmsg only reads it. NOLINTNEXTLINE(performance-no-int-to-ptr): takes const away */
	struct iovec part = {(char *)(uintptr_t)message.ptr, message.len};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	union control control;
	ssize_t n;

	assert(message.len > 0 && message.len <= LINK_MESSAGE_MAX);
	if (passed >= 0)
		attach(&m, &control, passed);
	do
		n = sendmsg(l->end, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)message.len;
}
