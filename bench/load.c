/*
 * bench-load: makes requests to a gateway, as cheaply as it can.
 *
 *     bench-load json   --port N [--connections C] [--requests R] [--rate PER_SECOND]
 *     bench-load hit    --port N [--connections C] [--requests R] [--rate PER_SECOND] [--bodies B]
 *     bench-load stream --port N [--connections C] [--tokens T] [--pace MS]
 *     bench-load idle   --port N [--connections C]
 *     bench-load hold   --port N [--connections C]
 *
 * `json`: R small requests over C kept-alive connections: in a closed loop, or at a steady rate
 * and then with their latency, which counts from when each was due. `hit`: the same with B
 * different requests in turn, whose answers a cache may keep. `stream`: one stream on each of
 * C connections, T tokens long, a token each MS (0: as fast as they come). `idle`: one small
 * request on each of C connections, which then stay open; `hold`: C requests that nobody
 * answers. Both say "ready" when it has come to that and stay until their standard input ends.
 * --body-bytes N makes the bodies so large, --tls has all connections speak TLS. Nothing runs
 * longer than --seconds (120). In the end one line of JSON on stdout says what came of it.
 *
 * Each answer is read as HTTP, so that a gateway cannot win by breaking it: a
 * request counts as completed only with a 200 and every token.
 */
#include "answer.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "seal.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { MOST_EVENTS = 256, MOST_AT_ONCE = 64 };

enum mode { MODE_JSON, MODE_HIT, MODE_STREAM, MODE_IDLE, MODE_HOLD, MODES };

struct client {
	int fd;         /* owned; -1 once closed */
	SSL *ssl;       /* owned; NULL in the clear */
	int64_t due_us; /* when its request was to be sent */
	struct answer answer;
};

static enum mode mode;
static int port, connections = 1, requests = 1, tokens = 1, pace, seconds = 120;
static int rate, bodies = 1, body_bytes, with_tls;
static struct buf *texts; /* of requests, `bodies` of them */

static int epoll_fd, timer_fd;
static struct client *clients; /* owned; `connections` of them */
static int alive;              /* connections that are not done */
static int started, completed, failed, hits;
static uint64_t lines_total, reads, bytes_total;
static char first_failure[128];

/* At a steady rate: connections without a request, and how long each request took. */
static struct client **idle;
static int idle_count;
static int64_t begun_us;
static int64_t *took_us;

/* requests ------------------------------------------------------------------------------- */

static void
add_body(struct buf *b, int number)
{
	const char *common = "\"options\":{\"top_p\":0.9,\"num_ctx\":4096";

	buf_addf(b, "{\"model\":\"bench\",");
	switch (mode) {
	case MODE_HIT: buf_addf(b, "\"stream\":false,\"prompt\":\"Question %d\",", number); break;
	case MODE_STREAM: buf_addf(b, "\"stream\":true,\"prompt\":\"pace=%d\",", pace); break;
	case MODE_HOLD: buf_addf(b, "\"prompt\":\"hold\","); break;
	case MODE_JSON:
	case MODE_IDLE:
	case MODES:
		buf_addf(b, "\"prompt\":\"Why is the sky blue? Say it in one short sentence, please.\","
		            "\"stream\":false,\"keep_alive\":\"5m\",");
		break;
	}
	if (body_bytes > 0) {
		buf_addf(b, "\"system\":\"");
		while (b->len + 100 < (size_t)body_bytes)
			buf_addf(b, "word ");
		buf_addf(b, "\",");
	}
	if (mode == MODE_HIT)
		buf_addf(b, "%s,\"seed\":1}}", common);
	else if (mode == MODE_STREAM)
		buf_addf(b, "%s,\"temperature\":0.7,\"num_predict\":%d}}", common, tokens);
	else
		buf_addf(b, "%s,\"temperature\":0.7}}", common);
}

static void
build_requests(void)
{
	texts = mem_zalloc((size_t)bodies, sizeof(*texts));
	for (int i = 0; i < bodies; i++) {
		struct buf body = {0};

		add_body(&body, i);
		buf_addf(&texts[i],
		         "POST /api/generate HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
		         "Accept: */*\r\nAccept-Encoding: gzip, deflate\r\n"
		         "User-Agent: bench-load\r\nContent-Type: application/json\r\n"
		         "Content-Length: %zu\r\n\r\n%s",
		         port, body.len, body.data);
		buf_finish(&body);
	}
}

static void
free_requests(void)
{
	for (int i = 0; i < bodies; i++)
		buf_finish(&texts[i]);
	free(texts);
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
	seal_close(c->ssl);
	c->ssl = NULL;
	close(c->fd);
	c->fd = -1;
	alive--;
}

