/*
 * One request to a node and its answer.
 *
 * Sending and reading overlap: a node may answer before it has the whole
 * request. Then the upload stops, the answer is forwarded, and the connection
 * is not used again, for nobody can tell where the node's next request begins.
 *
 * After every call into the holder the phase is looked at: it may have cancelled.
 */
#include "io/exchange.h"

#include "base/mem.h"
#include "proto/http_answer.h"
#include "upstream_conn.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BACKLOG_BYTES_MAX = 256 * 1024, /* of a streamed body, above which the source must stop */
	BACKLOG_BYTES_LOW = 64 * 1024,  /* and below which it goes on */
};

enum phase {
	OPENING,   /* the connection */
	SENDING,   /* the request */
	WAITING,   /* for the head of the answer; the request has left */
	ANSWERING, /* the head was handed over */
	ENDED,     /* buried */
};

struct exchange {
	struct conn *conn; /* owned until ENDED */
	const struct exchange_ops *ops;
	void *arg;
	enum phase phase;
	bool streamed;
	bool chunked;
	bool upload_ended;   /* the holder has given all of the body */
	bool upload_stopped; /* by an early answer: what still comes is dropped */
	bool full;           /* exchange_send returned false */
	bool sent;
	bool heard;      /* a byte of the node */
	bool streams;    /* its answer came in more than one piece */
	bool keep_alive; /* as the head of the answer says */
	bool paused;
	uint64_t upload_left; /* of a streamed body of known length */
	int64_t first_byte_ms;
	int64_t idle_ms;
	struct http_answer answer; /* the last: what is before it starts zeroed */
};

/* Of the answer that is being read: it is large, and its slices live no longer than a read. */
static struct http_head head_read;

static void
exchange_free(void *object)
{
	struct exchange *x = object;

	http_answer_finish(&x->answer);
	free(x);
}

/* The connection was given back or closed before. */
static void
bury(struct exchange *x, struct loop *l)
{
	x->phase = ENDED;
	x->conn = NULL;
	loop_bury(l, x, exchange_free);
}

static void
end(struct exchange *x, bool keep, enum exchange_end how, const char *why)
{
	struct loop *l = x->conn->upstream->loop;

	if (keep)
		conn_keep(x->conn);
	else
		conn_close(x->conn);
	bury(x, l);
	x->ops->on_end(x, how, why, x->arg);
}

static void
set_limit(struct exchange *x)
{
	switch (x->phase) {
	case OPENING: /* has the connection's own limit */
	case ENDED: return;
	case SENDING: conn_limit(x->conn, conn_pending(x->conn) > 0 ? x->idle_ms : 0); return;
	case WAITING: conn_limit(x->conn, x->first_byte_ms); return;
	case ANSWERING: conn_limit(x->conn, x->paused ? 0 : x->idle_ms); return;
	}
}

/* Where the request stands after something was given to the connection, or left it. */
static void
note_sending(struct exchange *x)
{
	if (x->conn->state != CONN_OPEN || x->phase > SENDING)
		return;
	x->phase = SENDING;
	if (conn_pending(x->conn) == 0 && (x->upload_ended || x->conn->write_failed)) {
		x->phase = WAITING;
		x->sent = !x->conn->write_failed;
	}
	set_limit(x);
}

static void
on_failed(enum conn_failure failure, const char *why, void *arg)
{
	static const enum exchange_end ends[] = {
	    [CONN_NOT_REACHED] = EXCHANGE_CONNECT_FAILED,
	    [CONN_TIMED_OUT] = EXCHANGE_CONNECT_TIMEOUT,
	    [CONN_NOT_SECURE] = EXCHANGE_TLS_FAILED,
	};

	end(arg, false, ends[failure], why);
}

static void
let_upload_go_on(struct exchange *x)
{
	if (!x->full)
		return;
	x->full = false;
	if (x->ops->on_drained != NULL)
		x->ops->on_drained(x, x->arg);
}

static void
on_progress(void *arg)
{
	struct exchange *x = arg;

	note_sending(x);
	if (conn_pending(x->conn) < BACKLOG_BYTES_LOW)
		let_upload_go_on(x);
}

static void
on_open(void *arg)
{
	struct exchange *x = arg;

	conn_pause(x->conn, x->paused);
	conn_flush(x->conn);
	on_progress(x);
}

