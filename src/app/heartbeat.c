/* Signs of life to a client whose stream takes long to begin. */
#include "app/heartbeat.h"

#include "app/gateway.h"
#include "app/request.h"
#include "base/clock.h"

enum { FIRST_MS = 60000, FIRST_BEATS = 4 };

int64_t
heartbeat_first_ms(int64_t every_ms)
{
	return every_ms < FIRST_MS / FIRST_BEATS ? FIRST_BEATS * every_ms : FIRST_MS;
}

static void
begin_stream(struct request *r)
{
	struct buf headers = {0};
	struct front_head head = {.status = 200, .length = -1};

	buf_adds(&headers, "Content-Type: text/event-stream\r\nCache-Control: no-cache\r\n");
	request_add_headers(r, &headers);
	if (r->cache != NULL)
		buf_addf(&headers, "X-Drover-Cache: %s\r\n", r->cache);
	head.headers = (struct str){headers.data, headers.len};
	r->status = 200;
	r->in_stream = true;
	front_reply_head(r->client, &head);
	buf_finish(&headers);
}

/* The empty line is for clients that part a stream at empty lines before they look for
 * comments. */
static void
send_comment(struct heartbeat *h)
{
	struct request *r = h->request;
	struct buf comment = {0};

	buf_adds(&comment, ": ");
	h->describe(&comment, h->arg);
	buf_adds(&comment, "\n\n");
	front_reply_body(r->client, (struct str){comment.data, comment.len});
	front_reply_flush(r->client);
	r->bytes_out += comment.len;
	buf_finish(&comment);
}

static void
on_due(void *arg)
{
	struct heartbeat *h = arg;

	if (!h->request->in_stream)
		begin_stream(h->request);
	send_comment(h);
	timer_start(&h->timer, h->every_ms);
}

void
heartbeat_init(struct heartbeat *h, struct request *r, void (*describe)(struct buf *out, void *arg),
               void *arg)
{
	*h = (struct heartbeat){
	    .request = r,
	    .every_ms = r->config->settings.queue.heartbeat,
	    .describe = describe,
	    .arg = arg,
	};
	timer_init(&h->timer, r->gateway->loop, on_due, h);
}

void
heartbeat_finish(struct heartbeat *h)
{
	timer_finish(&h->timer);
}

static bool
takes_comments(const struct request *r)
{
	return r->route->events && r->facts.stream && front_req_head(r->client)->minor_version >= 1;
}

void
heartbeat_start(struct heartbeat *h)
{
	const struct request *r = h->request;
	int64_t left_ms = r->began_ms + heartbeat_first_ms(h->every_ms) - clock_now_ms();

	if (h->every_ms > 0 && takes_comments(r))
		timer_start(&h->timer, left_ms > 0 ? left_ms : 1);
}

void
heartbeat_stop(struct heartbeat *h)
{
	timer_stop(&h->timer);
}
