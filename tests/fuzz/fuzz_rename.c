/*
 * Another name in answers. The first byte picks dialect and form. Cut anywhere, the same comes out;
 * what was renamed once stays as it is; and nothing is left that was not handed on.
 */
#include "fuzz.h"

#include "proto/rename.h"

#include <string.h>

static struct rename *
begin(unsigned char pick)
{
	static const enum dialect dialects[] = {DIALECT_OLLAMA, DIALECT_OPENAI, DIALECT_ANTHROPIC};
	static const enum stream_form forms[] = {STREAM_NONE, STREAM_NDJSON, STREAM_SSE};

	return rename_create(dialects[pick % 3], forms[pick / 3 % 3], "model", "my \"own\"");
}

static void
rename_whole(unsigned char pick, struct str text, struct buf *out)
{
	struct rename *r = begin(pick);

	rename_feed(r, text, out);
	rename_end(r, out);
	rename_destroy(&r);
}

static void
rename_pieces(unsigned char pick, struct str text, struct buf *out)
{
	struct rename *r = begin(pick);
	struct cutter c = cutter_of(text);

	while (c.rest.len > 0)
		rename_feed(r, cutter_next(&c), out);
	rename_end(r, out);
	rename_destroy(&r);
}

static void
claim_equal(const struct buf *a, const struct buf *b)
{
	CLAIM(a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = {0}, pieces = {0}, again = {0};
	struct str text;

	if (size < 1)
		return 0;
	text = (struct str){(const char *)data + 1, size - 1};
	rename_whole(data[0], text, &whole);
	rename_pieces(data[0], text, &pieces);
	claim_equal(&whole, &pieces);
	rename_whole(data[0], (struct str){buf_text(&whole), whole.len}, &again);
	claim_equal(&whole, &again);
	if (memmem(text.ptr, text.len, "\"", 1) == NULL)
		CLAIM(whole.len == text.len && memcmp(buf_text(&whole), text.ptr, text.len) == 0);
	buf_finish(&whole);
	buf_finish(&pieces);
	buf_finish(&again);
	return 0;
}