static ssize_t
client_send(struct client *c, const char *bytes, size_t len)
{
	return c->ssl != NULL ? seal_send(c->ssl, bytes, len) : send(c->fd, bytes, len, MSG_NOSIGNAL);
}

static ssize_t
client_recv(struct client *c, char *bytes, size_t size)
{
	return c->ssl != NULL ? seal_recv(c->ssl, bytes, size) : recv(c->fd, bytes, size, 0);
}

static void
client_connect(struct client *c)
{
	c->fd = wire_connect(port);
	alive++;
	if (with_tls)
		c->ssl = seal_open(c->fd);
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0)
		wire_die("fcntl");
	wire_watch(epoll_fd, EPOLL_CTL_ADD, c->fd, EPOLLIN, c);
}

/* A request fits into a socket's empty buffer. */
static void
client_ask(struct client *c)
{
	const struct buf *text = &texts[started++ % bodies];

	answer_begin(&c->answer);
	if (client_send(c, text->data, text->len) != (ssize_t)text->len) {
		note_failure("send, errno", errno);
		client_close(c);
	}
}

/* The moment at which the next request is to be sent. */
static int64_t
next_due_us(void)
{
	return begun_us + (int64_t)started * 1000000 / rate;
}

static void
timer_set(int64_t at_us)
{
	struct itimerspec t = {.it_value = {at_us / 1000000, at_us % 1000000 * 1000}};

	if (timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &t, NULL) < 0)
		wire_die("timerfd_settime");
}

/* All that are due, as far as there are connections: who has to wait for one waits in its figure.
 */
static void
ask_what_is_due(void)
{
	while (started < requests && idle_count > 0 && next_due_us() <= clock_now_us()) {
		struct client *c = idle[--idle_count];

		c->due_us = next_due_us();
		client_ask(c);
	}
	if (started < requests && idle_count > 0)
		timer_set(next_due_us());
}

static void
all_are_done(void)
{
	for (int i = 0; i < connections; i++)
		if (clients[i].fd >= 0)
			client_close(&clients[i]);
}

static void
client_is_free(struct client *c)
{
	if (rate > 0) {
		idle[idle_count++] = c;
		ask_what_is_due();
	} else if (started < requests) {
		if (mode == MODE_IDLE)
			client_connect(c = &clients[started]);
		client_ask(c);
	} else if (mode != MODE_IDLE) {
		client_close(c);
	}
}

static void
client_is_answered(struct client *c)
{
	uint64_t expected = mode == MODE_STREAM ? (uint64_t)tokens + 1 : 0;

	lines_total += c->answer.lines;
	hits += c->answer.hit;
	if (rate > 0)
		took_us[completed + failed] = clock_now_us() - c->due_us;
	if (c->answer.status != 200)
		note_failure("status", c->answer.status);
	else if (c->answer.lines != expected)
		note_failure("lines of an answer:", (int)c->answer.lines);
	else
		completed++;
	client_is_free(c);
}

static void
on_input(struct client *c)
{
	static char bytes[65536];
	ssize_t n = client_recv(c, bytes, sizeof(bytes));
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

/* Those that are to be idle come and ask in turn, not all at once: no server waits long for a
 * request. */
static int
connect_first(void)
{
	int most = mode == MODE_IDLE && connections > MOST_AT_ONCE ? MOST_AT_ONCE : connections;

	for (int i = 0; i < connections; i++)
		clients[i].fd = -1;
	for (int i = 0; i < most; i++)
		client_connect(&clients[i]);
	return most;
}

static void
ask_first(int count)
{
	begun_us = clock_now_us();
	for (int i = 0; i < count; i++)
		if (rate > 0)
			idle[idle_count++] = &clients[i];
		else
			client_ask(&clients[i]);
	if (rate > 0)
		ask_what_is_due();
}

static void
say_ready(void)
{
	printf("ready\n");
	(void)fflush(stdout);
}

static bool
starter_is_gone(void)
{
	char byte;

	return read(STDIN_FILENO, &byte, 1) <= 0;
}

static void
on_timer(void)
{
	uint64_t times;

	if (read(timer_fd, &times, sizeof(times)) == sizeof(times))
		ask_what_is_due();
}

static void
run(int64_t until_ms)
{
	struct epoll_event events[MOST_EVENTS];
	int64_t left_ms;
	bool said = mode != MODE_IDLE;

	while (alive > 0 && (left_ms = until_ms - clock_now_ms()) > 0) {
		int n = epoll_wait(epoll_fd, events, MOST_EVENTS, (int)left_ms);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == &timer_fd)
				on_timer();
			else if (events[i].data.ptr != NULL)
				on_input(events[i].data.ptr);
			else if (starter_is_gone())
				return;
		}
		if (rate > 0 && completed + failed == requests)
			all_are_done();
		if (!said && completed + failed == requests) {
			said = true;
			say_ready();
		}
	}
}

