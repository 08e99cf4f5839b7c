/*
 * The lines and fields of a head. Everything that two readers could take for
 * different things is refused: a bare CR or LF, a folded line, a space before
 * the colon, a second length.
 */
#include "http_fields.h"

#include "bytes16.h"

#include <string.h>
#include <strings.h>

/* clang-format off */
const unsigned char http_classes[256] = {
     0,  0,  0,  0,  0,  0,  0,  0,  0,  2,  0,  0,  0,  0,  0,  0, /* 00 */
     0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, /* 10 */
     2,  7,  2,  3,  7,  7,  7,  7,  6,  6,  7,  7,  6, 15, 15,  6, /* 20 */
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6,  6,  2,  6,  2,  6, /* 30 */
     6, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, /* 40 */
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  6,  2,  6,  3, 15, /* 50 */
     3, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, /* 60 */
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,  2,  3,  2, 15,  0, /* 70 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* 80 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* 90 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* a0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* b0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* c0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* d0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* e0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* f0 */
};
/* clang-format on */

/* As HTTP_VALUE has it: what is below 0 is above 0x7f. */
static bool
has_control(struct str s)
{
	for (; s.len >= sizeof(bytes16); s.ptr += sizeof(bytes16), s.len -= sizeof(bytes16)) {
		bytes16 b = bytes16_load(s.ptr);

		b = ((b >= 0) & (b < ' ') & (b != '\t')) | (b == 0x7f);
		if (bytes16_first(b) < sizeof(b))
			return true;
	}
	return http_span(s, HTTP_VALUE) < s.len;
}

enum http_line
http_lines_next(struct http_lines *l, struct str *line)
{
	struct str rest = {l->bytes.ptr + l->at, l->bytes.len - l->at};
	size_t window = l->head_max - l->at;
	const char *lf;

	if (window > l->line_max + 2)
		window = l->line_max + 2;
	if (rest.len > window)
		rest.len = window;
	lf = rest.len == 0 ? NULL : memchr(rest.ptr, '\n', rest.len);
	if (lf == NULL) {
		bool full = rest.len == window;

		if (rest.len > 0 && rest.ptr[rest.len - 1] == '\r')
			rest.len--;
		if (has_control(rest))
			return HTTP_LINE_BAD;
		return full ? HTTP_LINE_LONG : HTTP_LINE_MORE;
	}
	if (lf == rest.ptr || lf[-1] != '\r')
		return HTTP_LINE_BAD;
	*line = (struct str){rest.ptr, (size_t)(lf - 1 - rest.ptr)};
	l->at += line->len + 2;
	return HTTP_LINE_READ;
}

/* RFC 9110 7.6.1: a sender must not name these. Whoever obeys drops them, whoever does not reads
 * another message. */
static bool
is_end_to_end(struct str name)
{
	return str_eq_nocase(name, "Host") || str_starts_nocase(name, "Content-") ||
	       str_eq_nocase(name, "Transfer-Encoding") || str_eq_nocase(name, "Authorization");
}

static void
note_connection(struct http_head *h, struct http_facts *facts, struct str value)
{
	struct str part;

	while (str_split(&value, ',', &part)) {
		part = str_trim(part);
		if (str_eq_nocase(part, "close"))
			facts->close = true;
		else if (str_eq_nocase(part, "keep-alive"))
			facts->keep_alive = true;
		else if (part.len > 0) {
			h->connection_names = true;
			facts->names_end_to_end = facts->names_end_to_end || is_end_to_end(part);
		}
	}
}

static bool
named(const struct http_header *f, const char *name)
{
	return strncasecmp(f->name.ptr, name, f->name.len) == 0;
}

/* The length decides first: most fields are none of these. */
static void
note_field(struct http_head *h, struct http_facts *facts, const struct http_header *f)
{
	switch (f->name.len) {
	case sizeof("Host") - 1:
		if (named(f, "Host")) {
			facts->hosts++;
			facts->host = (size_t)(f - h->headers);
		}
		break;
	case sizeof("Expect") - 1:
		if (named(f, "Expect")) {
			facts->expects++;
			facts->expect = f->value;
		}
		break;
	case sizeof("Connection") - 1:
		if (named(f, "Connection"))
			note_connection(h, facts, f->value);
		break;
	case sizeof("Content-Type") - 1: facts->types += named(f, "Content-Type"); break;
	case sizeof("Content-Encoding") - 1: facts->encodings += named(f, "Content-Encoding"); break;
	case sizeof("Content-Length") - 1:
		if (named(f, "Content-Length")) {
			facts->lengths++;
			facts->length = f->value;
		}
		break;
	case sizeof("Transfer-Encoding") - 1:
		if (named(f, "Transfer-Encoding")) {
			facts->codings++;
			facts->coding = f->value;
		}
		break;
	}
}

