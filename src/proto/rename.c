/*
 * Another name in an answer, found by the scanner of JSON wherever pieces end.
 *
 * Invariant: between two pieces all was handed on but `held`, which is empty unless a value that is
 * to be replaced has begun.
 */
#include "proto/rename.h"

#include "base/mem.h"
#include "proto/json.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A name that is longer is none; the keys that are looked for are short. */
enum { HELD_MOST_BYTES = 4096, KEY_MOST_BYTES = 16 };

/* A line of an event stream. */
enum line_state { LINE_FIELD, LINE_DATA, LINE_OTHER };

struct rename {
	struct json_scanner *json; /* owned */
	enum stream_form form;
	const char *key;
	const char *wrap; /* of the object that may have it inside; NULL: none has */
	struct buf name;  /* in its quotes */
	/* Of a record: */
	bool passes;   /* it is no JSON */
	uint64_t seen; /* bytes of it, before the piece */
	bool at_name;  /* the next value is that of the key */
	bool in_wrap;  /* the value at the top is that object */
	bool in_name;
	struct buf held;
	size_t key_len; /* more than fits: it is none that is looked for */
	char key_text[KEY_MOST_BYTES];
	/* Of what is being scanned: */
	struct str piece;
	size_t done; /* of the piece: handed on, held, or replaced */
	struct buf *out;
	/* Of an event stream: */
	enum line_state line;
	size_t field_len; /* of "data:" */
	bool after_cr;
};

static const char data_field[] = "data:";

static const char *
wrap_of(enum dialect d)
{
	switch (d) {
	case DIALECT_OLLAMA: return NULL;
	case DIALECT_OPENAI: return "response";
	case DIALECT_ANTHROPIC: return "message";
	}
	abort();
}

/* --- one record --- */

static void
begin_record(struct rename *r)
{
	json_scanner_restart(r->json, UINT64_MAX);
	r->passes = r->at_name = r->in_wrap = false;
	r->seen = 0;
}

static bool
key_is(const struct rename *r, const char *key)
{
	return r->key_len <= KEY_MOST_BYTES && str_eq((struct str){r->key_text, r->key_len}, key);
}

static void
add_to_key(struct rename *r, struct str text)
{
	if (r->key_len + text.len <= KEY_MOST_BYTES)
		memcpy(r->key_text + r->key_len, text.ptr, text.len);
	r->key_len += text.len;
}

static void
end_key(struct rename *r, int depth)
{
	if (depth == 1)
		r->in_wrap = r->wrap != NULL && key_is(r, r->wrap);
	r->at_name = (depth == 1 || r->in_wrap) && key_is(r, r->key);
}

static void
hand_on(struct rename *r, size_t end, struct buf *to)
{
	buf_add(to, r->piece.ptr + r->done, end - r->done);
	r->done = end;
}

static void
begin_name(struct rename *r, uint64_t offset)
{
	hand_on(r, (size_t)(offset - r->seen), r->out);
	r->in_name = true;
}

static void
end_name(struct rename *r, uint64_t offset)
{
	r->done = (size_t)(offset - r->seen);
	r->in_name = r->at_name = false;
	buf_clear(&r->held);
	buf_add(r->out, r->name.data, r->name.len);
}

static bool
on_json(enum json_event event, struct str text, uint64_t offset, void *arg)
{
	struct rename *r = arg;
	int depth = json_scanner_depth(r->json);

	if (depth != 1 && depth != 2)
		return true;
	switch (event) {
	case JSON_KEY_BEGIN: r->key_len = 0; break;
	case JSON_KEY_PIECE: add_to_key(r, text); break;
	case JSON_KEY_END: end_key(r, depth); break;
	case JSON_STRING_BEGIN:
		if (r->at_name)
			begin_name(r, offset);
		break;
	case JSON_STRING_END:
		if (r->in_name)
			end_name(r, offset);
		break;
	case JSON_OBJECT_BEGIN:
	case JSON_ARRAY_BEGIN: r->at_name = false; break;
	case JSON_STRING_PIECE:
	case JSON_OBJECT_END:
	case JSON_ARRAY_END:
	case JSON_NUMBER:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL: break;
	}
	return true;
}

