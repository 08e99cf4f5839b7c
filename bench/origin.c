/*
 * bench-origin: stands in for an Ollama node, as cheaply as it can.
 *
 *     bench-origin [--port N]      0, the default: a free one; said on stdout
 *
 * It ends when its standard input does. The body of a POST says what it gets:
 * `"stream":false` one JSON object with a Content-Length; `"prompt":"hold"`
 * nothing, until the client goes; else chunked NDJSON of `"num_predict":N` lines
 * and one with `done`, at once or, with `"prompt":"pace=MS"`, a line each MS.
 * GET /bench/held says how many requests are held.
 *
 * A stream's answer is a virtual text: head, N equal chunks, tail. A connection
 * knows how much of it was sent and how much may be, so that it needs no buffer.
 * One timer ticks for all paced streams, and their phases are spread evenly over
 * the pace: a gateway cannot profit from tokens that come all at the same time.
 */
#include "base/buf.h"
#include "base/list.h"
#include "base/mem.h"
#include "wire.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	CHUNKS_IN_BLOCK = 256,
	MOST_EVENTS = 256,
	TICK_NS = 1000000,
	MOST_REQUEST = 1 << 20,
};

#define DATE   "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
#define MOMENT "\"model\":\"bench\",\"created_at\":\"2026-01-01T00:00:00.123456789Z\""
#define NUMBERS                                                                         \
	"\"total_duration\":412345678,\"load_duration\":12345678,\"prompt_eval_count\":26," \
	"\"prompt_eval_duration\":31234567,\"eval_count\":16,\"eval_duration\":312345678"

static const char stream_head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n" DATE
                                  "Transfer-Encoding: chunked\r\n\r\n";
static const char token_line[] = "{" MOMENT ",\"response\":\" token\",\"done\":false}\n";
static const char done_line[] =
    "{" MOMENT ",\"response\":\"\",\"done\":true,\"done_reason\":\"stop\"," NUMBERS "}\n";
static const char json_body[] = "{" MOMENT ",\"response\":\"It scatters.\",\"done\":true,"
                                "\"done_reason\":\"stop\"," NUMBERS "}";

struct text {
	char *data; /* owned */
	size_t len;
};

struct conn {
	int fd; /* owned */
	struct buf in;
	uint64_t sent;      /* bytes of the stream's virtual text */
	uint64_t allowed;   /* as much of it may be sent by now */
	uint64_t tail_from; /* where its tail begins */
	uint64_t end;       /* 0: there is no stream */
	uint64_t next_tick;
	unsigned pace;         /* ticks; 0: not paced */
	struct list pace_link; /* in paced */
	bool held;
	bool blocked; /* EPOLLOUT is asked for */
};

static int epoll_fd;
static int listener_fd;
static int timer_fd;
static uint64_t tick;
static uint64_t accepted;
static unsigned held;
static struct list paced = {&paced, &paced}; /* of struct conn, by pace_link; not owned */
static struct text block;                    /* CHUNKS_IN_BLOCK equal chunks */
static struct text tail;
static size_t chunk_len;

static struct text
text_of(struct buf *b)
{
	size_t len = b->len;

	return (struct text){buf_take(b), len};
}

static void
build_texts(void)
{
	struct buf b = {0};

	for (int i = 0; i < CHUNKS_IN_BLOCK; i++)
		buf_addf(&b, "%zx\r\n%s\r\n", sizeof(token_line) - 1, token_line);
	block = text_of(&b);
	chunk_len = block.len / CHUNKS_IN_BLOCK;
	buf_addf(&b, "%zx\r\n%s\r\n0\r\n\r\n", sizeof(done_line) - 1, done_line);
	tail = text_of(&b);
}

static void
timer_run(bool on)
{
	struct itimerspec t = {.it_interval.tv_nsec = on ? TICK_NS : 0,
	                       .it_value.tv_nsec = on ? TICK_NS : 0};

	if (timerfd_settime(timer_fd, 0, &t, NULL) < 0)
		wire_die("timerfd_settime");
}

static void
leave_paced(struct conn *c)
{
	if (!list_linked(&c->pace_link))
		return;
	list_remove(&c->pace_link);
	if (list_empty(&paced))
		timer_run(false);
}

