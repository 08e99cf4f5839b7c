/*
 * What the head of a request and the head of an answer have in common: lines
 * that end in CRLF and nothing else, and header fields. Private to proto/http*.c.
 *
 * A verdict depends on the bytes alone and not on how they were cut: a line is
 * judged when it is complete, or earlier for a byte that no line may contain.
 */
#ifndef PROTO_HTTP_FIELDS_H
#define PROTO_HTTP_FIELDS_H

#include "proto/http.h"

/* Bits of http_classes, which byte may stand where. */
enum {
	HTTP_TOKEN = 1,  /* RFC 9110 5.6.2 */
	HTTP_VALUE = 2,  /* in a field's value: no control byte but the tab */
	HTTP_TARGET = 4, /* RFC 3986, '%' and the brackets included, '#' not */
	HTTP_HOST = 8,   /* in a host's name or address */
};

extern const unsigned char http_classes[256];

/* The number of bytes at the start of `s` that are of a class. */
static inline size_t
http_span(struct str s, int class)
{
	size_t n = 0;

	while (n < s.len && (http_classes[(unsigned char)s.ptr[n]] & class) != 0)
		n++;
	return n;
}

static inline bool
http_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* -1 for what is no hex digit. */
static inline int
http_hex_digit(char c)
{
	if (http_is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct http_lines {
	struct str bytes;
	size_t at; /* of the next line */
	size_t head_max;
	size_t line_max; /* without its CRLF */
};

enum http_line { HTTP_LINE_MORE, HTTP_LINE_READ, HTTP_LINE_BAD, HTTP_LINE_LONG };

/* The next line, without its CRLF. It may still contain control bytes. */
enum http_line http_lines_next(struct http_lines *l, struct str *line);

/* What the fields say about the message itself. */
struct http_facts {
	int hosts;
	size_t host; /* index of the last Host */
	int lengths;
	struct str length;
	int codings;
	struct str coding;
	int expects;
	struct str expect;
	int types;             /* Content-Type */
	int encodings;         /* Content-Encoding */
	bool names_end_to_end; /* Connection names what belongs to the message itself */
	bool close;
	bool keep_alive;
};

void http_head_init(struct http_head *h);
/* Reads up to the empty line that ends the head. 200, 0 for more bytes, else a status. */
int http_fields_read(struct http_lines *l, struct http_head *h, struct http_facts *facts,
                     const char **why);
/* Sets framing, length and keep_alive; 200 or the status of a refusal. `otherwise` is the framing
 * of a message that does not say. */
int http_frame(struct http_head *h, const struct http_facts *facts, enum http_framing otherwise,
               const char **why);

#endif
