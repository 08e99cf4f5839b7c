/* Answers of nodes: cut anywhere, they read the same. The first byte says to what. */
#include "base/buf.h"
#include "base/mem.h"
#include "fuzz.h"
#include "proto/http_answer.h"

#include <stdlib.h>
#include <string.h>

struct reading {
	enum http_read end;
	int heads;
	struct buf text; /* the head's fields, then the body */
	size_t used;
};

static void
note_head(struct reading *r, const struct http_head *h)
{
	CLAIM(++r->heads == 1 && h->status >= 200 && h->status < 600);
	buf_addf(&r->text, "%d %.*s %d %llu %d", h->status, STR_ARG(h->reason), (int)h->framing,
	         (unsigned long long)h->length, h->keep_alive);
	for (size_t i = 0; i < h->header_count; i++)
		buf_addf(&r->text, "\n%.*s:%.*s", STR_ARG(h->headers[i].name),
		         STR_ARG(h->headers[i].value));
}

/* False once nothing more is to be read. */
static bool
read_piece(struct reading *r, struct http_answer *a, struct str in)
{
	size_t len = in.len;
	struct str slice;

	for (;;) {
		r->end = http_answer_next(a, &in, &slice);
		switch (r->end) {
		case HTTP_HEAD_READ: note_head(r, a->head); break;
		case HTTP_DATA:
			CLAIM(slice.len > 0);
			buf_add(&r->text, slice.ptr, slice.len);
			break;
		case HTTP_MORE:
			CLAIM(in.len == 0);
			r->used += len;
			return true;
		case HTTP_END:
		case HTTP_BAD: r->used += len - in.len; return false;
		}
	}
}

/* Whole, or cut into pieces. */
static void
read_answer(struct reading *r, struct str text, bool to_head, bool cut)
{
	struct cutter c = cutter_of(text);
	struct http_answer a;
	struct http_head head;
	bool more = true;

	*r = (struct reading){.end = HTTP_MORE};
	http_answer_init(&a, to_head, &head);
	while (more && c.rest.len > 0) {
		struct str piece = cut ? cutter_next(&c) : c.rest;
		/* A copy of the exact size: a slice kept for too long is seen. */
		char *copy = mem_alloc(piece.len);

		memcpy(copy, piece.ptr, piece.len);
		more = read_piece(r, &a, (struct str){copy, piece.len}) && cut;
		free(copy);
	}
	if (r->end == HTTP_MORE)
		r->end = http_answer_eof(&a);
	CLAIM((r->end == HTTP_BAD) == (a.why != NULL));
	http_answer_finish(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reading whole, pieces;
	struct str text = {(const char *)data + 1, size - 1};

	if (size == 0)
		return 0;
	read_answer(&whole, text, (data[0] & 1) != 0, false);
	read_answer(&pieces, text, (data[0] & 1) != 0, true);
	CLAIM(whole.end == pieces.end);
	if (whole.end == HTTP_END) {
		CLAIM(whole.used == pieces.used && whole.text.len == pieces.text.len);
		CLAIM(memcmp(buf_text(&whole.text), buf_text(&pieces.text), whole.text.len) == 0);
	}
	buf_finish(&whole.text);
	buf_finish(&pieces.text);
	return 0;
}
