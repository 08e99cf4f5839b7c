/*
 * One exchange whose answer goes to the client as it comes.
 *
 * Invariants: `exchange` is not NULL exactly while one runs; once `began` is set
 * the client has the head of an answer, and the request can end only by on_over or
 * by being abandoned.
 */
#include "app/relay.h"

#include "app/forward.h"
#include "app/gateway.h"
#include "app/request.h"
#include "base/clock.h"

#include <string.h>

static void
on_head(struct exchange *x, const struct http_head *head, void *arg)
{
	struct relay *y = arg;
	struct request *r = y->request;
	struct buf *headers = &r->gateway->header_lines;
	struct front_head answer = {.status = head->status, .reason = head->reason, .length = -1};

	if (!y->ops->on_answer(y, head->status, y->arg)) {
		exchange_cancel(&y->exchange);
		return;
	}
	y->began = true;
	/* An answer of known length has no room for a record of ours, and shows by itself that it is
	 * cut. */
	y->form = head->framing == HTTP_LENGTH ? STREAM_NONE
	                                       : stream_form_of(http_find_header(head, "Content-Type"));
	y->at_line_start = true;
	r->status = head->status;
	r->first_byte_ms = clock_now_ms();
	if (head->framing == HTTP_LENGTH)
		answer.length = (int64_t)head->length;
	else if (head->framing == HTTP_NO_BODY)
		answer.length = 0;
	buf_clear(headers);
	forward_answer_headers(r, head, y->backend, headers);
	answer.headers = (struct str){headers->data, headers->len};
	front_reply_head(r->client, &answer);
}

static void
on_body(struct exchange *x, struct str piece, void *arg)
{
	struct relay *y = arg;

	y->at_line_start = piece.ptr[piece.len - 1] == '\n';
	y->request->bytes_out += piece.len;
	front_reply_body(y->request->client, piece);
}

static void
on_flush(struct exchange *x, void *arg)
{
	struct relay *y = arg;

	front_reply_flush(y->request->client);
	if (!y->paused && front_reply_is_full(y->request->client)) {
		y->paused = true;
		exchange_pause(x, true);
	}
}

/* The answer broke off: say so in the stream's own form, then break the connection, since a
 * clean end would pass for success. */
static void
cut_client(struct relay *y, const char *why)
{
	struct request *r = y->request;
	struct front_req *client = r->client;
	struct buf record = {0};

	refusal_add_stream_error(&record, r->dialect, y->form, y->at_line_start, why, r->id);
	if (record.len > 0)
		front_reply_body(client, (struct str){record.data, record.len});
	front_req_set_data(client, NULL);
	r->client = NULL;
	front_reply_cut(client);
	buf_finish(&record);
}

static void
on_end(struct exchange *x, enum exchange_end end, const char *why, void *arg)
{
	struct relay *y = arg;
	struct buf message = {0};

	y->exchange = NULL;
	y->why = exchange_end_detail(end, why);
	if (!y->began) {
		y->ops->on_failed(y, end, y->arg);
		return;
	}
	if (end != EXCHANGE_DONE) {
		buf_addf(&message, "backend '%s' failed: %s", y->backend, exchange_end_text(end));
		cut_client(y, buf_text(&message));
		buf_finish(&message);
	}
	y->ops->on_over(y, end, y->arg);
}

static const struct exchange_ops exchange_ops = {
    .on_head = on_head,
    .on_body = on_body,
    .on_flush = on_flush,
    .on_end = on_end,
};

/* Of a form, Go takes a field from the query before the body: what the gateway did not read by
 * must not reach the node. */
static struct str
target_of(const struct request *r, const struct http_head *head)
{
	return r->route->multipart ? head->path : head->target;
}

void
relay_start(struct relay *y, struct request *r, struct server *s, const struct relay_limits *limits,
            const struct relay_ops *ops, void *arg)
{
	const struct http_head *head = front_req_head(r->client);
	struct buf *headers = &r->gateway->header_lines;
	struct exchange_request req = {
	    .method = head->method,
	    .target = target_of(r, head),
	    .body = {r->body.data, r->body.len},
	    .streamed = r->route->kind == ROUTE_BLOB && head->framing != HTTP_NO_BODY,
	    .streamed_length = head->framing == HTTP_LENGTH ? (int64_t)head->length : -1,
	    .first_byte_ms = limits->first_byte_ms,
	    .idle_ms = limits->idle_ms,
	};

	*y = (struct relay){.request = r, .backend = backend_name(s->backend), .ops = ops, .arg = arg};
	r->backend = y->backend;
	r->attempts++;
	buf_clear(headers);
	forward_request_headers(r, headers);
	req.headers = (struct str){headers->data, headers->len};
	y->exchange = exchange_start(s->upstream, &req, &exchange_ops, y);
}

void
relay_abandon(struct relay *y)
{
	exchange_cancel(&y->exchange);
}

void
relay_break(struct relay *y, const char *why)
{
	exchange_cancel(&y->exchange);
	cut_client(y, why);
}

void
relay_resume(struct relay *y)
{
	if (y->exchange == NULL || !y->paused)
		return;
	y->paused = false;
	exchange_pause(y->exchange, false);
}