static void
hand_over_head(struct exchange *x)
{
	if (x->phase == SENDING) {
		x->upload_stopped = true;
		conn_stop_sending(x->conn);
	}
	x->phase = ANSWERING;
	x->keep_alive = x->answer.head->keep_alive;
	x->ops->on_head(x, x->answer.head, x->arg);
	if (x->phase != ENDED && x->upload_stopped)
		let_upload_go_on(x);
}

static void
finish(struct exchange *x, bool in_step)
{
	bool keep = in_step && x->sent && !x->upload_stopped && x->keep_alive;

	end(x, keep, EXCHANGE_DONE, NULL);
}

/* All chunks of one read are one piece for the holder. As a rule there is one, which lies where it
 * was read. */
static void
gather(struct str *piece, struct str data)
{
	static char gathered[CONN_READ_BYTES];

	if (piece->len == 0) {
		*piece = data;
		return;
	}
	if (piece->ptr != gathered)
		piece->ptr = memcpy(gathered, piece->ptr, piece->len);
	memcpy(gathered + piece->len, data.ptr, data.len);
	piece->len += data.len;
}

/* False: the holder has ended the exchange. */
static bool
hand_over_piece(struct exchange *x, struct str piece)
{
	if (piece.len > 0)
		x->ops->on_body(x, piece, x->arg);
	return x->phase != ENDED;
}

static void
note_heard(struct exchange *x)
{
	if (x->heard && !x->streams) {
		x->streams = true;
		conn_delay_acks(x->conn);
	}
	x->heard = true;
}

/* on_end comes instead of on_flush where both would: the end flushes too, in one write. */
static void
on_bytes(struct str in, void *arg)
{
	struct exchange *x = arg;
	struct str piece = {NULL, 0}, data;
	bool had_head = false;

	note_heard(x);
	for (;;) {
		switch (http_answer_next(&x->answer, &in, &data)) {
		case HTTP_DATA: gather(&piece, data); continue;
		case HTTP_HEAD_READ:
			had_head = true;
			hand_over_head(x);
			if (x->phase == ENDED)
				return;
			continue;
		case HTTP_MORE:
			if (!hand_over_piece(x, piece) || (piece.len == 0 && !had_head))
				return;
			set_limit(x);
			x->ops->on_flush(x, x->arg);
			return;
		case HTTP_END:
			if (hand_over_piece(x, piece))
				finish(x, in.len == 0);
			return;
		case HTTP_BAD:
			if (hand_over_piece(x, piece))
				end(x, false, EXCHANGE_BAD_ANSWER, x->answer.why);
			return;
		}
	}
}

/* The node closed an idle connection while the request was on its way to it. One whose system had
 * confirmed all of it may have read it, and have run it. So may one that reset the connection:
 * what it had confirmed or said before is lost with that. */
static bool
was_stale(const struct exchange *x, bool cleanly)
{
	if (!x->conn->reused || x->heard)
		return false;
	return !x->sent || (cleanly && !conn_has_arrived(x->conn));
}

static void
on_closed(bool cleanly, void *arg)
{
	struct exchange *x = arg;

	if (x->phase != ANSWERING) {
		if (was_stale(x, cleanly))
			end(x, false, EXCHANGE_STALE, "the node had closed the connection");
		else
			end(x, false, EXCHANGE_CLOSED, "the node closed before its answer");
	} else if (cleanly && http_answer_eof(&x->answer) == HTTP_END) {
		end(x, false, EXCHANGE_DONE, NULL);
	} else {
		end(x, false, EXCHANGE_CUT, "the node broke off its answer");
	}
}

static void
on_limit(void *arg)
{
	struct exchange *x = arg;

	switch (x->phase) {
	case SENDING:
		end(x, false, EXCHANGE_SEND_TIMEOUT, "the node stopped taking the request");
		return;
	case WAITING: end(x, false, EXCHANGE_FIRST_BYTE_TIMEOUT, "no answer in time"); return;
	case ANSWERING: end(x, false, EXCHANGE_IDLE_TIMEOUT, "the answer stalled"); return;
	case OPENING:
	case ENDED: break;
	}
	abort();
}

static const struct conn_ops conn_ops = {
    .on_open = on_open,
    .on_failed = on_failed,
    .on_bytes = on_bytes,
    .on_closed = on_closed,
    .on_progress = on_progress,
    .on_limit = on_limit,
};

