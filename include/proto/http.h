/*
 * HTTP/1.0 and 1.1 on bytes, without a socket: strict heads, chunk coding, and
 * the reader of a whole answer. The front end reads requests with it, the
 * upstream side answers. RFC 9112 decides; where it leaves a choice, the
 * stricter one is taken, so that no two readers can read a message differently.
 *
 * Everything here works on spans of bytes that belong to the caller.
 */
#ifndef PROTO_HTTP_H
#define PROTO_HTTP_H

#include "base/buf.h"
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
	size_t header_count;
	struct http_header headers[HTTP_HEADERS_MAX];
};

const char *http_method_name(enum http_method m);
/* The standard text of a status, "Unknown" for one that has none. Knows 429, 431 and 499. */
const char *http_reason(int status);
/* The value of the first header of that name (any case); ptr is NULL when there is none. */
struct str http_find_header(const struct http_head *h, const char *name);
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

/* Reads one answer, however it is cut into pieces. 1xx answers are skipped. Refuses what it
 * could misread: two lengths, length beside chunks, a bare CR or LF, a folded line, a coding
 * that is not `chunked`, an upgrade or the demand for one. */
struct http_answer {
	int step;
	int interim;     /* 1xx answers so far */
	bool to_head;    /* the request was HEAD: no body whatever the head says */
	const char *why; /* with HTTP_BAD: what was wrong */
	uint64_t left;
	struct http_chunks chunks;
	struct buf pending;     /* owned; a head that came in pieces */
	struct http_head *head; /* filled at HTTP_HEAD_READ, valid until the next call; framing as the
	                         * head says, also where there is no body (HEAD, 304) */
};

/* `head` is the caller's; answers may share one, since nothing in it outlives the call that read
 * it. */
void http_answer_init(struct http_answer *a, bool to_head, struct http_head *head);
void http_answer_finish(struct http_answer *a);
/* Consumes from `in` until something happened. After HTTP_END the bytes left in `in` belong to
 * nobody: the connection cannot be used again. */
enum http_read http_answer_next(struct http_answer *a, struct str *in, struct str *data);
/* The peer closed: HTTP_END when that ends the body properly, else HTTP_BAD. */
enum http_read http_answer_eof(struct http_answer *a);

#endif
