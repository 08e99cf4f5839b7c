/*
 * Heads of requests. What is taken must be unambiguous: written out again from
 * its parts it reads the same, and no prefix of it gets another verdict.
 */
#include "base/buf.h"
#include "fuzz.h"
#include "proto/http.h"

#include <stdlib.h>
#include <string.h>

static bool
same(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static void
require_inside(struct str bytes, struct str part)
{
	CLAIM(part.ptr >= bytes.ptr && part.ptr + part.len <= bytes.ptr + bytes.len);
	CLAIM(memchr(part.ptr, '\r', part.len) == NULL && memchr(part.ptr, '\n', part.len) == NULL &&
	      memchr(part.ptr, '\0', part.len) == NULL);
}

static void
require_reads_the_same(const struct http_head *h)
{
	static struct http_head again;
	struct buf text = {0};
	const char *why;

	buf_addf(&text, "%s %.*s HTTP/1.%d\r\n", http_method_name(h->method), STR_ARG(h->target),
	         h->minor_version);
	for (size_t i = 0; i < h->header_count; i++)
		buf_addf(&text, "%.*s: %.*s\r\n", STR_ARG(h->headers[i].name),
		         STR_ARG(h->headers[i].value));
	buf_adds(&text, "\r\n");
	/* Written out it can be longer by its white space, and so too long. */
	if (text.len <= h->bytes) {
		CLAIM(http_parse_request_head((struct str){text.data, text.len}, &again, &why) == 200);
		CLAIM(again.bytes == text.len && again.method == h->method && again.framing == h->framing &&
		      again.length == h->length && again.keep_alive == h->keep_alive &&
		      again.header_count == h->header_count);
		CLAIM(same(again.target, h->target) && same(again.path, h->path));
	}
	buf_finish(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_head head, part;
	struct str bytes = {(const char *)data, size};
	size_t cut = size > 0 ? data[size - 1] * size / 256 : 0;
	const char *why;
	int early = http_parse_request_head((struct str){bytes.ptr, cut}, &part, &why);
	int status = http_parse_request_head(bytes, &head, &why);

	CLAIM(early == 0 || early == status);
	CLAIM((status == 0 || status == 200) == (why == NULL));
	CLAIM(http_skip_empty_lines(bytes) <= 8);
	if (status != 200)
		return 0;
	CLAIM(head.bytes <= size && head.bytes <= HTTP_HEAD_BYTES_MAX);
	CLAIM(memcmp(data + head.bytes - 4, "\r\n\r\n", 4) == 0);
	for (size_t i = 0; i < head.header_count; i++) {
		require_inside(bytes, head.headers[i].name);
		require_inside(bytes, head.headers[i].value);
		(void)http_is_hop_by_hop(&head, head.headers[i].name);
	}
	require_reads_the_same(&head);
	return 0;
}
