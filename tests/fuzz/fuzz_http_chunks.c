/* Chunked bodies: cut anywhere, they decode to the same bytes and the same end. */
#include "base/buf.h"
#include "proto/http.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static enum http_read
decode(struct str text, size_t step, struct buf *out, size_t *used)
{
	enum http_read got = HTTP_MORE;
	struct http_chunks c;

	http_chunks_init(&c);
	*used = 0;
	while (*used < text.len && got != HTTP_END && got != HTTP_BAD) {
		size_t left = text.len - *used;
		struct str piece = {text.ptr + *used, left < step ? left : step}, in = piece, slice;

		while ((got = http_chunks_next(&c, &in, &slice)) == HTTP_DATA) {
			require(slice.len > 0 && slice.ptr >= piece.ptr);
			buf_add(out, slice.ptr, slice.len);
		}
		require(got == HTTP_MORE ? in.len == 0 : got != HTTP_HEAD_READ);
		*used += piece.len - in.len;
	}
	return got;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct buf whole = {0}, pieces = {0};
	size_t used_whole, used_pieces;
	enum http_read a = decode(text, size + 1, &whole, &used_whole);
	enum http_read b = decode(text, 1 + (size > 0 ? data[0] % 7 : 0), &pieces, &used_pieces);

	require(a == b && used_whole == used_pieces && whole.len == pieces.len);
	require(whole.len == 0 || memcmp(whole.data, pieces.data, whole.len) == 0);
	require(whole.len <= size);
	buf_finish(&whole);
	buf_finish(&pieces);
	return 0;
}
