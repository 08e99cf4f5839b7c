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
#include "app/share.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The kind of error of a stream that broke, whose own status was 200. */
enum { BROKEN_STATUS = 502 };

/* Of a node's error body; messages are shorter. */
enum { REFUSAL_MOST_BYTES = 16 * 1024 };

/* Compressed, though nobody asked for it: nothing can be read in it, or put into it. */
static bool
is_coded(const struct http_head *head)
{
	return http_find_header(head, "Content-Encoding").ptr != NULL;
}

/* The client has had its head: only an event stream can follow. */
static void
go_on_with_stream(struct relay *y, const struct http_head *head)
{
	struct str type = http_find_header(head, "Content-Type");

	y->form = STREAM_SSE;
	if (head->status != 200 || stream_form_of(type) != STREAM_SSE || is_coded(head))
		y->refused = head->status;
}

static void
send_head(struct relay *y, const struct http_head *head)
{
	struct request *r = y->request;
	struct buf *headers = &r->gateway->header_lines;
	struct front_head answer = {.status = head->status, .reason = head->reason, .length = -1};

	/* An answer of known length has no room for a record of ours, and shows by itself that it is
	 * cut. */
	y->form = head->framing == HTTP_LENGTH || is_coded(head)
	              ? STREAM_NONE
	              : stream_form_of(http_find_header(head, "Content-Type"));
	r->status = head->status;
	if (head->framing == HTTP_LENGTH && y->rename == NULL)
		answer.length = (int64_t)head->length;
	else if (head->framing == HTTP_NO_BODY)
		answer.length = 0;
	buf_clear(headers);
	forward_answer_headers(r, head, y->backend, headers);
	answer.headers = (struct str){headers->data, headers->len};
	front_reply_head(r->client, &answer);
}

static void
on_head(struct exchange *x, const struct http_head *head, void *arg)
{
	struct relay *y = arg;
	struct request *r = y->request;

	if (!y->ops->on_answer(y, head->status, y->arg)) {
		exchange_cancel(&y->exchange);
		return;
	}
	y->began = true;
	if (r->route->kind == ROUTE_RUN && head->status == 200 && !is_coded(head)) {
		y->usage = mem_alloc(sizeof(*y->usage));
		usage_init(y->usage);
	}
	y->rename = forward_begin_rename(r, head);
	y->at_line_start = true;
	r->first_byte_ms = clock_now_ms();
	if (r->in_stream)
		go_on_with_stream(y, head);
	else
		send_head(y, head);
	y->shared = y->refused == 0 && share_begin_answer(r, head);
	if (y->usage != NULL && y->form != STREAM_NONE && !r->facts.load_only)
		meter_begin_pace(&y->pace, r);
}

static void
send_piece(struct relay *y, struct str piece)
{
	if (piece.len == 0)
		return;
	if (y->shared) {
		share_add(y->request, piece);
		return;
	}
	y->at_line_start = piece.ptr[piece.len - 1] == '\n';
	y->request->bytes_out += piece.len;
	front_reply_body(y->request->client, piece);
}

static void
on_body(struct exchange *x, struct str piece, void *arg)
{
	struct relay *y = arg;
	struct buf renamed = {0};

	if (y->refused != 0) {
		if (y->refusal.len + piece.len <= REFUSAL_MOST_BYTES)
			buf_add(&y->refusal, piece.ptr, piece.len);
		return;
	}
	if (y->usage != NULL)
		usage_add(y->usage, piece);
	y->has_piece = true;
	if (y->rename == NULL) {
		send_piece(y, piece);
		return;
	}
	rename_feed(y->rename, piece, &renamed);
	send_piece(y, (struct str){renamed.data, renamed.len});
	buf_finish(&renamed);
}

/* What was held back, since it could have been the beginning of the name. */
static void
end_rename(struct relay *y)
{
	struct buf rest = {0};

	if (y->rename == NULL)
		return;
	rename_end(y->rename, &rest);
	send_piece(y, (struct str){rest.data, rest.len});
	buf_finish(&rest);
}

/* Of whoever takes the answer. */
static bool
is_ahead(const struct relay *y)
{
	return y->shared ? share_is_ahead(y->request) : front_reply_is_full(y->request->client);
}