static void
let_go(struct rename *r, struct buf *out)
{
	if (r->held.len > 0)
		buf_add(out, r->held.data, r->held.len);
	buf_clear(&r->held);
	r->in_name = false;
}

static void
feed_record(struct rename *r, struct str bytes, struct buf *out)
{
	r->piece = bytes;
	r->done = 0;
	r->out = out;
	if (!r->passes && !json_scanner_feed(r->json, bytes))
		r->passes = true;
	if (r->in_name)
		hand_on(r, bytes.len, &r->held);
	if (r->in_name && (r->passes || r->held.len > HELD_MOST_BYTES)) {
		let_go(r, out);
		r->passes = true;
	}
	hand_on(r, bytes.len, out);
	r->seen += bytes.len;
}

/* --- records in a stream --- */

/* What the line has of it ends here; the line's end is white space to JSON. */
static void
feed_lines(struct rename *r, struct str piece, struct buf *out)
{
	const char *newline;

	while ((newline = memchr(piece.ptr, '\n', piece.len)) != NULL) {
		size_t len = (size_t)(newline + 1 - piece.ptr);

		feed_record(r, (struct str){piece.ptr, len}, out);
		begin_record(r);
		piece = (struct str){piece.ptr + len, piece.len - len};
	}
	feed_record(r, piece, out);
}

static bool
is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

/* A blank line ends the event; of any other the data goes on in the next one. */
static void
end_line(struct rename *r, char c, struct buf *out)
{
	bool second = c == '\n' && r->after_cr;

	if (!second && r->line == LINE_FIELD && r->field_len == 0) {
		rename_end(r, out);
		begin_record(r);
	}
	if (r->line == LINE_DATA)
		feed_record(r, (struct str){&c, 1}, out);
	else
		buf_addc(out, c);
	r->line = LINE_FIELD;
	r->field_len = 0;
	r->after_cr = c == '\r';
}

static void
feed_field(struct rename *r, char c, struct buf *out)
{
	buf_addc(out, c);
	r->after_cr = false;
	if (c != data_field[r->field_len])
		r->line = LINE_OTHER;
	else if (++r->field_len == sizeof(data_field) - 1)
		r->line = LINE_DATA;
}

static size_t
rest_of_line(struct str piece)
{
	size_t len = 0;

	while (len < piece.len && !is_line_end(piece.ptr[len]))
		len++;
	return len;
}

static void
feed_events(struct rename *r, struct str piece, struct buf *out)
{
	while (piece.len > 0) {
		size_t len = 1;

		if (is_line_end(*piece.ptr)) {
			end_line(r, *piece.ptr, out);
		} else if (r->line == LINE_FIELD) {
			feed_field(r, *piece.ptr, out);
		} else {
			len = rest_of_line(piece);
			if (r->line == LINE_DATA)
				feed_record(r, (struct str){piece.ptr, len}, out);
			else
				buf_add(out, piece.ptr, len);
		}
		piece = (struct str){piece.ptr + len, piece.len - len};
	}
}

struct rename *
rename_create(enum dialect d, enum stream_form form, const char *key, const char *name)
{
	struct rename *r = NEW(struct rename);

	r->form = form;
	r->key = key;
	r->wrap = wrap_of(d);
	buf_add_json(&r->name, name, strlen(name));
	r->json = json_scanner_create(on_json, r, UINT64_MAX);
	return r;
}

void
rename_destroy(struct rename **rp)
{
	struct rename *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	json_scanner_destroy(&r->json);
	buf_finish(&r->name);
	buf_finish(&r->held);
	free(r);
}

void
rename_feed(struct rename *r, struct str piece, struct buf *out)
{
	switch (r->form) {
	case STREAM_NONE: feed_record(r, piece, out); return;
	case STREAM_NDJSON: feed_lines(r, piece, out); return;
	case STREAM_SSE: feed_events(r, piece, out); return;
	}
}

void
rename_end(struct rename *r, struct buf *out)
{
	let_go(r, out);
}
