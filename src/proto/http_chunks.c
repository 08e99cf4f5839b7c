/*
 * Chunk coding, one byte of framing at a time: nothing is stored, so nothing
 * depends on how the bytes were cut. Sizes have at most 15 digits and cannot
 * wrap; only CRLF ends a line; extensions may not outweigh the data; a trailer must look like a
 * header, or it could be the next request of a client that counts differently.
 */
#include "http_fields.h"

#include <stdlib.h>

enum chunks_step {
	SIZE_FIRST, /* the first digit of a size */
	SIZE,       /* a further one, or what ends it */
	SIZE_SPACE, /* RFC 9112 7.1.1: there may be some before an extension, and only there */
	EXTENSION,
	QUOTED, /* in it; a line that ends there is none to readers that look for the other quote */
	QUOTED_PAIR,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER_FIRST, /* the first byte of a trailer, or the end */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	LAST_LF,
};

enum { SIZE_DIGITS_MAX = 15 };

void
http_chunks_init(struct http_chunks *c)
{
	c->step = SIZE_FIRST;
	c->trailers = 0;
	c->left = 0;
	c->extensions_left = HTTP_CHUNK_EXTENSIONS_BYTES_MAX;
	c->line_bytes = 0;
}

static bool
is(char c, int class)
{
	return (http_classes[(unsigned char)c] & class) != 0;
}

static enum http_read
go(struct http_chunks *c, enum chunks_step step)
{
	c->step = step;
	return HTTP_MORE;
}

static enum http_read
take_size_digit(struct http_chunks *c, char byte)
{
	int digit = http_hex_digit(byte);

	if (digit < 0 || c->line_bytes > SIZE_DIGITS_MAX)
		return HTTP_BAD;
	c->left = c->left * 16 + (uint64_t)digit;
	return go(c, SIZE);
}

static enum http_read
go_on_in_extension(struct http_chunks *c, enum chunks_step step)
{
	if (c->line_bytes >= HTTP_CHUNK_LINE_BYTES_MAX || c->extensions_left == 0)
		return HTTP_BAD;
	c->extensions_left--;
	return go(c, step);
}

/* A chunk of some size pays for the longest line. */
static enum http_read
start_data(struct http_chunks *c)
{
	if (c->left == 0)
		return go(c, TRAILER_FIRST);
	c->extensions_left += c->left < HTTP_CHUNK_LINE_BYTES_MAX ? c->left : HTTP_CHUNK_LINE_BYTES_MAX;
	return go(c, DATA);
}

static enum http_read
start_trailer(struct http_chunks *c, char byte)
{
	if (byte == '\r')
		return go(c, LAST_LF);
	if (!is(byte, HTTP_TOKEN) || ++c->trailers > HTTP_TRAILERS_MAX)
		return HTTP_BAD;
	c->line_bytes = 1;
	return go(c, TRAILER_NAME);
}

/* One byte that is not data. */
static enum http_read
take(struct http_chunks *c, char byte)
{
	c->line_bytes++;
	switch ((enum chunks_step)c->step) {
	case SIZE_FIRST: c->left = 0; return take_size_digit(c, byte);
	case SIZE:
		if (byte == '\r')
			return go(c, SIZE_LF);
		if (byte == ' ' || byte == '\t')
			return go_on_in_extension(c, SIZE_SPACE);
		return byte == ';' ? go(c, EXTENSION) : take_size_digit(c, byte);
	case SIZE_SPACE:
		if (byte == ' ' || byte == '\t')
			return go_on_in_extension(c, SIZE_SPACE);
		return byte == ';' ? go(c, EXTENSION) : HTTP_BAD;
	case EXTENSION:
		if (byte == '\r')
			return go(c, SIZE_LF);
		if (!is(byte, HTTP_VALUE))
			return HTTP_BAD;
		return go_on_in_extension(c, byte == '"' ? QUOTED : EXTENSION);
	case QUOTED:
		if (!is(byte, HTTP_VALUE))
			return HTTP_BAD;
		return go_on_in_extension(c, byte == '"' ? EXTENSION : byte == '\\' ? QUOTED_PAIR : QUOTED);
	case QUOTED_PAIR: return is(byte, HTTP_VALUE) ? go_on_in_extension(c, QUOTED) : HTTP_BAD;
	case SIZE_LF: return byte == '\n' ? start_data(c) : HTTP_BAD;
	case DATA: break;
	case DATA_CR: return byte == '\r' ? go(c, DATA_LF) : HTTP_BAD;
	case DATA_LF: c->line_bytes = 0; return byte == '\n' ? go(c, SIZE_FIRST) : HTTP_BAD;
	case TRAILER_FIRST: return start_trailer(c, byte);
	case TRAILER_NAME:
		if (byte == ':')
			return go(c, TRAILER_VALUE);
		return is(byte, HTTP_TOKEN) && c->line_bytes < HTTP_LINE_BYTES_MAX ? HTTP_MORE : HTTP_BAD;
	case TRAILER_VALUE:
		if (byte == '\r')
			return go(c, TRAILER_LF);
		return is(byte, HTTP_VALUE) && c->line_bytes < HTTP_LINE_BYTES_MAX ? HTTP_MORE : HTTP_BAD;
	case TRAILER_LF: return byte == '\n' ? go(c, TRAILER_FIRST) : HTTP_BAD;
	case LAST_LF: return byte == '\n' ? HTTP_END : HTTP_BAD;
	}
	abort();
}

/* What lies between the data of two chunks as a rule: an end of line, and a size with nothing
 * behind it. What is otherwise, or not there yet, is left to take, to which it is the same. */
static void
take_plain_framing(struct http_chunks *c, struct str *in)
{
	const char *at = in->ptr, *end = in->ptr + in->len;
	uint64_t size = 0;
	size_t digits = 0;
	int digit;

	if (c->step == DATA_CR && end - at >= 2 && at[0] == '\r' && at[1] == '\n') {
		at += 2;
		c->step = SIZE_FIRST;
		c->line_bytes = 0;
		*in = (struct str){at, (size_t)(end - at)};
	}
	if (c->step != SIZE_FIRST)
		return;
	while (at < end && digits < SIZE_DIGITS_MAX && (digit = http_hex_digit(*at)) >= 0) {
		size = size * 16 + (uint64_t)digit;
		digits++;
		at++;
	}
	if (digits == 0 || end - at < 2 || at[0] != '\r' || at[1] != '\n')
		return;
	at += 2;
	c->left = size;
	c->line_bytes = digits + 2;
	*in = (struct str){at, (size_t)(end - at)};
	(void)start_data(c);
}

enum http_read
http_chunks_next(struct http_chunks *c, struct str *in, struct str *data)
{
	enum http_read got = HTTP_MORE;

	take_plain_framing(c, in);
	while (got == HTTP_MORE && in->len > 0 && c->step != DATA) {
		got = take(c, *in->ptr);
		in->ptr++;
		in->len--;
	}
	if (got != HTTP_MORE || in->len == 0)
		return got;
	data->ptr = in->ptr;
	data->len = in->len < c->left ? in->len : (size_t)c->left;
	in->ptr += data->len;
	in->len -= data->len;
	c->left -= data->len;
	if (c->left == 0)
		c->step = DATA_CR;
	return HTTP_DATA;
}
