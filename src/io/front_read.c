/*
 * Heads and bodies from bytes.
 *
 * Heads are parsed where they lie and copied once they are whole, into one block
 * with the request, as long as they are and no longer. Bodies are handed over in
 * the pieces in which they came.
 *
 * Each call makes at most one call of the handler, as its last act: the handler
 * may end the request, and with it the connection.
 */
#include "front_req.h"

#include "base/clock.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void
consume(struct front_conn *c, size_t n)
{
	c->in.ptr += n;
	c->in.len -= n;
}

/* A slice of the bytes that were parsed moves with them; others are constants. */
static void
move_slice(struct str *s, struct str from, const char *to)
{
	if (s->ptr >= from.ptr && s->ptr <= from.ptr + from.len)
		s->ptr = to + (s->ptr - from.ptr);
}

/* In one block: the request, the head with as many headers as there are, its bytes. */
static struct front_req *
req_create(struct front_conn *c, const struct http_head *head, struct str bytes)
{
	size_t head_size =
	    offsetof(struct http_head, headers) + head->header_count * sizeof(head->headers[0]);
	char *block = mem_alloc(sizeof(struct front_req) + head_size + bytes.len);
	struct front_req *r = (void *)block;
	struct http_head *h = (void *)(block + sizeof(*r));
	char *copy = block + sizeof(*r) + head_size;

	*r = (struct front_req){.conn = c, .head = h};
	list_init(&r->due_link);
	r->close = !head->keep_alive;
	r->body_left = head->framing == HTTP_LENGTH ? head->length : 0;
	http_chunks_init(&r->chunks);
	memcpy(h, head, head_size);
	memcpy(copy, bytes.ptr, bytes.len);
	move_slice(&h->target, bytes, copy);
	move_slice(&h->path, bytes, copy);
	move_slice(&h->authority, bytes, copy);
	for (size_t i = 0; i < h->header_count; i++) {
		move_slice(&h->headers[i].name, bytes, copy);
		move_slice(&h->headers[i].value, bytes, copy);
	}
	return r;
}

void
front_req_free(struct front_req *r)
{
	struct front *f = r->conn->front;

	list_remove(&r->due_link);
	if (f->spare.data == NULL && r->staged.cap <= FRONT_STAGED_KEPT) {
		buf_clear(&r->staged);
		f->spare = r->staged;
	} else {
		buf_finish(&r->staged);
	}
	free(r);
}

/* Returns whether a head begins. A CR alone may still become an empty line. */
static bool
skip_empty_lines(struct front_conn *c)
{
	size_t n;

	while ((n = http_skip_empty_lines(c->in)) > 0)
		consume(c, n);
	return c->in.len > 0 && !str_eq(c->in, "\r");
}

/* A client that sends a head byte by byte has it parsed once a line. */
static bool
has_new_line(const struct front_conn *c)
{
	size_t seen = c->head_seen;

	return c->in.len >= HTTP_LINE_BYTES_MAX ||
	       memchr(c->in.ptr + seen, '\n', c->in.len - seen) != NULL;
}

static void
wait_for_head(struct front_conn *c)
{
	c->head_seen = c->in.len;
	if (c->state == FRONT_CONN_HEAD)
		return;
	c->state = FRONT_CONN_HEAD;
	timer_start(&c->read_timer, c->front->limits.head_ms);
}

/* A body without a byte needs no reading, but the handler is still told of its end. */
bool
front_read_head(struct front_conn *c)
{
	struct front *f = c->front;
	struct front_req *r;
	const char *why;
	int status;

	if (c->state == FRONT_CONN_IDLE && !skip_empty_lines(c))
		return false;
	if (c->state == FRONT_CONN_HEAD && !has_new_line(c)) {
		wait_for_head(c);
		return false;
	}
	status = http_parse_request_head(c->in, &f->scratch, &why);
	if (status == 0) {
		wait_for_head(c);
		return false;
	}
	/* RFC 9110 7.4: what is asked for by https must have come so. */
	if (status == 200 && f->scratch.is_https && !c->tls.wanted) {
		status = 421;
		why = "https was asked for in the clear";
	}
	if (status != 200) {
		front_conn_refuse(c, status, why, &f->scratch);
		return true;
	}
	r = req_create(c, &f->scratch, (struct str){c->in.ptr, f->scratch.bytes});
	consume(c, f->scratch.bytes);
	front_conn_begin(c, r);
	f->ops->on_request(r, f->arg);
	return true;
}

static void
bad_body(struct front_req *r, int status, const char *why)
{
	struct front *f = r->conn->front;

	timer_stop(&r->conn->read_timer);
	r->body = FRONT_BODY_BAD;
	f->ops->on_bad_body(r, status, why, f->arg);
}