static void
conn_free(struct conn *c)
{
	leave_paced(c);
	held -= c->held;
	close(c->fd);
	buf_finish(&c->in);
	free(c);
}

/* The longest piece of the virtual text at `from` that lies in one place of memory. */
static struct iovec
piece_at(const struct conn *c, uint64_t from)
{
	const size_t head_len = sizeof(stream_head) - 1;
	const char *at;
	size_t len;

	if (from < head_len) {
		at = stream_head + from;
		len = head_len - from;
	} else if (from < c->tail_from) {
		size_t in_block = (from - head_len) % block.len;

		at = block.data + in_block;
		len = block.len - in_block;
		if (len > c->tail_from - from)
			len = c->tail_from - from;
	} else {
		at = tail.data + (from - c->tail_from);
		len = c->end - from;
	}
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): it is only read, so const is taken away */
	return (struct iovec){(void *)(uintptr_t)at, len};
}

/* What goes out in one call: head and first token together, as Ollama sends them. */
static int
gather(const struct conn *c, struct iovec v[2])
{
	uint64_t at = c->sent;
	int n = 0;

	while (n < 2 && at < c->allowed) {
		v[n] = piece_at(c, at);
		if (v[n].iov_len > c->allowed - at)
			v[n].iov_len = c->allowed - at;
		at += v[n++].iov_len;
	}
	return n;
}

static void
await_room(struct conn *c, bool yes)
{
	if (c->blocked == yes)
		return;
	c->blocked = yes;
	wire_watch(epoll_fd, EPOLL_CTL_MOD, c->fd, EPOLLIN | (yes ? EPOLLOUT : 0u), c);
}

/* An error is left to the event that comes with it, since the caller may be the timer. */
static void
stream_send(struct conn *c)
{
	struct iovec v[2];

	while (c->sent < c->allowed) {
		struct msghdr m = {.msg_iov = v, .msg_iovlen = (size_t)gather(c, v)};
		ssize_t n = sendmsg(c->fd, &m, MSG_NOSIGNAL);

		if (n < 0) {
			await_room(c, errno == EAGAIN);
			return;
		}
		c->sent += (uint64_t)n;
	}
	await_room(c, false);
	if (c->sent == c->end) {
		c->end = 0;
		leave_paced(c);
	}
}

static void
stream_start(struct conn *c, uint64_t tokens, unsigned pace)
{
	c->sent = 0;
	c->tail_from = sizeof(stream_head) - 1 + tokens * chunk_len;
	c->end = c->tail_from + tail.len;
	c->pace = pace;
	c->allowed = pace == 0 ? c->end : sizeof(stream_head) - 1 + chunk_len;
	if (pace > 0) {
		if (list_empty(&paced))
			timer_run(true);
		c->next_tick = tick + 1 + accepted++ % pace;
		list_add_last(&paced, &c->pace_link);
	}
	stream_send(c);
}

/* Ticks that this program slept over are lost, not made up for: tokens never come in pairs. */
static void
on_tick(void)
{
	uint64_t missed;
	struct conn *c;

	if (read(timer_fd, &missed, sizeof(missed)) != sizeof(missed))
		return;
	tick += missed;
	LIST_FOR_EACH (c, &paced, struct conn, pace_link) {
		if (c->next_tick > tick)
			continue;
		c->next_tick += c->pace;
		if (c->next_tick <= tick)
			c->next_tick = tick + c->pace;
		c->allowed = c->allowed < c->tail_from ? c->allowed + chunk_len : c->end;
		stream_send(c);
	}
}

/* An answer fits into a socket's empty buffer. */
static void
send_json(struct conn *c, const char *body)
{
	char answer[2048];
	int len = snprintf(answer, sizeof(answer),
	                   "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n" DATE
	                   "Content-Length: %zu\r\n\r\n%s",
	                   strlen(body), body);

	if (send(c->fd, answer, (size_t)len, MSG_NOSIGNAL) != len)
		(void)shutdown(c->fd, SHUT_RDWR);
}

static uint64_t
number_after(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at == NULL ? 0 : strtoull(at + strlen(key), NULL, 10);
}

