/*
 * The head of a request. It is judged in one order: what is malformed (400),
 * then what is well-formed and not served (501, 505, 417), so that a verdict
 * does not depend on how the bytes came.
 */
#include "http_fields.h"

#include <arpa/inet.h>
#include <string.h>

enum { METHOD_BYTES_MAX = 16 };

static int
refuse(const char **why, int status, const char *text)
{
	*why = text;
	return status;
}

static bool
find_method(struct str name, enum http_method *out)
{
	for (int m = 0; m < HTTP_METHODS; m++) {
		if (str_eq(name, http_method_name((enum http_method)m))) {
			*out = (enum http_method)m;
			return true;
		}
	}
	return false;
}

/* 200 for 1.0 and 1.1; 505 for what is a version; 400 for what is none. */
static int
read_version(struct str text, int *minor)
{
	size_t i = 5, start = i;

	if (text.len < 8 || memcmp(text.ptr, "HTTP/", 5) != 0)
		return 400;
	if (text.len == 8 && memcmp(text.ptr + 5, "1.", 2) == 0 &&
	    (text.ptr[7] == '0' || text.ptr[7] == '1')) {
		*minor = text.ptr[7] - '0';
		return 200;
	}
	while (i < text.len && http_is_digit(text.ptr[i]))
		i++;
	if (i == start || i == text.len || text.ptr[i++] != '.')
		return 400;
	start = i;
	while (i < text.len && http_is_digit(text.ptr[i]))
		i++;
	return i == start || i < text.len ? 400 : 505;
}

/* A NUL ends the text for whoever decodes it into a C string. */
static bool
escapes_are_sound(struct str s)
{
	const char *end = s.ptr + s.len;
	const char *p = s.ptr;

	while ((p = memchr(p, '%', (size_t)(end - p))) != NULL) {
		int high, low;

		if (end - p < 3)
			return false;
		high = http_hex_digit(p[1]);
		low = http_hex_digit(p[2]);
		if (high < 0 || low < 0 || high + low == 0)
			return false;
		p += 3;
	}
	return true;
}

static bool
is_port(struct str s)
{
	uint64_t port;

	return s.len == 0 || (s.len <= 5 && str_to_u64(s, &port) && port <= 65535);
}

/* The address in "[...]", whose brackets are the ends of `s`. */
static bool
is_bracketed_address(struct str s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (s.len - 2 >= sizeof(text))
		return false;
	memcpy(text, s.ptr + 1, s.len - 2);
	text[s.len - 2] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1;
}

/* host [":" port], the host a name, an IPv4 address, or an IPv6 address in brackets. */
static bool
is_authority(struct str s)
{
	size_t n;

	if (s.len > 0 && s.ptr[0] == '[') {
		const char *close = memchr(s.ptr, ']', s.len);

		if (close == NULL)
			return false;
		n = (size_t)(close - s.ptr) + 1;
		if (!is_bracketed_address((struct str){s.ptr, n}))
			return false;
	} else {
		n = http_span(s, HTTP_HOST);
	}
	if (n == s.len)
		return true;
	return n > 0 && s.ptr[n] == ':' && is_port((struct str){s.ptr + n + 1, s.len - n - 1});
}

/* Takes "scheme://authority" off an absolute-form target (RFC 9112 3.2.2). */
static bool
reduce_to_origin(struct http_head *h)
{
	size_t scheme = str_starts_nocase(h->target, "http://")    ? sizeof("http://") - 1
	                : str_starts_nocase(h->target, "https://") ? sizeof("https://") - 1
	                                                           : 0;
	struct str rest = {h->target.ptr + scheme, h->target.len - scheme};
	size_t n = 0;

	if (scheme == 0)
		return false;
	while (n < rest.len && rest.ptr[n] != '/' && rest.ptr[n] != '?')
		n++;
	h->authority = (struct str){rest.ptr, n};
	if (n == 0 || !is_authority(h->authority))
		return false;
	h->is_https = scheme == sizeof("https://") - 1;
	/* An empty path is "/" (RFC 9110 4.2.3). What asks for that ignores a query. */
	if (n == rest.len)
		h->target = str_of(h->method == HTTP_OPTIONS ? "*" : "/");
	else if (rest.ptr[n] == '?')
		h->target = str_of("/");
	else
		h->target = (struct str){rest.ptr + n, rest.len - n};
	return true;
}

