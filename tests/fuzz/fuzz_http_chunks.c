/* Chunked bodies: cut anywhere, they decode to the same bytes and the same end. */
#include "base/buf.h"
#include "fuzz.h"
#include "proto/http.h"

#include <stdlib.h>
#include <string.h>

struct decoding {
	struct http_chunks chunks;
	enum http_read end;
	struct buf out;
	size_t used;
};

static void
decode(struct decoding *d, struct str piece)
{
	struct str in = piece, slice;

	while ((d->end = http_chunks_next(&d->chunks, &in, &slice)) == HTTP_DATA) {
		CLAIM(slice.len > 0 && slice.ptr >= piece.ptr);
		buf_add(&d->out, slice.ptr, slice.len);
	}
	CLAIM(d->end == HTTP_MORE ? in.len == 0 : d->end != HTTP_HEAD_READ);
	d->used += piece.len - in.len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct decoding whole = {.end = HTTP_MORE}, pieces = {.end = HTTP_MORE};
	struct cutter c = cutter_of(text);

	http_chunks_init(&whole.chunks);
	http_chunks_init(&pieces.chunks);
	decode(&whole, text);
	while (c.rest.len > 0 && pieces.end == HTTP_MORE)
		decode(&pieces, cutter_next(&c));
	CLAIM(whole.end == pieces.end && whole.used == pieces.used);
	CLAIM(whole.out.len == pieces.out.len && whole.out.len <= size);
	CLAIM(whole.out.len == 0 || memcmp(whole.out.data, pieces.out.data, whole.out.len) == 0);
	buf_finish(&whole.out);
	buf_finish(&pieces.out);
	return 0;
}
