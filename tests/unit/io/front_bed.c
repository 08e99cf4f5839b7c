#include "front_bed.h"

#include "base/clock.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GUARD_MS = 10000, FLOOD_PIECE = 16 * 1024 };

const struct front_limits bed_limits = {
    .connections = 1000, .head_ms = 60000, .body_ms = 60000, .idle_ms = 60000, .write_ms = 60000};

/* The handler's own part of a request. */
struct script {
	struct bed *bed;
	struct buf body;
	size_t flooded;
};

static bool
is_for(const struct front_req *r, const char *path)
{
	return str_eq(front_req_head(r)->path, path);
}

static void
script_free(struct script *s)
{
	buf_finish(&s->body);
	free(s);
}

static void
answer(struct front_req *r, int status, const char *bytes, size_t len)
{
	struct script *s = front_req_data(r);
	struct front_head head = {.status = status, .headers = str_of("X-T: y\r\n")};

	head.length = (int64_t)len;
	if (s->bed->held == r)
		s->bed->held = NULL;
	front_reply_head(r, &head);
	front_reply_body(r, (struct str){bytes, len});
	front_reply_end(r);
	script_free(s);
}

void
bed_answer(struct bed *b, int status)
{
	answer(b->held, status, "text", 4);
}

static void
echo(struct front_req *r)
{
	const struct http_head *h = front_req_head(r);
	struct script *s = front_req_data(r);
	struct buf text = {0};

	buf_addf(&text, "%s %.*s %zu\n", http_method_name(h->method), STR_ARG(h->target),
	         h->header_count);
	buf_add(&text, s->body.data, s->body.len);
	answer(r, 200, text.data, text.len);
	buf_finish(&text);
}

static void
stream(struct front_req *r)
{
	struct front_head head = {.status = 200, .length = -1};

	front_reply_head(r, &head);
	for (int i = 0; i < 3; i++) {
		front_reply_body(r, str_of("piece\n"));
		front_reply_flush(r);
	}
	script_free(front_req_data(r));
	front_reply_end(r);
}

static void
flood(struct front_req *r)
{
	static char piece[FLOOD_PIECE];
	struct script *s = front_req_data(r);

	memset(piece, 'f', sizeof(piece));
	while (s->flooded < s->bed->flood_bytes && !front_reply_is_full(r)) {
		front_reply_body(r, (struct str){piece, sizeof(piece)});
		front_reply_flush(r);
		s->flooded += sizeof(piece);
	}
	if (s->flooded < s->bed->flood_bytes)
		return;
	s->bed->held = NULL;
	script_free(s);
	front_reply_end(r);
}

static void
begin_flood(struct front_req *r)
{
	struct script *s = front_req_data(r);
	struct front_head head = {.status = 200, .length = -1};

	s->bed->held = r;
	front_reply_head(r, &head);
	flood(r);
}

static void
on_request(struct front_req *r, void *arg)
{
	struct bed *b = arg;
	struct script *s = NEW(struct script);
	const struct http_head *h = front_req_head(r);

	s->bed = b;
	front_req_set_data(r, s);
	buf_addf(&b->trace, "%s%.*s ", http_method_name(h->method), STR_ARG(h->path));
	if (is_for(r, "/hold"))
		b->held = r;
	else if (is_for(r, "/early"))
		answer(r, 401, "no", 2);
	else if (is_for(r, "/204"))
		answer(r, 204, NULL, 0);
	else if (is_for(r, "/304"))
		answer(r, 304, NULL, 0);
	else if (is_for(r, "/stream"))
		stream(r);
	else if (is_for(r, "/flood"))
		begin_flood(r);
	else
		front_read_body(r, b->max_bytes);
}

static void
on_body(struct front_req *r, struct str piece, void *arg)
{
	struct bed *b = arg;
	struct script *s = front_req_data(r);

	buf_add(&s->body, piece.ptr, piece.len);
	if (is_for(r, "/pause")) {
		buf_adds(&b->trace, "paused ");
		front_pause_body(r, true);
		b->held = r;
	}
}