static int
read_target(struct http_head *h, const char **why)
{
	const char *query;

	if (h->target.len > HTTP_TARGET_BYTES_MAX)
		return refuse(why, 414, "request target too long");
	if (!escapes_are_sound(h->target))
		return refuse(why, 400, "invalid escape in the request target");
	if (h->target.ptr[0] != '/' && h->target.ptr[0] != '*' && !reduce_to_origin(h))
		return refuse(why, 400, "invalid request target");
	h->path = h->target;
	if (h->target.ptr[0] == '*') {
		if (h->target.len > 1 || h->method != HTTP_OPTIONS)
			return refuse(why, 400, "invalid request target");
		return 200;
	}
	if (h->target.ptr[0] != '/')
		return refuse(why, 400, "invalid request target");
	query = memchr(h->target.ptr, '?', h->target.len);
	if (query != NULL)
		h->path.len = (size_t)(query - h->target.ptr);
	return 200;
}

static int
read_request_line(struct str line, struct http_head *h, const char **why)
{
	struct str method = {line.ptr, http_span(line, HTTP_TOKEN)}, version;
	int status;

	if (method.len == 0 || method.len == line.len || line.ptr[method.len] != ' ')
		return refuse(why, 400, "invalid request line");
	h->target.ptr = line.ptr + method.len + 1;
	line.len -= method.len + 1;
	line.ptr = h->target.ptr;
	h->target.len = http_span(line, HTTP_TARGET);
	if (h->target.len == 0 || h->target.len == line.len || line.ptr[h->target.len] != ' ')
		return refuse(why, 400, "invalid request target");
	version = (struct str){line.ptr + h->target.len + 1, line.len - h->target.len - 1};
	status = read_version(version, &h->minor_version);
	if (status == 400)
		return refuse(why, 400, "invalid request line");
	if (status != 200)
		return refuse(why, status, "HTTP version not supported");
	if (method.len > METHOD_BYTES_MAX || !find_method(method, &h->method))
		return refuse(why, 501, "method not implemented");
	return read_target(h, why);
}

/* RFC 9112 3.2: exactly one Host; the authority of an absolute-form target replaces it. */
static int
judge_host(struct http_head *h, const struct http_facts *facts, const char **why)
{
	if (facts->hosts > 1)
		return refuse(why, 400, "more than one Host header");
	if (facts->hosts == 0 && h->minor_version == 1)
		return refuse(why, 400, "missing Host header");
	if (facts->hosts == 0)
		return 200;
	if (!is_authority(h->headers[facts->host].value))
		return refuse(why, 400, "invalid Host header");
	if (h->authority.len > 0)
		h->headers[facts->host].value = h->authority;
	return 200;
}

static int
judge_expect(struct http_head *h, const struct http_facts *facts, const char **why)
{
	if (facts->expects == 0)
		return 200;
	if (facts->expects > 1 || !str_eq_nocase(facts->expect, "100-continue"))
		return refuse(why, 417, "unsupported Expect header");
	/* RFC 9110 10.1.1: ignored from a client of 1.0, idle without a body. */
	h->expects_continue = h->minor_version == 1 && (h->framing == HTTP_CHUNKED || h->length > 0);
	return 200;
}

/* One reader takes the first, another the last. */
static int
judge_content(const struct http_facts *facts, const char **why)
{
	if (facts->types > 1)
		return refuse(why, 400, "more than one Content-Type header");
	if (facts->encodings > 1)
		return refuse(why, 400, "more than one Content-Encoding header");
	return 200;
}

int
http_parse_request_head(struct str bytes, struct http_head *out, const char **why)
{
	struct http_lines lines = {bytes, 0, HTTP_HEAD_BYTES_MAX, HTTP_LINE_BYTES_MAX};
	struct http_facts facts = {0};
	struct str line;
	int status;

	*why = NULL;
	http_head_init(out);
	switch (http_lines_next(&lines, &line)) {
	case HTTP_LINE_MORE: return 0;
	case HTTP_LINE_BAD: return refuse(why, 400, "invalid request line");
	case HTTP_LINE_LONG: return refuse(why, 414, "request line too long");
	case HTTP_LINE_READ: break;
	}
	status = read_request_line(line, out, why);
	if (status == 200)
		status = http_fields_read(&lines, out, &facts, why);
	if (status == 200)
		status = http_frame(out, &facts, HTTP_NO_BODY, why);
	if (status == 200)
		status = judge_host(out, &facts, why);
	if (status == 200)
		status = judge_content(&facts, why);
	if (status == 200)
		status = judge_expect(out, &facts, why);
	return status;
}

size_t
http_skip_empty_lines(struct str bytes)
{
	enum { SKIPPED_BYTES_MAX = 8 };
	size_t n = 0;

	if (bytes.len > SKIPPED_BYTES_MAX)
		bytes.len = SKIPPED_BYTES_MAX;
	while (n < bytes.len) {
		if (bytes.ptr[n] == '\n')
			n++;
		else if (bytes.len - n >= 2 && bytes.ptr[n] == '\r' && bytes.ptr[n + 1] == '\n')
			n += 2;
		else
			break;
	}
	return n;
}
