/*
 * The reader of an answer. A head that arrives whole is read where it lies; only
 * one that comes in pieces is gathered in `pending`. Once HTTP_BAD or HTTP_END
 * was returned, the same is returned for ever.
 */
#include "proto/http_answer.h"

#include "http_fields.h"

#include <stdlib.h>
#include <string.h>

enum answer_step { HEAD, BODY_LENGTH, BODY_CHUNKED, BODY_UNTIL_CLOSE, BODY_NONE, ENDED, BROKEN };

void
http_answer_init(struct http_answer *a, bool to_head, struct http_head *head)
{
	a->step = HEAD;
	a->interim = 0;
	a->to_head = to_head;
	a->why = NULL;
	a->left = 0;
	a->pending = (struct buf){0};
	a->head = head;
}

void
http_answer_finish(struct http_answer *a)
{
	buf_finish(&a->pending);
}

static enum http_read
broken(struct http_answer *a, const char *why)
{
	a->step = BROKEN;
	a->why = why;
	return HTTP_BAD;
}

/* "HTTP/1.1 200 OK"; the reason may be empty, its space missing. */
static const char *
read_status_line(struct str line, struct http_head *h)
{
	const char *p = line.ptr;

	if (line.len < 12 || memcmp(p, "HTTP/1.", 7) != 0 || (p[7] != '0' && p[7] != '1') ||
	    p[8] != ' ')
		return "the node's answer is no HTTP/1.x";
	if (p[9] < '1' || p[9] > '5' || !http_is_digit(p[10]) || !http_is_digit(p[11]) ||
	    (line.len > 12 && p[12] != ' '))
		return "invalid status in the node's answer";
	h->minor_version = p[7] - '0';
	h->status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
	if (line.len > 13)
		h->reason = (struct str){p + 13, line.len - 13};
	if (http_span(h->reason, HTTP_VALUE) < h->reason.len)
		return "control character in the node's status line";
	return NULL;
}

/* HTTP_HEAD_READ for any head, also of a 1xx. */
static enum http_read
read_head(struct http_answer *a, struct str bytes)
{
	struct http_lines lines = {bytes, 0, HTTP_ANSWER_HEAD_BYTES_MAX, HTTP_ANSWER_HEAD_BYTES_MAX};
	struct http_facts facts = {0};
	struct str line;
	int status;

	http_head_init(a->head);
	switch (http_lines_next(&lines, &line)) {
	case HTTP_LINE_MORE: return HTTP_MORE;
	case HTTP_LINE_BAD: return broken(a, "invalid status line in the node's answer");
	case HTTP_LINE_LONG: return broken(a, "status line too long in the node's answer");
	case HTTP_LINE_READ: break;
	}
	a->why = read_status_line(line, a->head);
	if (a->why != NULL)
		return broken(a, a->why);
	status = http_fields_read(&lines, a->head, &facts, &a->why);
	if (status == 0)
		return HTTP_MORE;
	if (status == 200)
		status = http_frame(a->head, &facts, HTTP_UNTIL_CLOSE, &a->why);
	return status == 200 ? HTTP_HEAD_READ : broken(a, a->why);
}

/* RFC 9112 6.3, by the status before the framing headers. */
static void
start_body(struct http_answer *a)
{
	struct http_head *h = a->head;

	/* RFC 9110 8.6, 9112 6.1: 204 must not announce a body, and so it may follow. */
	if (h->status == 204 && (h->framing == HTTP_CHUNKED || h->length > 0))
		h->keep_alive = false;
	if (h->status == 204 || h->status == 304 || a->to_head) {
		if (h->framing == HTTP_UNTIL_CLOSE || h->status == 204)
			h->framing = HTTP_NO_BODY;
		a->step = BODY_NONE;
		return;
	}
	switch (h->framing) {
	case HTTP_NO_BODY: abort();
	case HTTP_LENGTH:
		a->left = h->length;
		a->step = a->left == 0 ? BODY_NONE : BODY_LENGTH;
		return;
	case HTTP_CHUNKED:
		http_chunks_init(&a->chunks);
		a->step = BODY_CHUNKED;
		return;
	case HTTP_UNTIL_CLOSE:
		h->keep_alive = false;
		a->step = BODY_UNTIL_CLOSE;
		return;
	}
	abort();
}