static void
on_body_end(struct front_req *r, void *arg)
{
	struct bed *b = arg;
	struct script *s = front_req_data(r);

	buf_addf(&b->trace, "end:%zu ", s->body.len);
	if (is_for(r, "/late"))
		b->held = r;
	else
		echo(r);
}

static void
on_bad_body(struct front_req *r, int status, const char *why, void *arg)
{
	struct bed *b = arg;

	buf_addf(&b->trace, "bad:%d ", status);
	answer(r, status, why, strlen(why));
}

static void
on_drained(struct front_req *r, void *arg)
{
	struct bed *b = arg;

	buf_adds(&b->trace, "drained ");
	flood(r);
}

static void
on_gone(struct front_req *r, enum front_gone why, void *arg)
{
	static const char *const names[] = {
	    [FRONT_CLIENT_CLOSED] = "closed",
	    [FRONT_WRITE_STALLED] = "stalled",
	    [FRONT_SHUT_DOWN] = "shut",
	};
	struct bed *b = arg;

	buf_addf(&b->trace, "gone:%s ", names[why]);
	b->gone_at_ms = clock_now_ms();
	if (b->held == r)
		b->held = NULL;
	script_free(front_req_data(r));
}

static void
refuse(int status, const char *why, struct str path, const char *peer, struct buf *headers,
       struct buf *body, void *arg)
{
	struct bed *b = arg;

	buf_addf(&b->trace, "refuse:%d ", status);
	buf_adds(headers, "X-T: n\r\n");
	buf_addf(body, "%s\n", why);
}

static const struct front_ops ops = {
    .on_request = on_request,
    .on_body = on_body,
    .on_body_end = on_body_end,
    .on_bad_body = on_bad_body,
    .on_drained = on_drained,
    .on_gone = on_gone,
    .refuse = refuse,
};

static void
too_long(void *arg)
{
	struct bed *b = arg;

	fail_msg("nothing more happens; so far: %s", buf_text(&b->trace));
}

void
bed_open(struct bed *b, const struct front_limits *limits)
{
	struct buf why = {0};

	*b = (struct bed){.max_bytes = 64 * 1024 * 1024};
	b->loop = loop_create();
	b->front = front_create(b->loop, limits, &ops, b);
	timer_init(&b->guard, b->loop, too_long, b);
	if (!front_listen(b->front, "127.0.0.1:0", &why))
		fail_msg("%s", buf_text(&why));
	front_addresses(b->front, &b->address);
	b->port = (int)strtol(strrchr(buf_text(&b->address), ':') + 1, NULL, 10);
}

void
bed_open_with(struct bed *b, struct front_limits change)
{
	struct front_limits l = bed_limits;

	l.connections = change.connections != 0 ? change.connections : l.connections;
	l.head_ms = change.head_ms != 0 ? change.head_ms : l.head_ms;
	l.body_ms = change.body_ms != 0 ? change.body_ms : l.body_ms;
	l.idle_ms = change.idle_ms != 0 ? change.idle_ms : l.idle_ms;
	l.write_ms = change.write_ms != 0 ? change.write_ms : l.write_ms;
	bed_open(b, &l);
}

void
bed_hold(struct bed *b, struct client *c, const char *request)
{
	client_open(c, b);
	client_send(c, request);
	RUN_UNTIL(b, b->held != NULL);
	bed_settle(b);
}

void
bed_release(struct bed *b, void (*how)(struct front_req *r))
{
	struct front_req *r = b->held;

	b->held = NULL;
	script_free(front_req_data(r));
	how(r);
}

void
bed_close(struct bed *b)
{
	timer_finish(&b->guard);
	front_destroy(&b->front);
	loop_destroy(&b->loop);
	buf_finish(&b->address);
	buf_finish(&b->trace);
}

void
bed_guard(struct bed *b)
{
	timer_start(&b->guard, GUARD_MS);
}

/* On loopback, what was sent can be read at once: a few turns take it all the way. */
void
bed_settle(struct bed *b)
{
	for (int i = 0; i < 6; i++)
		event_base_loop(loop_base(b->loop), EVLOOP_NONBLOCK);
}