static void
answer_get(struct conn *c, const char *head)
{
	char text[64];

	if (strstr(head, " /api/version ") != NULL) {
		send_json(c, "{\"version\":\"0.24.0\"}");
	} else if (strstr(head, " /bench/held ") != NULL) {
		snprintf(text, sizeof(text), "{\"held\":%u}", held);
		send_json(c, text);
	} else {
		send_json(c, "{\"models\":[{\"name\":\"bench:latest\",\"model\":\"bench:latest\","
		             "\"modified_at\":\"2026-01-01T00:00:00Z\",\"size\":1,\"size_vram\":1,"
		             "\"digest\":\"00\",\"details\":{\"family\":\"llama\"},"
		             "\"context_length\":4096,\"expires_at\":\"2099-01-01T00:00:00Z\"}]}");
	}
}

static void
answer_request(struct conn *c, const char *head, const char *body)
{
	if (strncmp(head, "POST ", 5) != 0) {
		answer_get(c, head);
	} else if (strstr(body, "\"stream\":false") != NULL) {
		send_json(c, json_body);
	} else if (strstr(body, "\"prompt\":\"hold\"") != NULL) {
		c->held = true;
		held++;
	} else {
		stream_start(c, number_after(body, "\"num_predict\":"),
		             (unsigned)number_after(body, "\"prompt\":\"pace="));
	}
}

/* Length of the request at the start of the input, 0 while it is not whole. */
static size_t
request_len(struct conn *c, size_t *head_len)
{
	static const char name[] = "\r\ncontent-length:";
	const char *field;
	uint64_t len = 0;

	*head_len = wire_head_len(c->in.data, c->in.len);
	if (*head_len == 0)
		return 0;
	field = strcasestr(c->in.data, name);
	if (field != NULL && field < c->in.data + *head_len)
		len = strtoull(field + sizeof(name) - 1, NULL, 10);
	len += *head_len;
	return len <= c->in.len ? len : 0;
}

/* Gateways do not pipeline: behind a request there is nothing. */
static void
on_input(struct conn *c)
{
	static char bytes[65536];
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);
	size_t head_len;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || c->in.len > MOST_REQUEST) {
		conn_free(c);
		return;
	}
	buf_add(&c->in, bytes, (size_t)n);
	if (request_len(c, &head_len) == 0)
		return;
	answer_request(c, c->in.data, c->in.data + head_len);
	buf_clear(&c->in);
}

static void
on_connection(void)
{
	int fd;

	while ((fd = wire_accept(listener_fd)) >= 0) {
		struct conn *c = NEW(struct conn);

		c->fd = fd;
		list_init(&c->pace_link);
		wire_watch(epoll_fd, EPOLL_CTL_ADD, fd, EPOLLIN, c);
	}
}

static void
on_event(const struct epoll_event *e)
{
	if (e->data.ptr == &listener_fd)
		on_connection();
	else if (e->data.ptr == &timer_fd)
		on_tick();
	else if (e->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		on_input(e->data.ptr);
	else
		stream_send(e->data.ptr);
}

/* Who started this program holds the other end of its standard input. */
static bool
starter_is_gone(const struct epoll_event *e)
{
	char byte;

	return e->data.ptr == NULL && read(STDIN_FILENO, &byte, 1) <= 0;
}

static void
serve(void)
{
	struct epoll_event events[MOST_EVENTS];

	for (;;) {
		int n = epoll_wait(epoll_fd, events, MOST_EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (starter_is_gone(&events[i]))
				return;
			if (events[i].data.ptr != NULL)
				on_event(&events[i]);
		}
	}
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"port", required_argument, NULL, 'p'}, {0}};
	int port = 0;

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c != 'p')
			return 2;
		port = wire_number("--port", optarg, 0, 65535);
	}
	signal(SIGPIPE, SIG_IGN);
	build_texts();
	listener_fd = wire_listen(&port);
	timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (timer_fd < 0 || epoll_fd < 0)
		wire_die("start");
	wire_watch(epoll_fd, EPOLL_CTL_ADD, listener_fd, EPOLLIN, &listener_fd);
	wire_watch(epoll_fd, EPOLL_CTL_ADD, timer_fd, EPOLLIN, &timer_fd);
	wire_watch(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN, NULL);
	printf("listening %d\n", port);
	(void)fflush(stdout);
	serve();
	return 0;
}
