/*
 * Strings and keys of the JSON scanner: UTF-8, escapes, surrogates.
 *
 * Strings are the bulk of a body (images of many MB), so their plain bytes are
 * looked at sixteen at a time and handed on where they are; only an escape, or a
 * sequence that the end of a piece has cut, is copied.
 */
#include "bytes16.h"
#include "json_scanner.h"

#include <stdlib.h>
#include <string.h>

static void
end_string(struct json_scanner *s)
{
	s->next++;
	s->state = s->in_key ? ST_COLON : json_after_value(s);
	json_emit_plain(s, s->in_key ? JSON_KEY_END : JSON_STRING_END, json_offset(s));
}

static void
emit_piece(struct json_scanner *s, const char *text, size_t len, uint64_t offset)
{
	json_emit(s, s->in_key ? JSON_KEY_PIECE : JSON_STRING_PIECE, (struct str){text, len}, offset);
}

static size_t
utf8_encode(unsigned code, char out[4])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

static void
emit_code(struct json_scanner *s, unsigned code)
{
	char utf8[4];

	s->state = ST_STRING;
	if (code == 0 && s->in_key) {
		json_refuse_at(s, s->token_at, "a NUL in a key");
		return;
	}
	emit_piece(s, utf8, utf8_encode(code, utf8), s->token_at);
}

/* A high surrogate was not followed by a low one. */
static void
flush_high(struct json_scanner *s)
{
	if (s->high == 0)
		return;
	s->high = 0;
	emit_code(s, 0xfffd);
}

static bool
is_special(signed char c)
{
	return c < 0x20 || c == '"' || c == '\\'; /* above 0x7f is below 0 */
}

static const char *
skip_plain(const char *p, const char *end)
{
	while (end - p >= (ptrdiff_t)sizeof(bytes16)) {
		bytes16 b = bytes16_load(p);
		size_t n = bytes16_first((b < 0x20) | (b == '"') | (b == '\\'));

		p += n;
		if (n < sizeof(b))
			return p;
	}
	while (p < end && !is_special((signed char)*p))
		p++;
	return p;
}

/* Past the plain bytes and the whole UTF-8 sequences at `p`. */
static const char *
plain_end(const char *p, const char *end)
{
	for (;;) {
		size_t n;

		p = skip_plain(p, end);
		if (p == end || (unsigned char)*p < 0x80)
			return p;
		n = str_utf8_len(p, (size_t)(end - p));
		if (n == 0)
			return p;
		p += n;
	}
}

static size_t
utf8_need(unsigned char lead)
{
	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* `next` is at a byte above 0x7f that starts no whole sequence in this piece. */
static void
begin_utf8(struct json_scanner *s)
{
	size_t left = (size_t)(s->end - s->next);

	s->text_need = utf8_need((unsigned char)*s->next);
	if (left >= s->text_need) {
		json_refuse(s, "invalid UTF-8");
		return;
	}
	s->token_at = json_offset(s);
	memcpy(s->text, s->next, left);
	s->text_len = left;
	s->next = s->end;
	s->state = ST_UTF8;
}

static void
scan_utf8(struct json_scanner *s)
{
	s->text[s->text_len++] = *s->next++;
	if (s->text_len < s->text_need)
		return;
	if (str_utf8_len(s->text, s->text_len) != s->text_need) {
		json_refuse_at(s, s->token_at, "invalid UTF-8");
		return;
	}
	s->state = ST_STRING;
	emit_piece(s, s->text, s->text_len, s->token_at);
}

static void
scan_string(struct json_scanner *s)
{
	const char *start = s->next;
	uint64_t at = json_offset(s);

	if (*start != '\\')
		flush_high(s);
	if (s->state == ST_REFUSED)
		return;
	s->next = plain_end(start, s->end);
	if (s->next > start)
		emit_piece(s, start, (size_t)(s->next - start), at);
	if (s->next == s->end || s->state == ST_REFUSED)
		return;
	if (*s->next == '"') {
		end_string(s);
	} else if (*s->next == '\\') {
		s->token_at = json_offset(s);
		s->next++;
		s->state = ST_ESCAPE;
	} else if ((unsigned char)*s->next < 0x20) {
		json_refuse(s, "a control character in a string");
	} else {
		begin_utf8(s);
	}
}

static void
scan_escape(struct json_scanner *s)
{
	static const char names[] = "\"\\/bfnrt", codes[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (*s->next == 'u') {
		s->next++;
		s->text_len = 0;
		s->code = 0;
		s->state = ST_HEX;
		return;
	}
	at = *s->next == '\0' ? NULL : strchr(names, *s->next);
	if (at == NULL) {
		json_refuse(s, "an unknown escape");
		return;
	}
	flush_high(s);
	if (s->state == ST_REFUSED)
		return;
	s->next++;
	emit_code(s, (unsigned char)codes[at - names]);
}

static bool
is_high_surrogate(unsigned code)
{
	return code >= 0xd800 && code <= 0xdbff;
}

static bool
is_low_surrogate(unsigned code)
{
	return code >= 0xdc00 && code <= 0xdfff;
}

static void
end_hex(struct json_scanner *s)
{
	unsigned high = s->high, code = s->code;

	s->state = ST_STRING;
	if (high != 0 && is_low_surrogate(code)) {
		s->high = 0;
		emit_code(s, 0x10000 + ((high - 0xd800) << 10) + (code - 0xdc00));
		return;
	}
	flush_high(s);
	if (s->state == ST_REFUSED)
		return;
	if (is_high_surrogate(code))
		s->high = code;
	else
		emit_code(s, is_low_surrogate(code) ? 0xfffd : code);
}

static void
scan_hex(struct json_scanner *s)
{
	char c = *s->next;
	unsigned digit;

	if (c >= '0' && c <= '9') {
		digit = (unsigned)(c - '0');
	} else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
		digit = ((unsigned)c | 0x20) - 'a' + 10;
	} else {
		json_refuse(s, "an escape without four hexadecimal digits");
		return;
	}
	s->next++;
	s->code = s->code << 4 | digit;
	if (++s->text_len == 4)
		end_hex(s);
}

void
json_string_begin(struct json_scanner *s, bool key)
{
	uint64_t at = json_offset(s);

	s->next++;
	s->in_key = key;
	s->state = ST_STRING;
	json_emit_plain(s, key ? JSON_KEY_BEGIN : JSON_STRING_BEGIN, at);
}

void
json_string_scan(struct json_scanner *s)
{
	switch (s->state) {
	case ST_STRING: scan_string(s); break;
	case ST_ESCAPE: scan_escape(s); break;
	case ST_HEX: scan_hex(s); break;
	case ST_UTF8: scan_utf8(s); break;
	case ST_VALUE:
	case ST_FIRST_ITEM:
	case ST_FIRST_KEY:
	case ST_KEY:
	case ST_COLON:
	case ST_COMMA:
	case ST_DONE:
	case ST_NUMBER:
	case ST_LITERAL:
	case ST_REFUSED: abort();
	}
}