static const char *
read_field(struct str line, struct http_header *f)
{
	size_t n = http_span(line, HTTP_TOKEN);
	struct str value;

	if (n == 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t'))
		return "folded header line";
	if (n == 0 || n == line.len || line.ptr[n] != ':')
		return "invalid header name";
	value = (struct str){line.ptr + n + 1, line.len - n - 1};
	if (has_control(value))
		return "control character in a header";
	f->name = (struct str){line.ptr, n};
	f->value = str_trim(value);
	return NULL;
}

void
http_head_init(struct http_head *h)
{
	h->method = HTTP_GET;
	h->target = h->path = h->reason = (struct str){"", 0};
	h->authority = (struct str){NULL, 0};
	h->is_https = false;
	h->expects_continue = false;
	h->connection_names = false;
	h->status = 0;
	h->minor_version = 1;
	h->keep_alive = false;
	h->framing = HTTP_NO_BODY;
	h->length = 0;
	h->bytes = 0;
	h->names = 0;
	h->header_count = 0;
}

int
http_fields_read(struct http_lines *l, struct http_head *h, struct http_facts *facts,
                 const char **why)
{
	struct http_header field;
	struct str line;

	for (;;) {
		switch (http_lines_next(l, &line)) {
		case HTTP_LINE_MORE: return 0;
		case HTTP_LINE_BAD: *why = "invalid line in the head"; return 400;
		case HTTP_LINE_LONG: *why = "header too large"; return 431;
		case HTTP_LINE_READ: break;
		}
		if (line.len == 0) {
			h->bytes = l->at;
			return 200;
		}
		*why = read_field(line, &field);
		if (*why != NULL)
			return 400;
		if (h->header_count == HTTP_HEADERS_MAX) {
			*why = "too many headers";
			return 431;
		}
		h->names |= http_name_bit(field.name.ptr, field.name.len);
		h->headers[h->header_count] = field;
		note_field(h, facts, &h->headers[h->header_count++]);
	}
}

/* RFC 9112 6.3: 501 where the end could be found by who knew the codings before `chunked`, else
 * 400. Not even an empty element is allowed: that is how a coding is hidden from one of two
 * readers. */
static int
judge_coding(struct str coding, const char **why)
{
	struct str part = {NULL, 0};
	bool was_chunked = false;

	if (str_eq_nocase(coding, "chunked"))
		return 200;
	*why = "ambiguous Transfer-Encoding";
	while (str_split(&coding, ',', &part)) {
		part = str_trim(part);
		if (was_chunked || part.len == 0 || http_span(part, HTTP_TOKEN) < part.len)
			return 400;
		was_chunked = str_eq_nocase(part, "chunked");
	}
	if (!was_chunked)
		return 400;
	*why = "unsupported Transfer-Encoding";
	return 501;
}

/* RFC 9112 6.3, the strict way: what could be an attempt to smuggle is never repaired. */
int
http_frame(struct http_head *h, const struct http_facts *facts, enum http_framing otherwise,
           const char **why)
{
	h->keep_alive = !facts->close && (h->minor_version == 1 || facts->keep_alive);
	h->framing = otherwise;
	*why = "Connection names a header that is not its own";
	if (facts->names_end_to_end)
		return 400;
	if (facts->codings > 0) {
		int status;

		*why = "ambiguous Transfer-Encoding";
		if (facts->codings > 1 || facts->lengths > 0 || h->minor_version == 0)
			return 400;
		status = judge_coding(facts->coding, why);
		if (status != 200)
			return status;
		h->framing = HTTP_CHUNKED;
	} else if (facts->lengths > 0) {
		*why = "invalid Content-Length";
		if (facts->lengths > 1 || !str_to_u64(facts->length, &h->length))
			return 400;
		h->framing = HTTP_LENGTH;
	}
	*why = NULL;
	return 200;
}