static struct str
skip(struct str s, size_t n)
{
	return (struct str){s.ptr + n, s.len - n};
}

/* Reads one head from what is pending and `in`, and takes its bytes off `in`. */
static enum http_read
take_head(struct http_answer *a, struct str *in)
{
	size_t before = a->pending.len, room = HTTP_ANSWER_HEAD_BYTES_MAX - before;
	size_t taken = in->len < room ? in->len : room;
	struct str bytes = *in;
	enum http_read got;

	if (before > 0) {
		buf_add(&a->pending, in->ptr, taken);
		bytes = (struct str){a->pending.data, a->pending.len};
	}
	got = read_head(a, bytes);
	if (got == HTTP_MORE && before == 0)
		buf_add(&a->pending, in->ptr, in->len);
	*in = skip(*in, got == HTTP_HEAD_READ ? a->head->bytes - before : in->len);
	return got;
}

static enum http_read
next_head(struct http_answer *a, struct str *in)
{
	while (in->len > 0) {
		enum http_read got = take_head(a, in);

		if (got != HTTP_HEAD_READ)
			return got;
		if (a->head->status == 101)
			return broken(a, "the node switched protocols");
		if (a->head->status == 426)
			return broken(a, "the node wants another protocol");
		if (a->head->status >= 200) {
			start_body(a);
			return HTTP_HEAD_READ;
		}
		if (++a->interim > HTTP_INTERIM_MAX)
			return broken(a, "too many interim answers of the node");
		buf_clear(&a->pending);
	}
	return HTTP_MORE;
}

static enum http_read
next_of_length(struct http_answer *a, struct str *in, struct str *data)
{
	if (in->len == 0)
		return HTTP_MORE;
	*data = (struct str){in->ptr, in->len < a->left ? in->len : (size_t)a->left};
	*in = skip(*in, data->len);
	a->left -= data->len;
	if (a->left == 0)
		a->step = BODY_NONE;
	return HTTP_DATA;
}

static enum http_read
next_chunk(struct http_answer *a, struct str *in, struct str *data)
{
	enum http_read got = http_chunks_next(&a->chunks, in, data);

	if (got == HTTP_END)
		a->step = ENDED;
	return got == HTTP_BAD ? broken(a, "invalid chunk in the node's answer") : got;
}

enum http_read
http_answer_next(struct http_answer *a, struct str *in, struct str *data)
{
	switch ((enum answer_step)a->step) {
	case HEAD: return next_head(a, in);
	case BODY_LENGTH: return next_of_length(a, in, data);
	case BODY_CHUNKED: return next_chunk(a, in, data);
	case BODY_UNTIL_CLOSE:
		if (in->len == 0)
			return HTTP_MORE;
		*data = *in;
		*in = skip(*in, in->len);
		return HTTP_DATA;
	case BODY_NONE: a->step = ENDED; return HTTP_END;
	case ENDED: return HTTP_END;
	case BROKEN: return HTTP_BAD;
	}
	abort();
}

enum http_read
http_answer_eof(struct http_answer *a)
{
	switch ((enum answer_step)a->step) {
	case BODY_UNTIL_CLOSE:
	case BODY_NONE:
	case ENDED: a->step = ENDED; return HTTP_END;
	case HEAD: return broken(a, "the node closed before a whole head");
	case BODY_LENGTH:
	case BODY_CHUNKED: return broken(a, "the node closed in the middle of the body");
	case BROKEN: return HTTP_BAD;
	}
	abort();
}
