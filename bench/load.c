/*
 * bench-load: makes requests to a gateway, as cheaply as it can.
 *
 *     bench-load json   --port N [--connections C] [--requests R]
 *     bench-load stream --port N [--connections C] [--tokens T] [--pace MS]
 *     bench-load hold   --port N [--connections C]
 *
 * `json`: R small requests in a closed loop over C kept-alive connections.
 * `stream`: one stream on each of C connections, T tokens long, a token each MS
 * (0: as fast as they come). `hold`: C requests that nobody answers; it says
 * "sent" and stays until its standard input ends. Nothing runs longer than
 * --seconds (120). In the end one line of JSON on stdout says what came of it.
 *
 * Each answer is read as HTTP, so that a gateway cannot win by breaking it: a
 * request counts as completed only with a 200 and every token.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_EVENTS = 256, MOST_LINE = 1024 };

enum mode { MODE_JSON, MODE_STREAM, MODE_HOLD };

/* What the next byte belongs to. All but DATA are lines. */
enum part { PART_STATUS, PART_FIELD, PART_DATA, PART_CHUNK_SIZE, PART_CHUNK_END, PART_TRAILER };

enum verdict { VERDICT_MORE, VERDICT_WHOLE, VERDICT_BROKEN };

struct answer {
	enum part part;
	int status;
	bool chunked;
	uint64_t left; /* bytes of the body, or of the chunk */
	uint64_t lines;
	size_t line_len;
	char line[MOST_LINE];
};

struct client {
	int fd; /* owned; -1 once closed */
	struct answer answer;
};

static enum mode mode;
static int port, connections = 1, requests = 1, tokens = 1, pace, seconds = 120;
static char request[1024];
static size_t request_len;

static int epoll_fd;
static int alive; /* connections with an answer to come */
static int started, completed, failed;
static uint64_t lines_total, reads, bytes_total;
static char first_failure[128];

static void
build_request(void)
{
	char body[512];
	const char *options = "\"options\":{\"temperature\":0.7,\"top_p\":0.9,\"num_ctx\":4096";

	if (mode == MODE_JSON)
		snprintf(body, sizeof(body),
		         "{\"model\":\"bench\",\"prompt\":\"Why is the sky blue? Say it in one short "
		         "sentence, please.\",\"stream\":false,\"keep_alive\":\"5m\",%s}}",
		         options);
	else if (mode == MODE_STREAM)
		snprintf(body, sizeof(body),
		         "{\"model\":\"bench\",\"prompt\":\"pace=%d\",\"stream\":true,%s,"
		         "\"num_predict\":%d}}",
		         pace, options, tokens);
	else
		snprintf(body, sizeof(body), "{\"model\":\"bench\",\"prompt\":\"hold\",%s}}", options);
	request_len = (size_t)snprintf(request, sizeof(request),
	                               "POST /api/generate HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
	                               "Accept: */*\r\nAccept-Encoding: gzip, deflate\r\n"
	                               "User-Agent: bench-load\r\nContent-Type: application/json\r\n"
	                               "Content-Length: %zu\r\n\r\n%s",
	                               port, strlen(body), body);
}

/* reading an answer ---------------------------------------------------------------------- */

static uint64_t
count_lines(const char *p, size_t len)
{
	const char *end = p + len;
	uint64_t n = 0;

	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		n++;
		p++;
	}
	return n;
}

static enum verdict
take_field(struct answer *a, struct str line)
{
	struct str name = {0};

	if (line.len == 0) {
		a->part = a->chunked ? PART_CHUNK_SIZE : PART_DATA;
		return a->chunked || a->left > 0 ? VERDICT_MORE : VERDICT_WHOLE;
	}
	if (!str_split(&line, ':', &name))
		return VERDICT_BROKEN;
	if (str_eq_nocase(name, "transfer-encoding"))
		a->chunked = true;
	else if (str_eq_nocase(name, "content-length") && !str_to_u64(str_trim(line), &a->left))
		return VERDICT_BROKEN;
	return VERDICT_MORE;
}

