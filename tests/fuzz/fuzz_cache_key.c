/*
 * The first byte picks a family, the rest is a body. Its key is the same however the
 * body is cut, and however it is written: the events are written down again with
 * other spaces, escapes and numbers. A body that differs from it in one character of
 * one text has another key.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "proto/cache_key.h"

#include <string.h>

enum { NODES_MAX = 10000 };

/* Writes down what the scanner tells. */
struct scribe {
	struct json_scanner *scanner;
	struct buf out;
	bool open;   /* a value or key has been written behind the last bracket */
	bool key;    /* the last one was a key */
	int changed; /* the number of the text that gets one more character; -1: none */
	int texts;   /* ended so far, without the keys */
};

static void
separate(struct scribe *s)
{
	if (s->key)
		buf_adds(&s->out, " :\n");
	else if (s->open)
		buf_adds(&s->out, "\t,");
	s->key = false;
}

static void
write_piece(struct scribe *s, struct str piece)
{
	for (size_t i = 0, n; i < piece.len; i += n) {
		unsigned char c = (unsigned char)piece.ptr[i];

		n = str_utf8_len(piece.ptr + i, piece.len - i);
		CLAIM(n > 0);
		if (n == 1)
			buf_addf(&s->out, "\\u%04x", c);
		else
			buf_add(&s->out, piece.ptr + i, n);
	}
}

/* 15 as 15 and 1.5 as 15e-1: with a power of ten where there was none. */
static void
write_number(struct scribe *s, struct str number)
{
	bool has_power = memchr(number.ptr, 'e', number.len) || memchr(number.ptr, 'E', number.len);

	buf_add(&s->out, number.ptr, number.len);
	if (!has_power && number.len + 6 < JSON_NUMBER_MAX) {
		if (memchr(number.ptr, '.', number.len) == NULL)
			buf_adds(&s->out, ".0");
		buf_adds(&s->out, "0E+00");
	}
}

static bool
write_down(enum json_event event, struct str text, uint64_t offset, void *arg)
{
	struct scribe *s = arg;

	switch (event) {
	case JSON_KEY_BEGIN:
	case JSON_STRING_BEGIN:
		separate(s);
		buf_addc(&s->out, '"');
		return true;
	case JSON_KEY_PIECE:
	case JSON_STRING_PIECE: write_piece(s, text); return true;
	case JSON_STRING_END: buf_adds(&s->out, s->texts++ == s->changed ? "!\"" : "\""); break;
	case JSON_KEY_END:
		buf_addc(&s->out, '"');
		s->key = true;
		return true;
	case JSON_OBJECT_BEGIN:
	case JSON_ARRAY_BEGIN:
		separate(s);
		buf_addc(&s->out, event == JSON_OBJECT_BEGIN ? '{' : '[');
		s->open = false;
		return true;
	case JSON_OBJECT_END: buf_addc(&s->out, '}'); break;
	case JSON_ARRAY_END: buf_addc(&s->out, ']'); break;
	case JSON_NUMBER:
		separate(s);
		write_number(s, text);
		break;
	case JSON_TRUE:
		separate(s);
		buf_adds(&s->out, "true");
		break;
	case JSON_FALSE:
		separate(s);
		buf_adds(&s->out, "false");
		break;
	case JSON_NULL:
		separate(s);
		buf_adds(&s->out, "null");
		break;
	}
	s->open = true;
	return true;
}

/* False: no JSON. */
static bool
rewrite(struct str body, struct scribe *s)
{
	bool ok;

	s->scanner = json_scanner_create(write_down, s, NODES_MAX);
	ok = json_scanner_feed(s->scanner, body) && json_scanner_end(s->scanner);
	json_scanner_destroy(&s->scanner);
	return ok;
}

static bool
read_key(enum answer_family family, struct str body, bool whole, struct cache_key *out)
{
	struct cache_key_reader *r = cache_key_reader_create(family);
	struct json_scanner *s = json_scanner_create(cache_key_on_json, r, NODES_MAX);
	struct cutter c = cutter_of(body);
	bool ok = true;

	memset(out, 0, sizeof(*out));
	if (whole)
		ok = json_scanner_feed(s, body);
	while (!whole && ok && c.rest.len > 0)
		ok = json_scanner_feed(s, cutter_next(&c));
	ok = ok && json_scanner_end(s) && cache_key_reader_end(r, str_of("about"), out);
	json_scanner_destroy(&s);
	cache_key_reader_destroy(&r);
	return ok;
}

static void
check_rewritten(enum answer_family family, struct str body, const struct cache_key *key)
{
	struct scribe s = {.changed = -1};
	struct cache_key again;

	CLAIM(rewrite(body, &s));
	CLAIM(read_key(family, (struct str){s.out.data, s.out.len}, true, &again));
	CLAIM(memcmp(key, &again, sizeof(again)) == 0);
	buf_finish(&s.out);
}

/* Changes each of the first texts. Those that are no part of the key stand under fields of a
 * known name, so the body is put under one that nobody knows. */
static void
check_changed(enum answer_family family, struct str body)
{
	struct cache_key key, other;
	struct scribe s = {.changed = 0, .texts = 1};
	struct buf wrapped = {0};

	buf_adds(&wrapped, "{\"unknown\":");
	buf_add(&wrapped, body.ptr, body.len);
	buf_addc(&wrapped, '}');
	body = (struct str){wrapped.data, wrapped.len};
	if (read_key(family, body, true, &key))
		for (; s.changed < s.texts && s.changed < 8; s.changed++) {
			s.texts = 0;
			s.open = s.key = false;
			buf_clear(&s.out);
			CLAIM(rewrite(body, &s));
			CLAIM(read_key(family, (struct str){s.out.data, s.out.len}, false, &other));
			CLAIM((memcmp(&key.digest, &other.digest, sizeof(key.digest)) != 0) ==
			      (s.changed < s.texts));
		}
	buf_finish(&wrapped);
	buf_finish(&s.out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum answer_family family;
	struct cache_key whole, cut;
	struct str body;

	if (size == 0)
		return 0;
	family = (enum answer_family)(data[0] % (ANSWER_MESSAGES + 1));
	body = (struct str){(const char *)data + 1, size - 1};
	CLAIM(read_key(family, body, true, &whole) == read_key(family, body, false, &cut));
	CLAIM(memcmp(&whole, &cut, sizeof(whole)) == 0);
	if (read_key(family, body, true, &whole)) {
		check_rewritten(family, body, &whole);
		check_changed(family, body);
	}
	return 0;
}
