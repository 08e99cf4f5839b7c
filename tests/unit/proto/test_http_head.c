#include "../check.h"

#include "base/buf.h"
#include "proto/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct head_case {
	int status;
	struct str bytes;
};

/* The bytes may contain NUL. */
#define C(status, text)                   \
	{                                     \
		status, {text, sizeof(text) - 1}, \
	}
#define GET(headers)        "GET /x HTTP/1.1\r\nHost: a\r\n" headers "\r\n"
#define POST(headers)       "POST /x HTTP/1.1\r\nHost: a\r\n" headers "\r\n"
#define TARGET(target)      "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"
#define VERSION(version)    "GET /x " version "\r\nHost: a\r\n\r\n"
#define WITH_HOST(value)    "GET /x HTTP/1.1\r\nHost:" value "\r\n\r\n"
#define WITH_METHOD(method) method " /x HTTP/1.1\r\nHost: a\r\n\r\n"

static const struct head_case request_lines[] = {
    C(200, TARGET("/x")),
    C(200, TARGET("/")),
    C(200, TARGET("/x?a")),
    C(200, TARGET("/x?&&==;a")),
    C(200, TARGET("/a/../b")),
    C(200, TARGET("/a/%2e%2e/b")),
    C(200, TARGET("/%C3%a9?x=%20")),
    C(200, TARGET("http://evil:99/y?z")),
    C(200, TARGET("HTTPS://evil/")),
    C(200, TARGET("http://evil")),
    C(200, TARGET("http://[::1]:80/")),
    C(200, TARGET("http://evil?z")),
    C(400, TARGET("http:///y")),
    C(400, TARGET("http://user@evil/y")),
    C(400, TARGET("http://evil:99x/y")),
    C(400, TARGET("ftp://evil/y")),
    C(400, TARGET("x")),
    C(400, TARGET("*")),
    C(400, TARGET("*x")),
    C(400, TARGET("/x#fragment?q")),
    C(400, TARGET("/x%00y")),
    C(400, TARGET("/x%")),
    C(400, TARGET("/x%1")),
    C(400, TARGET("/x%zz")),
    C(400, TARGET("/x?a=%zz&b=1")),
    C(400, TARGET("/x?%")),
    C(400, TARGET("/x y")),
    C(400, TARGET("/x\0y")),
    C(400, TARGET("/x\ty")),
    C(400, TARGET("/x\x7fy")),
    C(400, TARGET("/x\xff")),
    C(400, TARGET("/x\\y")),
    C(400, TARGET("/x\"y")),
    C(400, TARGET("/<x>")),
    C(400, TARGET("/{x}|`^")),
    C(400, TARGET("")),
    C(200, VERSION("HTTP/1.0")),
    C(505, VERSION("HTTP/1.2")),
    C(505, VERSION("HTTP/2.0")),
    C(505, VERSION("HTTP/0.9")),
    C(505, VERSION("HTTP/99.9")),
    C(505, VERSION("HTTP/1.10")),
    C(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    C(400, VERSION("HTTP/1.")),
    C(400, VERSION("HTTP/11")),
    C(400, VERSION("HTTP/1.1 ")),
    C(400, VERSION("HTTP/1.1x")),
    C(400, VERSION("http/1.1")),
    C(400, VERSION("HTP/1.1")),
    C(400, VERSION("")),
    C(400, "GET /x\r\n\r\n"),
    C(400, "GET /x\r\n"),
    C(400, "GET\r\n"),
    C(400, "GET \r\n"),
    C(400, "\r\n"),
    C(400, "\n"),
    C(400, " GET /x HTTP/1.1\r\nHost: a\r\n\r\n"),
    C(400, "GET\t/x\tHTTP/1.1\r\nHost: a\r\n\r\n"),
    C(400, "GET  /x  HTTP/1.1\r\nHost: a\r\n\r\n"),
    C(400, "GET /x HTTP/1.1\nHost: a\n\n"),
    C(400, "GET /x HTTP/1.1\rHost: a\r\r"),
    C(400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    C(200, WITH_METHOD("HEAD")),
    C(200, WITH_METHOD("PUT")),
    C(200, WITH_METHOD("PATCH")),
    C(200, WITH_METHOD("DELETE")),
    C(200, WITH_METHOD("OPTIONS")),
    C(200, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
    C(200, "OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n"),
    C(501, WITH_METHOD("FOO")),
    C(501, WITH_METHOD("get")),
    C(501, WITH_METHOD("GETT")),
    C(501, WITH_METHOD("TRACE")),
    C(501, WITH_METHOD("AVERYLONGMETHODNAME")),
    C(501, "CONNECT evil:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
    C(400, WITH_METHOD("G(T")),
    C(400, WITH_METHOD("")),
    C(400, "FOO /x\x01 HTTP/1.1\r\nHost: a\r\n\r\n"),
};

static const struct head_case header_lines[] = {
    C(200, GET("X-A:b\r\n")),
    C(200, GET("X-A:\r\n")),
    C(200, GET("X-A: \t b \t \r\n")),
    C(200, GET("X-A: b\tc\r\n")),
    C(200, GET("X-A: \x80\xff\r\n")),
    C(200, GET("!#$%&'*+-.^_`|~09azAZ: b\r\n")),
    C(400, GET("X-A: b\r\n c: d\r\n")),
    C(400, GET("X-A: b\r\n\tc\r\n")),
    C(400, GET("X-A: b\rc\r\n")),
    C(400, GET("X-A: b\nX-B: c\r\n")),
    C(400, "GET /x HTTP/1.1\r\nHost: a\r\n\n"),
    C(400, "GET /x HTTP/1.1\r\nHost: a\r\n\rX"),
    C(400, GET("X-A: b\0c\r\n")),
    C(400, GET("X-\0A: b\r\n")),
    C(400, GET("X-A: \x01\r\n")),
    C(400, GET("X-A: \x7f\r\n")),
    C(400, GET("foo\r\n")),
    C(400, GET(": v\r\n")),
    C(400, GET("a b: v\r\n")),
    C(400, GET("a : v\r\n")),
    C(400, GET("a\t: v\r\n")),
    C(400, GET("a\xc3\xa9: v\r\n")),
    C(400, GET("(a): v\r\n")),
    C(400, "GET /x HTTP/1.1\r\n Host: a\r\n\r\n"),
    C(400, "GET /x HTTP/1.1\r\nfoo\r\nHost: a\r\n\r\n"),
    C(400, "GET /x HTTP/1.1\r\n\r\n"),
    C(200, "GET /x HTTP/1.0\r\n\r\n"),
    C(400, GET("Host: a\r\n")),
    C(400, GET("host: b\r\n")),
    C(400, "GET /x HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"),
    C(200, WITH_HOST("")),
    C(200, WITH_HOST(" example.com:8080")),
    C(200, WITH_HOST(" 127.0.0.1:")),
    C(200, WITH_HOST(" [::1]")),
    C(200, WITH_HOST(" [fe80::1]:11434")),
    C(400, WITH_HOST(" a/b@c")),
    C(400, WITH_HOST(" a b")),
    C(400, WITH_HOST(" a, b")),
    C(400, WITH_HOST(" a:b")),
    C(400, WITH_HOST(" a:80:80")),
    C(400, WITH_HOST(" a:99999")),
    C(400, WITH_HOST(" a:123456")),
    C(400, WITH_HOST(" :80")),
    C(400, WITH_HOST(" []")),
    C(400, WITH_HOST(" [:::]")),
    C(400, WITH_HOST(" [1.2.3.4]")),
    C(200, WITH_HOST(" [::ffff:1.2.3.4]")),
    C(400, WITH_HOST(" [0000000000000000000000000000000000000000000000::]")),
    C(400, WITH_HOST(" [::1")),
    C(400, WITH_HOST(" [::1]x")),
    C(400, WITH_HOST(" [a/b]")),
    C(400, WITH_HOST(" http://a")),
};

static const struct head_case framing_lines[] = {
    C(200, POST("Content-Length: 5\r\n")),
    C(200, POST("Content-Length: 0\r\n")),
    C(200, POST("Content-Length: 5 \r\n")),
    C(200, POST("Content-Length:\t5\r\n")),
    C(200, POST("content-LENGTH: 005\r\n")),
    C(200, POST("Content-Length: 999999999999999999\r\n")),
    C(400, POST("Content-Length: 5\r\nContent-Length: 5\r\n")),
    C(400, POST("Content-Length: 5\r\nContent-Length: 0\r\n")),
    C(400, POST("Content-Length: 5, 5\r\n")),
    C(400, POST("Content-Length: +5\r\n")),
    C(400, POST("Content-Length: -1\r\n")),
    C(400, POST("Content-Length: 0x5\r\n")),
    C(400, POST("Content-Length:\r\n")),
    C(400, POST("Content-Length: 5 6\r\n")),
    C(400, POST("Content-Length: 5.0\r\n")),
    C(400, POST("Content-Length: 000000000000000000000005\r\n")),
    C(400, POST("Content-Length: 18446744073709551621\r\n")),
    C(400, POST("Content-Length: 30000000000000000000\r\n")),
    C(400, POST("Content-Length : 5\r\n")),
    C(400, POST("Content-Length: 1\r\n\t0\r\n")),
    C(200, POST("Transfer-Encoding: chunked\r\n")),
    C(200, POST("Transfer-Encoding: CHUNKED\r\n")),
    C(200, POST("Transfer-Encoding: chunked \r\n")),
    C(200, POST("Transfer-Encoding:\tchunked\r\n")),
    C(400, POST("Transfer-Encoding : chunked\r\n")),
    C(400, POST("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n")),
    C(400, POST("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n")),
    C(400, POST("Transfer-Encoding: identity\r\nContent-Length: 5\r\n")),
    C(400, POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n")),
    C(400, POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")),
    C(400, POST("Transfer-Encoding: chunked\0x\r\n")),
    C(400, "POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    C(400, POST("Transfer-Encoding: xchunked\r\n")),
    C(400, POST("Transfer-Encoding: chunked;q=1\r\n")),
    C(400, POST("Transfer-Encoding: gzip\r\n")),
    C(400, POST("Transfer-Encoding: , chunked\r\n")),
    C(400, POST("Transfer-Encoding: chunked,\r\n")),
    C(400, POST("Transfer-Encoding: gzip;q=1, chunked\r\n")),
    C(501, POST("Transfer-Encoding: gzip, chunked\r\n")),
    C(400, POST("Transfer-Encoding: chunked, identity\r\n")),
    C(400, POST("Transfer-Encoding: chunked, chunked\r\n")),
    C(400, POST("Transfer-Encoding:\r\n")),
    C(200, POST("Expect: 100-Continue\r\nContent-Length: 1\r\n")),
    C(417, POST("Expect: 200-ok\r\n")),
    C(417, POST("Expect:\r\n")),
    C(417, POST("Expect: 100-continue\r\nExpect: 100-continue\r\n")),
    C(417, POST("Expect: 100-continue, x\r\n")),
    C(200, POST("Content-Type: a/b\r\nContent-Encoding: zstd\r\n")),
    C(400, POST("Content-Type: a/b\r\ncontent-type: a/b\r\n")),
    C(400, POST("Content-Encoding: zstd\r\nCONTENT-ENCODING: zstd\r\n")),
    C(400, GET("Connection: host\r\n")),
    C(400, GET("Connection: close, Content-Location\r\n")),
    C(400, GET("Connection: authorization\r\n")),
    C(400, GET("Connection: x\r\nConnection: transfer-encoding\r\n")),
    C(200, GET("Connection: hosts, x-content-type\r\n")),
    C(200, GET("Connection: CLOSE\r\n")),
    C(200, GET("Connection: close, x\r\n")),
    C(200, GET("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n")),
};

static struct http_head head;
static const char *why;

/* A copy of exactly that size, so that a read past its end is seen. */
static int
parse(struct str bytes)
{
	char *copy = malloc(bytes.len > 0 ? bytes.len : 1);
	int status;

	assert_non_null(copy);
	memcpy(copy, bytes.ptr, bytes.len);
	status = http_parse_request_head((struct str){copy, bytes.len}, &head, &why);
	free(copy);
	return status;
}

/* Cut anywhere, it is either not yet complete or gets the verdict of the whole. */
static void
check_case(const struct head_case *c)
{
	bool decided = false;

	for (size_t n = 0; n <= c->bytes.len; n++) {
		int status = parse((struct str){c->bytes.ptr, n});

		if (status != (decided ? c->status : 0)) {
			if (decided || status != c->status)
				fail_msg("%d instead of %d after %zu bytes of: %s", status, c->status, n,
				         c->bytes.ptr);
			decided = true;
		}
		assert_true((status == 0 || status == 200) == (why == NULL));
	}
	if (!decided)
		fail_msg("no verdict on: %s", c->bytes.ptr);
}

#define CHECK_ALL(table)                                              \
	for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++) { \
		check_case(&(table)[i]);                                      \
	}

static void
request_lines_get_their_status(void **state)
{
	CHECK_ALL(request_lines);
}

static void
header_lines_get_their_status(void **state)
{
	CHECK_ALL(header_lines);
}

static void
framing_gets_its_status(void **state)
{
	CHECK_ALL(framing_lines);
}

/* "GET /aaa… HTTP/1.1" and so on: `before`, then `count` times 'a', then `after`. */
static int
parse_long(const char *before, size_t count, const char *after)
{
	struct buf b = {0};
	int status;

	buf_adds(&b, before);
	for (size_t i = 0; i < count; i++)
		buf_addc(&b, 'a');
	buf_adds(&b, after);
	status = parse((struct str){b.data, b.len});
	/* What is refused whole is refused before its end has come, too. */
	if (status == 431 || status == 414)
		assert_int_equal(parse((struct str){b.data, b.len - strlen(after)}),
		                 count > HTTP_LINE_BYTES_MAX ? status : 0);
	buf_finish(&b);
	return status;
}

static void
long_lines_are_refused(void **state)
{
	const char *rest = " HTTP/1.1\r\nHost: a\r\n\r\n";

	assert_int_equal(parse_long("GET /", HTTP_TARGET_BYTES_MAX - 1, rest), 200);
	assert_int_equal(parse_long("GET /", HTTP_TARGET_BYTES_MAX, rest), 414);
	assert_int_equal(parse_long("GET /", 9000, rest), 414);
	assert_int_equal(parse_long("", 9000, " /x HTTP/1.1\r\n"), 414);
	assert_int_equal(
	    parse_long("GET /x HTTP/1.1\r\nHost: a\r\nX: ", HTTP_LINE_BYTES_MAX - 3, "\r\n\r\n"), 200);
	assert_int_equal(
	    parse_long("GET /x HTTP/1.1\r\nHost: a\r\nX: ", HTTP_LINE_BYTES_MAX - 2, "\r\n\r\n"), 431);
	assert_int_equal(parse_long("GET /x HTTP/1.1\r\nHost: a\r\nX: ", 9000, "\r\n\r\n"), 431);
}

static int
parse_with_headers(int count, int value_bytes)
{
	struct buf b = {0};
	int status;

	buf_adds(&b, "GET /x HTTP/1.1\r\nHost: a\r\n");
	for (int i = 1; i < count; i++)
		buf_addf(&b, "X-%d: %0*d\r\n", i, value_bytes, 0);
	buf_adds(&b, "\r\n");
	status = parse((struct str){b.data, b.len});
	if (status == 200)
		assert_int_equal(head.bytes, b.len);
	buf_finish(&b);
	return status;
}

static void
many_headers_are_refused(void **state)
{
	assert_int_equal(parse_with_headers(HTTP_HEADERS_MAX, 1), 200);
	assert_int_equal(parse_with_headers(HTTP_HEADERS_MAX + 1, 1), 431);
	assert_int_equal(parse_with_headers(10000, 1), 431);
}

static void
a_large_head_is_refused(void **state)
{
	assert_int_equal(parse_with_headers(8, 4500), 200);
	assert_int_equal(parse_with_headers(9, 4500), 431);
}

static void
a_head_fills_the_struct(void **state)
{
	const char *text = "POST /api/chat?x=%20 HTTP/1.1\r\nhOST: a:1\r\nX-A: \t b \r\n"
	                   "Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello";
	int status = http_parse_request_head(str_of(text), &head, &why);

	assert_int_equal(status, 200);
	assert_int_equal(head.method, HTTP_POST);
	assert_true(str_eq(head.target, "/api/chat?x=%20"));
	assert_true(str_eq(head.path, "/api/chat"));
	assert_int_equal(head.minor_version, 1);
	assert_true(head.keep_alive);
	assert_true(head.expects_continue);
	assert_int_equal(head.framing, HTTP_LENGTH);
	assert_int_equal(head.length, 5);
	assert_int_equal(head.bytes, strlen(text) - 5);
	assert_int_equal(head.header_count, 4);
	assert_true(str_eq(head.headers[1].name, "X-A"));
	assert_true(str_eq(head.headers[1].value, "b"));
	assert_true(str_eq(http_find_header(&head, "Host"), "a:1"));
	assert_null(http_find_header(&head, "X-B").ptr);
}

static void
absolute_form_becomes_origin_form(void **state)
{
	assert_int_equal(http_parse_request_head(
	                     str_of("GET http://evil:99/y?z HTTP/1.1\r\nHost: a\r\n\r\n"), &head, &why),
	                 200);
	assert_true(str_eq(head.target, "/y?z"));
	assert_true(str_eq(head.path, "/y"));
	assert_true(str_eq(http_find_header(&head, "Host"), "evil:99"));
	assert_int_equal(
	    http_parse_request_head(str_of("GET http://evil HTTP/1.1\r\nHost: a\r\n\r\n"), &head, &why),
	    200);
	assert_true(str_eq(head.target, "/"));
	assert_false(head.is_https);
	assert_int_equal(http_parse_request_head(
	                     str_of("GET HTTPS://evil?z HTTP/1.1\r\nHost: a\r\n\r\n"), &head, &why),
	                 200);
	assert_true(str_eq(head.target, "/"));
	assert_true(str_eq(head.path, "/"));
	assert_true(head.is_https);
	assert_true(str_eq(http_host(&head), "evil"));
	assert_int_equal(
	    http_parse_request_head(str_of("GET http://evil/ HTTP/1.0\r\n\r\n"), &head, &why), 200);
	assert_true(str_eq(http_host(&head), "evil"));
	assert_int_equal(http_parse_request_head(str_of("GET / HTTP/1.0\r\n\r\n"), &head, &why), 200);
	assert_null(http_host(&head).ptr);
	assert_int_equal(http_parse_request_head(
	                     str_of("OPTIONS http://evil HTTP/1.1\r\nHost: a\r\n\r\n"), &head, &why),
	                 200);
	assert_true(str_eq(head.target, "*"));
}

static bool
keeps_alive(const char *text)
{
	assert_int_equal(http_parse_request_head(str_of(text), &head, &why), 200);
	return head.keep_alive;
}

static void
keep_alive_follows_version_and_connection(void **state)
{
	assert_true(keeps_alive(GET("")));
	assert_true(keeps_alive(GET("Connection: x, y\r\n")));
	assert_false(keeps_alive(GET("Connection: x , CLOSE\r\n")));
	assert_false(keeps_alive(GET("Connection: keep-alive\r\nConnection: close\r\n")));
	assert_true(keeps_alive(GET("Connection: enclose\r\n")));
	assert_false(keeps_alive("GET / HTTP/1.0\r\n\r\n"));
	assert_true(keeps_alive("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
	assert_false(keeps_alive("GET / HTTP/1.0\r\nConnection: Keep-Alive, close\r\n\r\n"));
}

static void
continue_is_expected_only_with_a_body_and_by_1_1(void **state)
{
	keeps_alive(GET("Expect: 100-continue\r\n"));
	assert_false(head.expects_continue);
	keeps_alive(GET("Expect: 100-continue\r\nContent-Length: 0\r\n"));
	assert_false(head.expects_continue);
	keeps_alive(GET("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n"));
	assert_true(head.expects_continue);
	keeps_alive("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
	assert_false(head.expects_continue);
}

static void
hop_by_hop_headers_are_known(void **state)
{
	const char *hop[] = {
	    "Connection",        "keep-alive", "Proxy-Connection", "TE",       "trailer",
	    "Transfer-Encoding", "UPGRADE",    "Content-Length",   "X-Secret", "x-OTHER"};

	keeps_alive(GET("Connection: close, x-secret\r\nconnection: X-Other\r\n"));
	for (size_t i = 0; i < sizeof(hop) / sizeof(hop[0]); i++)
		assert_true(http_is_hop_by_hop(&head, str_of(hop[i])));
	assert_false(http_is_hop_by_hop(&head, str_of("Content-Type")));
	assert_false(http_is_hop_by_hop(&head, str_of("X-Secre")));
	keeps_alive(GET("X-Secret: 1\r\n"));
	assert_false(http_is_hop_by_hop(&head, str_of("X-Secret")));
}

static void
a_refused_head_still_tells_its_path(void **state)
{
	assert_int_equal(
	    http_parse_request_head(str_of("POST /v1/x?y HTTP/1.1\r\n: a\r\n"), &head, &why), 400);
	assert_true(str_eq(head.path, "/v1/x"));
	assert_int_equal(head.method, HTTP_POST);
	assert_int_equal(http_parse_request_head(str_of("POST\r\n"), &head, &why), 400);
	assert_int_equal(head.path.len, 0);
}

static void
empty_lines_before_a_request_are_skipped(void **state)
{
	assert_int_equal(http_skip_empty_lines(str_of("\r\n\r\nGET")), 4);
	assert_int_equal(http_skip_empty_lines(str_of("\n\r\nGET")), 3);
	assert_int_equal(http_skip_empty_lines(str_of("GET")), 0);
	assert_int_equal(http_skip_empty_lines(str_of("\rG")), 0);
	assert_int_equal(http_skip_empty_lines(str_of("\r")), 0);
	assert_int_equal(http_skip_empty_lines(str_of("\r\n\r\n\r\n\r\n\r\n\r\n")), 8);
	assert_int_equal(http_skip_empty_lines(str_of("\n\r\n\r\n\r\n\r\n")), 7);
	assert_int_equal(http_skip_empty_lines(str_of("")), 0);
}

/* Wherever it stands: values are looked at in pieces. */
static void
each_byte_of_a_value_is_judged(void **state)
{
	char text[] = "GET /x HTTP/1.1\r\nHost: a\r\nX: 0123456789abcdef0123456789abcdef01234\r\n\r\n";
	const size_t begin = (size_t)(strchr(text, '0') - text), end = sizeof(text) - 1 - 4;

	for (size_t at = begin; at < end; at++) {
		char was = text[at];

		for (int byte = 0; byte < 256; byte++) {
			bool sound = byte == '\t' || (byte >= ' ' && byte != 0x7f);

			text[at] = (char)byte;
			assert_int_equal(
			    http_parse_request_head((struct str){text, sizeof(text) - 1}, &head, &why),
			    sound ? 200 : 400);
		}
		text[at] = was;
	}
}

static void
names_and_reasons_are_standard(void **state)
{
	assert_string_equal(http_method_name(HTTP_DELETE), "DELETE");
	assert_string_equal(http_reason(429), "Too Many Requests");
	assert_string_equal(http_reason(431), "Request Header Fields Too Large");
	assert_string_equal(http_reason(499), "Client Closed Request");
	assert_string_equal(http_reason(599), "Unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request_lines_get_their_status),
	    cmocka_unit_test(header_lines_get_their_status),
	    cmocka_unit_test(framing_gets_its_status),
	    cmocka_unit_test(long_lines_are_refused),
	    cmocka_unit_test(many_headers_are_refused),
	    cmocka_unit_test(a_large_head_is_refused),
	    cmocka_unit_test(a_head_fills_the_struct),
	    cmocka_unit_test(absolute_form_becomes_origin_form),
	    cmocka_unit_test(keep_alive_follows_version_and_connection),
	    cmocka_unit_test(continue_is_expected_only_with_a_body_and_by_1_1),
	    cmocka_unit_test(hop_by_hop_headers_are_known),
	    cmocka_unit_test(a_refused_head_still_tells_its_path),
	    cmocka_unit_test(empty_lines_before_a_request_are_skipped),
	    cmocka_unit_test(each_byte_of_a_value_is_judged),
	    cmocka_unit_test(names_and_reasons_are_standard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