static enum verdict
take_chunk_size(struct answer *a, const char *line)
{
	char *end;

	a->left = strtoull(line, &end, 16);
	a->part = a->left == 0 ? PART_TRAILER : PART_DATA;
	return end == line ? VERDICT_BROKEN : VERDICT_MORE;
}

/* `line` is NUL-terminated, without its CRLF. */
static enum verdict
take_line(struct answer *a, struct str line)
{
	switch (a->part) {
	case PART_STATUS:
		a->status = line.len > 12 ? atoi(line.ptr + 9) : 0;
		a->part = PART_FIELD;
		return VERDICT_MORE;
	case PART_FIELD: return take_field(a, line);
	case PART_CHUNK_SIZE: return take_chunk_size(a, line.ptr);
	case PART_CHUNK_END:
		a->part = PART_CHUNK_SIZE;
		return line.len == 0 ? VERDICT_MORE : VERDICT_BROKEN;
	case PART_TRAILER: return line.len == 0 ? VERDICT_WHOLE : VERDICT_MORE;
	case PART_DATA: break;
	}
	abort();
}

static size_t
gather_line(struct answer *a, const char *p, size_t len, enum verdict *verdict)
{
	const char *eol = memchr(p, '\n', len);
	size_t n = eol == NULL ? len : (size_t)(eol - p) + 1;

	if (n >= sizeof(a->line) - a->line_len) {
		*verdict = VERDICT_BROKEN;
		return n;
	}
	memcpy(a->line + a->line_len, p, n);
	a->line_len += n;
	if (eol != NULL) {
		size_t bare = a->line_len - 1;

		if (bare > 0 && a->line[bare - 1] == '\r')
			bare--;
		a->line[bare] = '\0';
		a->line_len = 0;
		*verdict = take_line(a, (struct str){a->line, bare});
	}
	return n;
}

static enum verdict
take_data(struct answer *a, const char *p, size_t n)
{
	a->lines += count_lines(p, n);
	a->left -= n;
	if (a->left > 0)
		return VERDICT_MORE;
	a->part = PART_CHUNK_END;
	return a->chunked ? VERDICT_MORE : VERDICT_WHOLE;
}

/* One answer at a time: bytes behind the end of one are nobody's. */
static enum verdict
answer_feed(struct answer *a, const char *p, size_t len)
{
	enum verdict verdict = VERDICT_MORE;

	while (len > 0) {
		size_t n = len;

		if (verdict != VERDICT_MORE)
			return VERDICT_BROKEN;
		if (a->part != PART_DATA) {
			n = gather_line(a, p, len, &verdict);
		} else {
			if (n > a->left)
				n = a->left;
			verdict = take_data(a, p, n);
		}
		p += n;
		len -= n;
	}
	return verdict;
}

/* clients -------------------------------------------------------------------------------- */

static void
note_failure(const char *what, int number)
{
	if (failed++ == 0)
		snprintf(first_failure, sizeof(first_failure), "%s %d", what, number);
}

static void
client_close(struct client *c)
{
	close(c->fd);
	c->fd = -1;
	alive--;
}

/* A request fits into a socket's empty buffer. */
static void
client_ask(struct client *c)
{
	started++;
	c->answer.part = PART_STATUS;
	c->answer.chunked = false;
	c->answer.left = 0;
	c->answer.lines = 0;
	if (send(c->fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len) {
		note_failure("send, errno", errno);
		client_close(c);
	}
}

static void
client_is_answered(struct client *c)
{
	uint64_t expected = mode == MODE_STREAM ? (uint64_t)tokens + 1 : 0;

	lines_total += c->answer.lines;
	if (c->answer.status != 200)
		note_failure("status", c->answer.status);
	else if (c->answer.lines != expected)
		note_failure("lines of an answer:", (int)c->answer.lines);
	else
		completed++;
	if (started < requests)
		client_ask(c);
	else
		client_close(c);
}

static void
on_input(struct client *c)
{
	static char bytes[65536];
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);
	enum verdict verdict = VERDICT_BROKEN;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0) {
		reads++;
		bytes_total += (uint64_t)n;
		verdict = answer_feed(&c->answer, bytes, (size_t)n);
	}
	switch (verdict) {
	case VERDICT_MORE: break;
	case VERDICT_WHOLE: client_is_answered(c); break;
	case VERDICT_BROKEN:
		note_failure(n > 0 ? "broken answer, status" : "cut, errno", n < 0 ? errno : 0);
		client_close(c);
		break;
	}
}