bool
bed_saw(const struct bed *b, const char *call)
{
	return strstr(buf_text(&b->trace), call) != NULL;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	static char bytes[64 * 1024];
	struct client *c = arg;
	ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

	if (n > 0) {
		buf_add(&c->in, bytes, (size_t)n);
	} else if (n == 0 || errno != EAGAIN) {
		c->eof = n == 0;
		c->reset = n < 0;
		event_del(c->readable);
	}
}

static void
send_pending(struct client *c)
{
	ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);

	if (n > 0)
		c->sent += (size_t)n;
	c->send_failed = n < 0 && errno != EAGAIN;
	if (c->sent < c->out.len && !c->send_failed)
		event_add(c->writable, NULL);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	send_pending(arg);
}

static void
drip(void *arg)
{
	struct client *c = arg;

	client_send(c, c->drop);
	timer_start(&c->drip, 4);
}

void
client_drip(struct client *c, const char *drop)
{
	c->drop = drop;
	drip(c);
}

static void
open_with(struct client *c, struct bed *b, int receive_bytes)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)b->port)};
	int on = 1;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*c = (struct client){.bed = b, .fd = socket(AF_INET, SOCK_STREAM, 0)};
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (receive_bytes > 0)
		setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
	assert_int_equal(connect(c->fd, (struct sockaddr *)&in, sizeof(in)), 0);
	evutil_make_socket_nonblocking(c->fd);
	c->readable = event_new(loop_base(b->loop), c->fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(loop_base(b->loop), c->fd, EV_WRITE, on_writable, c);
	event_add(c->readable, NULL);
	timer_init(&c->drip, b->loop, drip, c);
}

void
client_open(struct client *c, struct bed *b)
{
	open_with(c, b, 0);
}

void
client_open_narrow(struct client *c, struct bed *b)
{
	open_with(c, b, 4096);
}

void
client_close(struct client *c)
{
	event_free(c->readable);
	event_free(c->writable);
	timer_finish(&c->drip);
	close(c->fd);
	buf_finish(&c->in);
	buf_finish(&c->out);
}

void
client_reset(struct client *c)
{
	struct linger now = {.l_onoff = 1};

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	client_close(c);
}

void
client_half_close(struct client *c)
{
	shutdown(c->fd, SHUT_WR);
}

void
client_read(struct client *c, bool on)
{
	int wide = 1024 * 1024;

	if (on) {
		setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &wide, sizeof(wide));
		event_add(c->readable, NULL);
	} else {
		event_del(c->readable);
	}
}

void
client_send(struct client *c, const char *text)
{
	client_send_bytes(c, text, strlen(text));
}

void
client_send_bytes(struct client *c, const void *bytes, size_t len)
{
	buf_add(&c->out, bytes, len);
	send_pending(c);
}

bool
client_has(const struct client *c, const char *text)
{
	return c->in.len > 0 && memmem(c->in.data, c->in.len, text, strlen(text)) != NULL;
}

bool
client_ended(const struct client *c)
{
	return c->eof || c->reset;
}

bool
client_sent_all(const struct client *c)
{
	assert_false(c->send_failed);
	return c->sent == c->out.len;
}

/* The n-th status line from 0, or NULL. */
static const char *
find_answer(const struct client *c, int n)
{
	const char *at = buf_text(&c->in);

	while ((at = strstr(at, "HTTP/1.1 ")) != NULL && n-- > 0)
		at++;
	return at;
}

int
client_answers(const struct client *c)
{
	int n = 0;

	while (find_answer(c, n) != NULL)
		n++;
	return n;
}

int
client_status(const struct client *c, int n)
{
	const char *at = find_answer(c, n);

	return at == NULL ? 0 : (int)strtol(at + strlen("HTTP/1.1 "), NULL, 10);
}

void
client_plain(const struct client *c, struct buf *out)
{
	const char *at = buf_text(&c->in), *date;

	while ((date = strstr(at, "\r\nDate: ")) != NULL) {
		buf_add(out, at, (size_t)(date - at));
		at = strstr(date + 2, "\r\n");
	}
	buf_adds(out, at);
}