/* What is shared goes to the others, and the rest of it to the client. */
static void
end_shared(struct relay *y, bool whole)
{
	if (y->shared)
		y->at_line_start = share_end_answer(y->request, whole);
	y->shared = false;
}

/* What one read of the node's socket brought counts as one piece. */
static void
measure_pace(struct relay *y)
{
	if (y->has_piece && y->pace.gaps != NULL)
		meter_saw_piece(&y->pace, loop_now_us(y->request->gateway->loop));
	y->has_piece = false;
}

static void
on_flush(struct exchange *x, void *arg)
{
	struct relay *y = arg;

	measure_pace(y);
	if (y->shared)
		share_flush(y->request);
	else
		front_reply_flush_soon(y->request->client);
	if (!y->paused && is_ahead(y)) {
		y->paused = true;
		exchange_pause(x, true);
	}
}

/* The node refused what its client waits for in a stream that has begun: its own words, as an
 * event. */
static void
pass_refusal(struct relay *y)
{
	struct request *r = y->request;
	struct buf message = {0};

	if (!refusal_read_message((struct str){y->refusal.data, y->refusal.len}, &message))
		buf_addf(&message, "backend '%s' answered %d and no stream", y->backend, y->refused);
	log_info(r->id, "backend %s answered %d after the stream had begun", y->backend, y->refused);
	request_cut(r, STREAM_SSE, true, y->refused, buf_text(&message));
	buf_finish(&message);
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
	measure_pace(y);
	end_rename(y);
	end_shared(y, end == EXCHANGE_DONE);
	if (end != EXCHANGE_DONE && y->request->client != NULL) {
		buf_addf(&message, "backend '%s' failed: %s", y->backend, exchange_end_text(end));
		request_cut(y->request, y->form, y->at_line_start, BROKEN_STATUS, buf_text(&message));
		buf_finish(&message);
	} else if (y->refused != 0) {
		pass_refusal(y);
	}
	buf_finish(&y->refusal);
	y->ops->on_over(y, end, y->arg);
}

static const struct exchange_ops exchange_ops = {
    .on_head = on_head,
    .on_body = on_body,
    .on_flush = on_flush,
    .on_end = on_end,
};

/* A name of a model can have slashes, which would part the path. */
static void
add_segment(const char *text, struct buf *out)
{
	for (; *text != '\0'; text++)
		if (isalnum((unsigned char)*text) || strchr("-._~:", *text) != NULL)
			buf_addc(out, *text);
		else
			buf_addf(out, "%%%02X", (unsigned char)*text);
}

/* Of a form, Go takes a field from the query before the body: what the gateway did not read by
 * must not reach the node. */
static struct str
target_of(struct request *r, const struct http_head *head)
{
	if (r->route->kind == ROUTE_V1_MODEL && r->model_sent != NULL) {
		buf_clear(&r->target);
		buf_adds(&r->target, "/v1/models/");
		add_segment(r->model_sent, &r->target);
		return (struct str){r->target.data, r->target.len};
	}
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
	    .body = request_body(r),
	    .streamed = r->route->kind == ROUTE_BLOB && head->framing != HTTP_NO_BODY,
	    .streamed_length = head->framing == HTTP_LENGTH ? (int64_t)head->length : -1,
	    .fresh = r->attempts > 0,
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
	end_shared(y, false);
	buf_finish(&y->refusal);
}

void
relay_break(struct relay *y, const char *why)
{
	exchange_cancel(&y->exchange);
	end_shared(y, false);
	if (y->request->client != NULL)
		request_cut(y->request, y->form, y->at_line_start, BROKEN_STATUS, why);
	buf_finish(&y->refusal);
}

void
relay_resume(struct relay *y)
{
	if (y->shared)
		share_resume(y->request);
	if (y->exchange == NULL || !y->paused || (y->shared && is_ahead(y)))
		return;
	y->paused = false;
	exchange_pause(y->exchange, false);
}

bool
relay_read_usage(const struct relay *y, struct usage *out)
{
	return y->usage != NULL && usage_read(y->usage, y->request->dialect, y->form, out);
}

void
relay_finish(struct relay *y)
{
	free(y->usage);
	y->usage = NULL;
	rename_destroy(&y->rename);
}
