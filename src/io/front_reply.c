/*
 * Answers to bytes. What a handler gives is staged, and leaves in one write when
 * it says so; of a stream, that is one system call a piece and no memory.
 *
 * How an answer is framed (RFC 9112 6): none for HEAD, 204 and 304; a length
 * where it is known; else chunked, or until close for a client of HTTP/1.0.
 */
#include "front_req.h"

#include <assert.h>
#include <string.h>

enum { DUE_BYTES_MAX = 4096 }; /* of what waits for the end of the turn */

static void
add_hex(struct buf *out, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * sizeof(n)];
	size_t at = sizeof(text);

	do {
		text[--at] = digits[n % 16];
		n /= 16;
	} while (n > 0);
	buf_add(out, text + at, sizeof(text) - at);
}

static enum http_framing
choose_framing(const struct front_req *r, const struct front_head *head)
{
	if (r->head->method == HTTP_HEAD || head->status == 204 || head->status == 304)
		return HTTP_NO_BODY;
	if (head->length >= 0)
		return HTTP_LENGTH;
	return r->head->minor_version == 0 ? HTTP_UNTIL_CLOSE : HTTP_CHUNKED;
}

static void
add_framing(struct front_req *r, const struct front_head *head)
{
	struct buf *out = &r->staged;

	if (head->length >= 0 && head->status != 204) {
		buf_adds(out, "Content-Length: ");
		buf_add_int(out, head->length);
		buf_adds(out, "\r\n");
	} else if (r->framing == HTTP_CHUNKED) {
		buf_adds(out, "Transfer-Encoding: chunked\r\n");
	}
	if (r->close)
		buf_adds(out, "Connection: close\r\n");
	else if (r->head->minor_version == 0)
		buf_adds(out, "Connection: keep-alive\r\n");
}

static void
add_status_line(struct front_req *r, const struct front_head *head)
{
	struct buf *out = &r->staged;

	buf_adds(out, "HTTP/1.1 ");
	buf_add_int(out, head->status);
	buf_addc(out, ' ');
	if (head->reason.ptr != NULL)
		buf_add(out, head->reason.ptr, head->reason.len);
	else
		buf_adds(out, http_reason(head->status));
	buf_adds(out, "\r\nDate: ");
	buf_adds(out, front_date(r->conn->front));
	buf_adds(out, "\r\n");
}

void
front_reply_head(struct front_req *r, const struct front_head *head)
{
	assert(!r->replied);
	r->replied = true;
	r->framing = choose_framing(r, head);
	r->left = r->framing == HTTP_LENGTH ? (uint64_t)head->length : 0;
	if (!front_read_settle(r) || r->framing == HTTP_UNTIL_CLOSE || r->conn->front->stopping ||
	    r->conn->front->retired)
		r->close = true;
	r->staged = r->conn->front->spare;
	r->conn->front->spare = (struct buf){0};
	add_status_line(r, head);
	buf_add(&r->staged, head->headers.ptr, head->headers.len);
	add_framing(r, head);
	buf_adds(&r->staged, "\r\n");
}

void
front_reply_body(struct front_req *r, struct str piece)
{
	assert(r->replied);
	if (piece.len == 0)
		return;
	switch (r->framing) {
	case HTTP_NO_BODY: break;
	case HTTP_LENGTH:
		assert(piece.len <= r->left);
		r->left -= piece.len;
		buf_add(&r->staged, piece.ptr, piece.len);
		break;
	case HTTP_CHUNKED:
		add_hex(&r->staged, piece.len);
		buf_add(&r->staged, "\r\n", 2);
		buf_add(&r->staged, piece.ptr, piece.len);
		buf_add(&r->staged, "\r\n", 2);
		break;
	case HTTP_UNTIL_CLOSE: buf_add(&r->staged, piece.ptr, piece.len); break;
	}
}

void
front_reply_flush(struct front_req *r)
{
	list_remove(&r->due_link);
	if (r->staged.len == 0)
		return;
	front_wire_write(r->conn, r->staged.data, r->staged.len);
	r->flushed_bytes += r->staged.len;
	if (r->staged.cap > FRONT_STAGED_KEPT)
		buf_finish(&r->staged);
	else
		buf_clear(&r->staged);
	r->full = r->full || front_wire_queued(r->conn) > FRONT_OUTPUT_FULL;
}

void
front_reply_flush_soon(struct front_req *r)
{
	struct front *f = r->conn->front;

	if (r->staged.len > DUE_BYTES_MAX) {
		front_reply_flush(r);
	} else if (!list_linked(&r->due_link)) {
		list_add_last(&f->due, &r->due_link);
		waker_wake(&f->due_turn);
	}
}

void
front_on_due_turn(void *arg)
{
	struct front *f = arg;
	struct front_req *r;

	while ((r = LIST_FIRST(&f->due, struct front_req, due_link)) != NULL)
		front_reply_flush(r);
}

bool
front_reply_is_full(const struct front_req *r)
{
	return r->full;
}

void
front_reply_taken(struct front_req *r)
{
	struct front *f = r->conn->front;

	if (!r->full || front_wire_queued(r->conn) > FRONT_OUTPUT_LOW)
		return;
	r->full = false;
	f->ops->on_drained(r, f->arg);
}

bool
front_reply_needs_reset(const struct front_req *r)
{
	return r->replied && r->framing == HTTP_UNTIL_CLOSE;
}

static bool
has_unread_input(const struct front_req *r)
{
	return r->body != FRONT_BODY_DONE || r->conn->in.len > 0;
}

void
front_reply_end(struct front_req *r)
{
	enum front_then then = FRONT_THEN_NEXT;

	assert(r->replied && r->left == 0);
	if (r->framing == HTTP_CHUNKED)
		buf_adds(&r->staged, "0\r\n\r\n");
	front_reply_flush(r);
	if (r->close)
		then =
		    has_unread_input(r) || r->conn->front->retired ? FRONT_THEN_LINGER : FRONT_THEN_CLOSE;
	front_conn_end(r->conn, then);
}

/* Without its last chunk, or short of its length, an answer is seen to be cut when the connection
 * closes, and an orderly close loses no byte of it. One that ends with the connection needs RST. */
void
front_reply_cut(struct front_req *r)
{
	enum front_then then = has_unread_input(r) ? FRONT_THEN_LINGER : FRONT_THEN_CLOSE;

	front_reply_flush(r);
	if (front_reply_needs_reset(r))
		then = FRONT_THEN_RESET;
	front_conn_end(r->conn, then);
}

void
front_reply_close_after(struct front_req *r)
{
	r->close = true;
}
