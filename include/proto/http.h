/*
 * HTTP/1.0 and 1.1 on bytes, without a socket: strict heads and chunk coding. The front end reads
 * requests with it, and http_answer.h whole answers. RFC 9112 decides; where it leaves a choice,
 * the stricter one is taken, so that no two readers can read a message differently.
 *
 * Everything here works on spans of bytes that belong to the caller.
 */
#ifndef PROTO_HTTP_H
#define PROTO_HTTP_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_METHODS /* their number */
};

enum http_framing {
	HTTP_NO_BODY,
	HTTP_LENGTH,
	HTTP_CHUNKED,
	HTTP_UNTIL_CLOSE, /* answers only */
};

enum {
	HTTP_HEAD_BYTES_MAX = 32 * 1024,
	HTTP_HEADERS_MAX = 100,
	HTTP_LINE_BYTES_MAX = 8000,
	HTTP_TARGET_BYTES_MAX = 7000,
	HTTP_CHUNK_LINE_BYTES_MAX = 256,
	HTTP_CHUNK_EXTENSIONS_BYTES_MAX = 16 * 1024, /* of one body, beyond what its data pay for */
	HTTP_TRAILERS_MAX = 32,
	HTTP_ANSWER_HEAD_BYTES_MAX = 64 * 1024,
	HTTP_INTERIM_MAX = 100, /* 1xx answers before the one */
};

struct http_header {
	struct str name;
	struct str value; /* without white space around it */
};

/* One head, of a request or of an answer; its slices point into the bytes it was read from. */
struct http_head {
	/* Of a request: */
	enum http_method method;
	struct str target;    /* origin form as it came, path and query; "*" for OPTIONS * */
	struct str path;      /* the part of target before '?' */
	struct str authority; /* of an absolute target; ptr NULL otherwise */
	bool is_https;        /* the target was absolute and said so */
	bool expects_continue;
	/* Of an answer: */
	int status;
	struct str reason;
	/* Of both: */
	int minor_version;     /* 0 or 1 */
	bool keep_alive;       /* what version and Connection say together */
	bool connection_names; /* Connection names headers beside close and keep-alive */
	enum http_framing framing;
	uint64_t length; /* with HTTP_LENGTH */
	size_t bytes;    /* of the whole head, with its last CRLF */
	uint64_t names;  /* of headers: a bit each (http_name_bit) */
	size_t header_count;
	struct http_header headers[HTTP_HEADERS_MAX];
};

const char *http_method_name(enum http_method m);
/* The standard text of a status, "Unknown" for one that has none. Knows 429, 431 and 499. */
const char *http_reason(int status);
/* Which of 64 bits stands for a name, in any case; `name` is not empty. */
static inline uint64_t
http_name_bit(const char *name, size_t len)
{
	return (uint64_t)1 << ((len + 5 * (size_t)(name[0] & 0x1f)) & 63);
}

struct str http_find_named(const struct http_head *h, const char *name, size_t len);

/* The value of the first header of that name (any case); ptr is NULL when there is none. In the
 * header since most questions are for what is not there, and the compiler knows their bits. */
static inline struct str
http_find_header(const struct http_head *h, const char *name)
{
	if ((h->names & http_name_bit(name, strlen(name))) == 0)
		return (struct str){NULL, 0};
	return http_find_named(h, name, strlen(name));
}

/* Whom a request is for: Host, or in 1.0 without one what an absolute target says. ptr NULL where
 * neither does. */
struct str http_host(const struct http_head *h);
/* Whether a header belongs to one connection only and must not be forwarded (RFC 9110 7.6.1:
 * Connection and what it names, Keep-Alive, Proxy-Connection, TE, Trailer, Transfer-Encoding,
 * Upgrade), or frames the message and is made anew (Content-Length). */
bool http_is_hop_by_hop(const struct http_head *h, struct str name);

/* 0: more bytes are needed. 200: `out` is filled. Else the status to refuse it with, and `*why`
 * is a constant sentence for the client; method and path are right if the request line was.
 * Leading empty lines must have been skipped (http_skip_empty_lines). An absolute-form target is
 * reduced to its origin form, and its authority takes the place of Host (RFC 9112 3.2.2). */
int http_parse_request_head(struct str bytes, struct http_head *out, const char **why);
/* The bytes at the start that are CRLF or LF and may be ignored (RFC 9112 2.2), at most 8. */
size_t http_skip_empty_lines(struct str bytes);

/* Chunk coding (RFC 9112 7.1), decoded. Extensions and trailers are dropped. */
struct http_chunks {
	int step;
	int trailers;
	uint64_t left;
	uint64_t extensions_left; /* bytes that may still be spent on them */
	size_t line_bytes;        /* read of the current line */
};

enum http_read { HTTP_MORE, HTTP_HEAD_READ, HTTP_DATA, HTTP_END, HTTP_BAD };

void http_chunks_init(struct http_chunks *c);
/* Consumes from `in`. HTTP_DATA: `data` is a slice of `in`'s bytes; call again. */
enum http_read http_chunks_next(struct http_chunks *c, struct str *in, struct str *data);

#endif