static void
connect_all(struct client *clients)
{
	for (int i = 0; i < connections; i++) {
		clients[i].fd = wire_connect(port);
		alive++;
		if (fcntl(clients[i].fd, F_SETFL, O_NONBLOCK) < 0)
			wire_die("fcntl");
		wire_watch(epoll_fd, EPOLL_CTL_ADD, clients[i].fd, EPOLLIN, &clients[i]);
	}
}

static bool
starter_is_gone(const struct epoll_event *e)
{
	char byte;

	return e->data.ptr == NULL && read(STDIN_FILENO, &byte, 1) <= 0;
}

static void
run(int64_t until_ms)
{
	struct epoll_event events[MOST_EVENTS];
	int64_t left_ms;

	while (alive > 0 && (left_ms = until_ms - clock_now_ms()) > 0) {
		int n = epoll_wait(epoll_fd, events, MOST_EVENTS, (int)left_ms);

		for (int i = 0; i < n; i++) {
			if (starter_is_gone(&events[i]))
				return;
			if (events[i].data.ptr != NULL)
				on_input(events[i].data.ptr);
		}
	}
}

static void
report(int64_t took_us)
{
	printf("{\"completed\":%d,\"failed\":%d,\"pending\":%d,\"lines\":%llu,\"reads\":%llu,"
	       "\"bytes\":%llu,\"seconds\":%.6f,\"first_failure\":\"%s\"}\n",
	       completed, failed, requests - completed - failed, (unsigned long long)lines_total,
	       (unsigned long long)reads, (unsigned long long)bytes_total, (double)took_us / 1e6,
	       first_failure);
}

static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                        {"connections", required_argument, NULL, 'c'},
                                        {"requests", required_argument, NULL, 'r'},
                                        {"tokens", required_argument, NULL, 't'},
                                        {"pace", required_argument, NULL, 'm'},
                                        {"seconds", required_argument, NULL, 's'},
                                        {0}};

static void
read_options(int argc, char **argv)
{
	static const char *const modes[] = {"json", "stream", "hold"};
	const char *word = argc > 1 ? argv[1] : "";

	while (mode <= MODE_HOLD && strcmp(word, modes[mode]) != 0)
		mode++;
	if (mode > MODE_HOLD) {
		fprintf(stderr, "usage: bench-load json|stream|hold --port N ...\n");
		exit(2);
	}
	for (int c; (c = getopt_long(argc - 1, argv + 1, "", options, NULL)) != -1;) {
		switch (c) {
		case 'p': port = wire_number("--port", optarg, 1, 65535); break;
		case 'c': connections = wire_number("--connections", optarg, 1, 20000); break;
		case 'r': requests = wire_number("--requests", optarg, 1, 100000000); break;
		case 't': tokens = wire_number("--tokens", optarg, 1, 100000000); break;
		case 'm': pace = wire_number("--pace", optarg, 0, 60000); break;
		case 's': seconds = wire_number("--seconds", optarg, 1, 3600); break;
		default: exit(2);
		}
	}
	if (mode != MODE_JSON)
		requests = connections;
	else if (requests < connections)
		connections = requests;
}

int
main(int argc, char **argv)
{
	struct client *clients;
	int64_t start_us;

	read_options(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	build_request();
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		wire_die("epoll_create1");
	wire_watch(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN, NULL);
	clients = mem_zalloc((size_t)connections, sizeof(*clients));
	start_us = clock_now_us();
	connect_all(clients);
	for (int i = 0; i < connections; i++)
		client_ask(&clients[i]);
	if (mode == MODE_HOLD) {
		printf("sent\n");
		fflush(stdout);
	}
	run(start_us / 1000 + seconds * 1000);
	report(clock_now_us() - start_us);
	free(clients);
	return failed > 0 || (mode != MODE_HOLD && completed < requests);
}