static void
body_end(struct front_req *r)
{
	struct front *f = r->conn->front;

	timer_stop(&r->conn->read_timer);
	r->body = FRONT_BODY_DONE;
	f->ops->on_body_end(r, f->arg);
}

/* After a grace of body_ms, a body must have come at FRONT_BODY_RATE: one byte now and then
 * keeps no request open. */
static bool
is_too_slow(const struct front_req *r)
{
	int64_t took_ms = clock_now_ms() - r->body_began_ms;

	return took_ms - r->conn->front->limits.body_ms > r->body_bytes * 1000 / FRONT_BODY_RATE;
}

static void
hand_over(struct front_req *r, struct str piece)
{
	struct front *f = r->conn->front;

	if (r->body_max_bytes - r->body_bytes < (int64_t)piece.len) {
		bad_body(r, 413, "request body too large");
		return;
	}
	r->body_bytes += (int64_t)piece.len;
	if (is_too_slow(r)) {
		bad_body(r, 408, "the body of the request comes too slowly");
		return;
	}
	timer_start(&r->conn->read_timer, f->limits.body_ms);
	f->ops->on_body(r, piece, f->arg);
}

static bool
read_counted(struct front_req *r)
{
	struct str piece = r->conn->in;

	if (r->body_left == 0) {
		body_end(r);
		return true;
	}
	if (piece.len == 0)
		return false;
	if (piece.len > r->body_left)
		piece.len = (size_t)r->body_left;
	r->body_left -= piece.len;
	consume(r->conn, piece.len);
	hand_over(r, piece);
	return true;
}

static bool
read_chunked(struct front_req *r)
{
	struct front_conn *c = r->conn;
	struct str data;

	if (c->in.len == 0)
		return false;
	switch (http_chunks_next(&r->chunks, &c->in, &data)) {
	case HTTP_DATA: hand_over(r, data); break;
	case HTTP_END: body_end(r); break;
	case HTTP_BAD: bad_body(r, 400, "malformed chunked body"); break;
	case HTTP_MORE:
	case HTTP_HEAD_READ: break;
	}
	return true;
}

bool
front_read_more(struct front_req *r)
{
	if (r->body != FRONT_BODY_READING)
		return false;
	if (r->head->framing == HTTP_CHUNKED)
		return read_chunked(r);
	if (r->head->framing == HTTP_LENGTH && r->body_max_bytes < (int64_t)r->head->length) {
		bad_body(r, 413, "request body too large");
		return true;
	}
	return read_counted(r);
}

void
front_read_timed_out(struct front_req *r)
{
	bad_body(r, 408, "the body of the request does not come");
}

/* Only what is there: nothing is waited for. */
bool
front_read_settle(struct front_req *r)
{
	struct front_conn *c = r->conn;

	if (r->body == FRONT_BODY_HELD && r->head->framing != HTTP_CHUNKED &&
	    c->in.len >= r->body_left) {
		r->body = FRONT_BODY_DONE;
		if (r->body_left > 0) {
			consume(c, (size_t)r->body_left);
			front_conn_wake(c);
		}
	}
	return r->body == FRONT_BODY_DONE;
}

void
front_read_body(struct front_req *r, int64_t max_bytes)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const struct http_head *h = r->head;

	assert(r->body == FRONT_BODY_HELD);
	r->body = FRONT_BODY_READING;
	r->body_max_bytes = max_bytes;
	r->body_began_ms = clock_now_ms();
	if (h->expects_continue && !(h->framing == HTTP_LENGTH && max_bytes < (int64_t)h->length) &&
	    r->conn->in.len == 0)
		front_wire_write(r->conn, go_on, sizeof(go_on) - 1);
	if (h->framing != HTTP_NO_BODY)
		timer_start(&r->conn->read_timer, r->conn->front->limits.body_ms);
	front_conn_wake(r->conn);
}

/* Time that the handler takes does not count against the client. */
void
front_pause_body(struct front_req *r, bool paused)
{
	if (paused && r->body == FRONT_BODY_READING) {
		r->body = FRONT_BODY_PAUSED;
		r->paused_at_ms = clock_now_ms();
		timer_stop(&r->conn->read_timer);
	} else if (!paused && r->body == FRONT_BODY_PAUSED) {
		r->body = FRONT_BODY_READING;
		r->body_began_ms += clock_now_ms() - r->paused_at_ms;
		timer_start(&r->conn->read_timer, r->conn->front->limits.body_ms);
		front_conn_wake(r->conn);
	}
}