/* RFC 9110 8.6: methods that usually have a body say so when it is empty. */
static bool
says_length_of_nothing(enum http_method m)
{
	return m == HTTP_POST || m == HTTP_PUT || m == HTTP_PATCH;
}

static void
add_framing(struct buf *out, const struct exchange_request *req)
{
	uint64_t length = req->streamed ? (uint64_t)req->streamed_length : req->body.len;

	if (req->streamed && req->streamed_length < 0) {
		buf_adds(out, "Transfer-Encoding: chunked\r\n");
	} else if (length > 0 || says_length_of_nothing(req->method)) {
		buf_adds(out, "Content-Length: ");
		buf_add_int(out, (int64_t)length);
		buf_adds(out, "\r\n");
	}
}

static void
add_head(struct buf *out, const struct upstream *u, const struct exchange_request *req)
{
	buf_adds(out, http_method_name(req->method));
	buf_addc(out, ' ');
	buf_adds(out, u->url.prefix);
	buf_add(out, req->target.ptr, req->target.len);
	buf_adds(out, " HTTP/1.1\r\n");
	buf_add(out, u->fixed_lines.data, u->fixed_lines.len);
	buf_add(out, req->headers.ptr, req->headers.len);
	add_framing(out, req);
	buf_adds(out, "\r\n");
}

struct exchange *
exchange_start(struct upstream *u, const struct exchange_request *req,
               const struct exchange_ops *ops, void *arg)
{
	struct exchange *x = mem_alloc(sizeof(*x));

	assert(!req->streamed || req->body.len == 0);
	memset(x, 0, offsetof(struct exchange, answer));
	http_answer_init(&x->answer, req->method == HTTP_HEAD, &head_read);
	x->ops = ops;
	x->arg = arg;
	x->streamed = req->streamed;
	x->chunked = req->streamed && req->streamed_length < 0;
	x->upload_left = req->streamed && !x->chunked ? (uint64_t)req->streamed_length : 0;
	x->upload_ended = !req->streamed;
	x->first_byte_ms = req->first_byte_ms;
	x->idle_ms = req->idle_ms;
	x->conn = conn_take(u, req->fresh, &conn_ops, x);
	add_head(&x->conn->out, u, req);
	conn_send_all(x->conn, req->body);
	note_sending(x);
	return x;
}

static void
send_chunk(struct exchange *x, struct str piece)
{
	char size[24];
	int len = snprintf(size, sizeof(size), "%zx\r\n", piece.len);
	struct str parts[] = {{size, (size_t)len}, piece, {"\r\n", 2}};

	conn_send(x->conn, parts, 3);
}

bool
exchange_send(struct exchange *x, struct str piece)
{
	assert(x->streamed && !x->upload_ended && x->phase != ENDED);
	/* An empty chunk would be the last one. */
	if (piece.len == 0 || x->upload_stopped)
		return !x->full;
	if (x->chunked) {
		send_chunk(x, piece);
	} else {
		assert(piece.len <= x->upload_left);
		x->upload_left -= piece.len;
		conn_send(x->conn, &piece, 1);
	}
	note_sending(x);
	x->full = conn_pending(x->conn) > BACKLOG_BYTES_MAX;
	return !x->full;
}

void
exchange_send_end(struct exchange *x)
{
	struct str last = {"0\r\n\r\n", 5};

	assert(x->streamed && !x->upload_ended && x->phase != ENDED);
	assert(x->chunked || x->upload_left == 0 || x->upload_stopped);
	x->upload_ended = true;
	if (x->upload_stopped)
		return;
	if (x->chunked)
		conn_send(x->conn, &last, 1);
	note_sending(x);
}

void
exchange_pause(struct exchange *x, bool paused)
{
	if (x->phase == ENDED || x->paused == paused)
		return;
	x->paused = paused;
	if (x->conn->state == CONN_OPEN)
		conn_pause(x->conn, paused);
	if (x->phase == ANSWERING)
		set_limit(x);
}

void
exchange_cancel(struct exchange **xp)
{
	struct exchange *x = *xp;
	struct loop *l;

	*xp = NULL;
	if (x == NULL || x->phase == ENDED)
		return;
	l = x->conn->upstream->loop;
	conn_close(x->conn);
	bury(x, l);
}

bool
exchange_was_sent(const struct exchange *x)
{
	return x->sent;
}