/* the end -------------------------------------------------------------------------------- */

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
report_latency(int count)
{
	static const int permille[] = {500, 990, 999};

	qsort(took_us, (size_t)count, sizeof(*took_us), by_size);
	for (size_t i = 0; i < sizeof(permille) / sizeof(*permille); i++)
		printf("\"p%g_us\":%lld,", permille[i] / 10.0,
		       (long long)took_us[(int64_t)count * permille[i] / 1000]);
	printf("\"max_us\":%lld,", (long long)took_us[count - 1]);
}

static void
report(int64_t all_us)
{
	printf("{\"completed\":%d,\"failed\":%d,\"pending\":%d,\"hits\":%d,", completed, failed,
	       requests - completed - failed, hits);
	if (rate > 0 && completed + failed > 0)
		report_latency(completed + failed);
	printf("\"lines\":%llu,\"reads\":%llu,\"bytes\":%llu,\"seconds\":%.6f,"
	       "\"first_failure\":\"%s\"}\n",
	       (unsigned long long)lines_total, (unsigned long long)reads,
	       (unsigned long long)bytes_total, (double)all_us / 1e6, first_failure);
}

static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                        {"connections", required_argument, NULL, 'c'},
                                        {"requests", required_argument, NULL, 'r'},
                                        {"rate", required_argument, NULL, 'a'},
                                        {"bodies", required_argument, NULL, 'b'},
                                        {"body-bytes", required_argument, NULL, 'y'},
                                        {"tokens", required_argument, NULL, 't'},
                                        {"pace", required_argument, NULL, 'm'},
                                        {"seconds", required_argument, NULL, 's'},
                                        {"tls", no_argument, &with_tls, 1},
                                        {0}};

static void
read_options(int argc, char **argv)
{
	static const char *const modes[] = {"json", "hit", "stream", "idle", "hold"};
	const char *word = argc > 1 ? argv[1] : "";

	while (mode < MODES && strcmp(word, modes[mode]) != 0)
		mode++;
	if (mode == MODES) {
		fprintf(stderr, "usage: bench-load json|hit|stream|idle|hold --port N ...\n");
		exit(2);
	}
	for (int c; (c = getopt_long(argc - 1, argv + 1, "", options, NULL)) != -1;) {
		switch (c) {
		case 'p': port = wire_number("--port", optarg, 1, 65535); break;
		case 'c': connections = wire_number("--connections", optarg, 1, 20000); break;
		case 'r': requests = wire_number("--requests", optarg, 1, 100000000); break;
		case 'a': rate = wire_number("--rate", optarg, 1, 1000000); break;
		case 'b': bodies = wire_number("--bodies", optarg, 1, 100000); break;
		case 'y': body_bytes = wire_number("--body-bytes", optarg, 0, 60000); break;
		case 't': tokens = wire_number("--tokens", optarg, 1, 100000000); break;
		case 'm': pace = wire_number("--pace", optarg, 0, 60000); break;
		case 's': seconds = wire_number("--seconds", optarg, 1, 3600); break;
		case 0: break;
		default: exit(2);
		}
	}
	if (mode != MODE_JSON && mode != MODE_HIT) {
		requests = connections;
		rate = 0;
	} else if (requests < connections) {
		connections = requests;
	}
}

static void
open_epoll(void)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (epoll_fd < 0 || timer_fd < 0)
		wire_die("start");
	wire_watch(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN, NULL);
	wire_watch(epoll_fd, EPOLL_CTL_ADD, timer_fd, EPOLLIN, &timer_fd);
}

int
main(int argc, char **argv)
{
	read_options(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	build_requests();
	open_epoll();
	clients = mem_zalloc((size_t)connections, sizeof(*clients));
	idle = mem_zalloc((size_t)connections, sizeof(struct client *));
	took_us = mem_zalloc(rate > 0 ? (size_t)requests : 1, sizeof(*took_us));
	ask_first(connect_first());
	if (mode == MODE_HOLD)
		say_ready();
	run(begun_us / 1000 + (int64_t)seconds * 1000);
	report(clock_now_us() - begun_us);
	all_are_done();
	free(took_us);
	free(idle);
	free(clients);
	free_requests();
	seal_finish();
	return failed > 0 || (mode != MODE_HOLD && completed < requests);
}
