/*
 * What gets through the gate, and what does not: requests that a client might
 * send to be understood otherwise by a node than by us.
 */
#include "front_bed.h"

#include <stdlib.h>
#include <string.h>

#define GET      "GET /x HTTP/1.1\r\nHost: a\r\n"
#define POST     "POST /x HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED  POST "Transfer-Encoding: chunked\r\n\r\n"
#define SMUGGLED "GET /smug HTTP/1.1\r\nHost: a\r\n\r\n"
#define LAST     "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
/* For bytes that hold a NUL. */
#define BYTES(text) text, sizeof(text) - 1
#define TEXT(text)  text, 0

enum outcome {
	PASSES,  /* answered, and the connection stays */
	CLOSES,  /* answered, and the connection is closed as the client asked */
	REFUSED, /* answered by the front end, and closed */
	BAD_BODY /* the handler saw the head, was told, and the connection was closed */
};

struct probe {
	const char *name;
	const char *bytes;
	size_t len; /* 0: strlen */
	int status;
	enum outcome outcome;
	const char *echo; /* with PASSES: what the handler understood */
};

static const struct probe probes[] = {
    {"plain", TEXT(GET "\r\n"), 200, PASSES, "GET /x 1\n"},
    {"equal lengths twice", TEXT(POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"), 400,
     REFUSED, NULL},
    {"length, then 0, and a request in the body",
     TEXT(POST "Content-Length: 31\r\nContent-Length: 0\r\n\r\n" SMUGGLED), 400, REFUSED, NULL},
    {"list of lengths", TEXT(POST "Content-Length: 5, 5\r\n\r\nhello"), 400, REFUSED, NULL},
    {"length with plus", TEXT(POST "Content-Length: +5\r\n\r\nhello"), 400, REFUSED, NULL},
    {"length in hex", TEXT(POST "Content-Length: 0x5\r\n\r\nhello"), 400, REFUSED, NULL},
    {"length with minus", TEXT(POST "Content-Length: -1\r\n\r\nhello"), 400, REFUSED, NULL},
    {"empty length", TEXT(POST "Content-Length:\r\n\r\n" SMUGGLED), 400, REFUSED, NULL},
    {"space behind the length", TEXT(POST "Content-Length: 5 \r\n\r\nhello"), 200, PASSES,
     "POST /x 2\nhello"},
    {"two numbers in a length", TEXT(POST "Content-Length: 5 6\r\n\r\nhello6"), 400, REFUSED, NULL},
    {"tab before the length", TEXT(POST "Content-Length:\t5\r\n\r\nhello"), 200, PASSES,
     "POST /x 2\nhello"},
    {"length of 24 digits", TEXT(POST "Content-Length: 000000000000000000000005\r\n\r\nhello"), 400,
     REFUSED, NULL},
    {"length over 2^64", TEXT(POST "Content-Length: 18446744073709551621\r\n\r\nhello"), 400,
     REFUSED, NULL},
    {"length of 3e19", TEXT(POST "Content-Length: 30000000000000000000\r\n\r\nhello"), 400, REFUSED,
     NULL},
    {"length, then chunked",
     TEXT(POST "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED), 400,
     REFUSED, NULL},
    {"chunked, then length",
     TEXT(POST "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" SMUGGLED), 400,
     REFUSED, NULL},
    {"CHUNKED", TEXT(POST "Transfer-Encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), 200, PASSES,
     "POST /x 2\nhello"},
    {"space behind chunked",
     TEXT(POST "Transfer-Encoding: chunked \r\n\r\n5\r\nhello\r\n0\r\n\r\n"), 200, PASSES,
     "POST /x 2\nhello"},
    {"tab before chunked", TEXT(POST "Transfer-Encoding:\tchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
     200, PASSES, "POST /x 2\nhello"},
    {"space before the colon of a coding",
     TEXT(POST "Transfer-Encoding : chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), 400, REFUSED, NULL},
    {"space before the colon of a length", TEXT(POST "Content-Length : 31\r\n\r\n" SMUGGLED), 400,
     REFUSED, NULL},
    {"coding xchunked", TEXT(POST "Transfer-Encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
     400, REFUSED, NULL},
    {"coding gzip, chunked",
     TEXT(POST "Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), 501, REFUSED,
     NULL},
    {"coding chunked, identity",
     TEXT(POST "Transfer-Encoding: chunked, identity\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), 400, REFUSED,
     NULL},
    {"coding identity and a length",
     TEXT(POST "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello"), 400, REFUSED,
     NULL},
    {"two codings",
     TEXT(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
     400, REFUSED, NULL},
    {"NUL in a coding", BYTES(POST "Transfer-Encoding: chunked\0x\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
     400, REFUSED, NULL},
    {"chunked on 1.0",
     TEXT("POST /x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
          "5\r\nhello\r\n0\r\n\r\n"),
     400, REFUSED, NULL},
    {"line folded by a space", TEXT(GET "X-A: b\r\n c: d\r\n\r\n"), 400, REFUSED, NULL},
    {"line folded by a tab", TEXT(GET "X-A: b\r\n\tc\r\n\r\n"), 400, REFUSED, NULL},
    {"folded length", TEXT(POST "Content-Length: 1\r\n\t0\r\n\r\n0123456789"), 400, REFUSED, NULL},
    {"lines that end in LF", TEXT("GET /x HTTP/1.1\nHost: a\n\n"), 400, REFUSED, NULL},
    {"a header that ends in LF", TEXT("GET /x HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"), 400, REFUSED,
     NULL},
    {"a head that ends in LF", TEXT("GET /x HTTP/1.1\r\nHost: a\r\n\n"), 400, REFUSED, NULL},
    {"CR in a value", TEXT(GET "X-A: b\rc\r\n\r\n"), 400, REFUSED, NULL},
    {"NUL in a value", BYTES(GET "X-A: b\0c\r\n\r\n"), 400, REFUSED, NULL},
    {"NUL in a name", BYTES(GET "X-\0A: b\r\n\r\n"), 400, REFUSED, NULL},
    {"control character in a value", TEXT(GET "X-A: \x01\r\n\r\n"), 400, REFUSED, NULL},
    {"header without a colon", TEXT(GET "foo\r\n\r\n"), 400, REFUSED, NULL},
    {"first header without a colon", TEXT("GET /x HTTP/1.1\r\nfoo\r\nHost: a\r\n\r\n"), 400,
     REFUSED, NULL},
    {"empty name", TEXT(GET ": v\r\n\r\n"), 400, REFUSED, NULL},
    {"name with a space", TEXT(GET "a b: v\r\n\r\n"), 400, REFUSED, NULL},
    {"space before the first header", TEXT("GET /x HTTP/1.1\r\n Host: a\r\n\r\n"), 400, REFUSED,
     NULL},
    {"chunk extension", TEXT(CHUNKED "5;a=b\r\nhello\r\n0\r\n\r\n"), 200, PASSES,
     "POST /x 2\nhello"},
    {"chunk over 2^64", TEXT(CHUNKED "10000000000000005\r\nhello\r\n0\r\n\r\n"), 400, BAD_BODY,
     NULL},
    {"chunk of 2^64 - 1", TEXT(CHUNKED "ffffffffffffffff\r\nhello\r\n0\r\n\r\n"), 400, BAD_BODY,
     NULL},
    {"chunk with minus", TEXT(CHUNKED "-5\r\nhello\r\n0\r\n\r\n"), 400, BAD_BODY, NULL},
    {"chunk with 0x", TEXT(CHUNKED "0x5\r\nhello\r\n0\r\n\r\n"), 400, BAD_BODY, NULL},
    {"chunk size no ASCII", TEXT(CHUNKED "\x85\r\n\r\n" SMUGGLED), 400, BAD_BODY, NULL},
    {"space behind a chunk size", TEXT(CHUNKED "5 \r\nhello\r\n0\r\n\r\n"), 400, BAD_BODY, NULL},
    {"chunk size that ends in LF", TEXT(CHUNKED "5\nhello\r\n0\r\n\r\n"), 400, BAD_BODY, NULL},
    {"chunk longer than its size", TEXT(CHUNKED "5\r\nhelloX\r\n0\r\n\r\n"), 400, BAD_BODY, NULL},
    {"a trailer", TEXT(CHUNKED "5\r\nhello\r\n0\r\nX-T: v\r\n\r\n"), 200, PASSES,
     "POST /x 2\nhello"},
    {"a request as second trailer",
     TEXT(CHUNKED "5\r\nhello\r\n0\r\nX-T: v\r\nGET /smug HTTP/1.1: x\r\nHost: q\r\n\r\n"), 400,
     BAD_BODY, NULL},
    {"a request after a trailer", TEXT(CHUNKED "5\r\nhello\r\n0\r\nX-T: v\r\n" SMUGGLED), 400,
     BAD_BODY, NULL},
    {"HTTP/0.9", TEXT("GET /x\r\n\r\n"), 400, REFUSED, NULL},
    {"HTTP/0.9, one line", TEXT("GET /x\r\n"), 400, REFUSED, NULL},
    {"HTTP/1.2", TEXT("GET /x HTTP/1.2\r\nHost: a\r\n\r\n"), 505, REFUSED, NULL},
    {"HTTP/2.0", TEXT("GET /x HTTP/2.0\r\nHost: a\r\n\r\n"), 505, REFUSED, NULL},
    {"HTTP/99.9", TEXT("GET /x HTTP/99.9\r\nHost: a\r\n\r\n"), 505, REFUSED, NULL},
    {"preface of HTTP/2", TEXT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505, REFUSED, NULL},
    {"no Host", TEXT("GET /x HTTP/1.1\r\n\r\n"), 400, REFUSED, NULL},
    {"two Hosts", TEXT(GET "Host: b\r\n\r\n"), 400, REFUSED, NULL},
    {"Host that is none", TEXT("GET /x HTTP/1.1\r\nHost: a/b@c\r\n\r\n"), 400, REFUSED, NULL},
    {"absolute form", TEXT("GET http://evil:99/y?z HTTP/1.1\r\nHost: a\r\n\r\n"), 200, PASSES,
     "GET /y?z 1\n"},
    {"absolute form of https in the clear",
     TEXT("GET https://evil:99/y?z HTTP/1.1\r\nHost: a\r\n\r\n"), 421, REFUSED, NULL},
    {"absolute form of ftp", TEXT("GET ftp://evil/y HTTP/1.1\r\nHost: a\r\n\r\n"), 400, REFUSED,
     NULL},
    {"CONNECT", TEXT("CONNECT evil:443 HTTP/1.1\r\nHost: a\r\n\r\n"), 501, REFUSED, NULL},
    {"OPTIONS *", TEXT("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 200, PASSES, "OPTIONS * 1\n"},
    {"method FOO", TEXT("FOO /x HTTP/1.1\r\nHost: a\r\n\r\n"), 501, REFUSED, NULL},
    {"method get", TEXT("get /x HTTP/1.1\r\nHost: a\r\n\r\n"), 501, REFUSED, NULL},
    {"path with ..", TEXT("GET /api/../admin HTTP/1.1\r\nHost: a\r\n\r\n"), 200, PASSES,
     "GET /api/../admin 1\n"},
    {"path with %2e%2e", TEXT("GET /api/%2e%2e/admin HTTP/1.1\r\nHost: a\r\n\r\n"), 200, PASSES,
     "GET /api/%2e%2e/admin 1\n"},
    {"path with %00", TEXT("GET /x%00y HTTP/1.1\r\nHost: a\r\n\r\n"), 400, REFUSED, NULL},
    {"path with NUL", BYTES("GET /x\0y HTTP/1.1\r\nHost: a\r\n\r\n"), 400, REFUSED, NULL},
    {"path with a space", TEXT("GET /x y HTTP/1.1\r\nHost: a\r\n\r\n"), 400, REFUSED, NULL},
    {"path with 0xff", TEXT("GET /x\xff HTTP/1.1\r\nHost: a\r\n\r\n"), 400, REFUSED, NULL},
    {"path with a fragment", TEXT("GET /x#frag?q HTTP/1.1\r\nHost: a\r\n\r\n"), 400, REFUSED, NULL},
    {"query", TEXT("GET /x?a HTTP/1.1\r\nHost: a\r\n\r\n"), 200, PASSES, "GET /x?a 1\n"},
    {"query with %zz", TEXT("GET /x?a=%zz&b=1 HTTP/1.1\r\nHost: a\r\n\r\n"), 400, REFUSED, NULL},
    {"query that ends in %", TEXT("GET /x?% HTTP/1.1\r\nHost: a\r\n\r\n"), 400, REFUSED, NULL},
    {"odd query", TEXT("GET /x?&&==;a HTTP/1.1\r\nHost: a\r\n\r\n"), 200, PASSES,
     "GET /x?&&==;a 1\n"},
    {"tabs in the request line", TEXT("GET\t/x\tHTTP/1.1\r\nHost: a\r\n\r\n"), 400, REFUSED, NULL},
    {"two spaces in the request line", TEXT("GET  /x  HTTP/1.1\r\nHost: a\r\n\r\n"), 400, REFUSED,
     NULL},
    {"space behind the request line", TEXT("GET /x HTTP/1.1 \r\nHost: a\r\n\r\n"), 400, REFUSED,
     NULL},
    {"empty lines first", TEXT("\r\n\r\n" GET "\r\n"), 200, PASSES, "GET /x 1\n"},
    {"HEAD on 1.0", TEXT("HEAD /streamXYZ HTTP/1.0\r\nHost: a\r\n\r\n"), 200, CLOSES, NULL},
    {"Connection: CLOSE", TEXT(GET "Connection: CLOSE\r\n\r\n"), 200, CLOSES, "GET /x 2\n"},
    {"Connection: close, x", TEXT(GET "Connection: close, x\r\n\r\n"), 200, CLOSES, "GET /x 2\n"},
    {"upgrade to h2c",
     TEXT(GET
          "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n"),
     200, PASSES, "GET /x 4\n"},
    {"form with a bad escape",
     TEXT(POST "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 4\r\n\r\na=%z"),
     200, PASSES, "POST /x 3\na=%z"},
    {"unknown expectation", TEXT(POST "Expect: 200-ok\r\nContent-Length: 5\r\n\r\nhello"), 417,
     REFUSED, NULL},
};

static void
check_trace(const struct probe *p, struct bed *b)
{
	bool right = false;
	char refused[32];

	snprintf(refused, sizeof(refused), "refuse:%d ", p->status);
	switch (p->outcome) {
	case PASSES:
	case CLOSES: right = bed_saw(b, "end:") && !bed_saw(b, "bad:") && !bed_saw(b, "refuse:"); break;
	case BAD_BODY:
		right = bed_saw(b, "POST/x ") && bed_saw(b, "bad:400 ") && !bed_saw(b, "refuse:");
		break;
	case REFUSED: right = strcmp(buf_text(&b->trace), refused) == 0; break;
	}
	if (!right || bed_saw(b, "smug"))
		fail_msg("%s: the handler saw: %s", p->name, buf_text(&b->trace));
}

static void
probe_once(struct bed *b, const struct probe *p)
{
	struct client c;

	buf_clear(&b->trace);
	client_open(&c, b);
	client_send_bytes(&c, p->bytes, p->len == 0 ? strlen(p->bytes) : p->len);
	RUN_UNTIL(b, client_answers(&c) == 1);
	bed_settle(b);
	check_trace(p, b);
	if (p->outcome == PASSES)
		client_send(&c, LAST);
	RUN_UNTIL(b, client_ended(&c));
	if (client_status(&c, 0) != p->status || c.reset ||
	    (p->echo != NULL && !client_has(&c, p->echo)))
		fail_msg("%s: %s", p->name, buf_text(&c.in));
	if (client_answers(&c) != (p->outcome == PASSES ? 2 : 1))
		fail_msg("%s: %d answers", p->name, client_answers(&c));
	client_close(&c);
}

static void
each_odd_request_is_refused_or_passed_as_rfc_9112_says(void **state)
{
	struct bed b;

	bed_open(&b, &bed_limits);
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++)
		probe_once(&b, &probes[i]);
	bed_close(&b);
}

/* `start`, `fill` times `n`, `end`. */
static void
check_long(const char *start, const char *fill, int n, const char *end, int status)
{
	struct buf bytes = {0};
	struct probe p = {.name = start, .status = status, .outcome = REFUSED};
	struct bed b;

	buf_adds(&bytes, start);
	for (int i = 0; i < n; i++)
		buf_adds(&bytes, fill);
	buf_adds(&bytes, end);
	p.bytes = bytes.data;
	p.len = bytes.len;
	bed_open(&b, &bed_limits);
	probe_once(&b, &p);
	bed_close(&b);
	buf_finish(&bytes);
}

static void
what_is_too_long_is_refused(void **state)
{
	check_long("", "A", 9000, " /x HTTP/1.1\r\nHost: a\r\n\r\n", 414);
	check_long("GET /", "a", 7500, " HTTP/1.1\r\nHost: a\r\n\r\n", 414);
	check_long("GET /", "a", 8000, " HTTP/1.1\r\nHost: a\r\n\r\n", 414);
	check_long("GET /", "a", 100000, " HTTP/1.1\r\nHost: a\r\n\r\n", 414);
	check_long(GET "X-A: ", "a", 8100, "\r\n\r\n", 431);
	check_long(GET "X-A: ", "a", 200000, "\r\n\r\n", 431);
	check_long(GET, "X: y\r\n", 100, "\r\n", 431);
	check_long(GET, "X: y\r\n", 10000, "\r\n", 431);
	check_long(GET,
	           "X-A: 456789012345678901234567890123456789012345678901234567890123456789"
	           "0123456789012345678901234567890123456789012345678901234567890123456789"
	           "0123456789012345678901234567890123456789012345678901234567890123456789"
	           "0123456789012345678901234567890123456789012345678901234567890123456789"
	           "0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
	           99, "\r\n", 431);
}

static const char *const samples[] = {
    GET "X-Header: some value\r\n\r\n" LAST,
    "\r\n" POST "Content-Length: 11\r\n\r\nhello world" LAST,
    CHUNKED "5\r\nhello\r\n0006;x=y\r\n world\r\n0\r\nX-T: v\r\n\r\n" LAST,
    POST "Content-Length: 3\r\n\r\nabc" CHUNKED "3\r\ndef\r\n0\r\n\r\n" GET "\r\n" LAST,
    "GET http://b/y HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
    "GET /z HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" LAST,
    GET "\r\n"
        "GET /x\r\n\r\n",
};

/* Sends `text` in pieces of `piece` bytes, the first of them `first`. */
static void
exchange(struct bed *b, const char *text, size_t first, size_t piece, struct buf *answers)
{
	size_t len = strlen(text), at = 0, n = first;
	struct client c;

	client_open(&c, b);
	while (at < len) {
		if (n > len - at)
			n = len - at;
		client_send_bytes(&c, text + at, n);
		bed_settle(b);
		at += n;
		n = piece;
	}
	RUN_UNTIL(b, client_ended(&c));
	assert_false(c.reset);
	client_plain(&c, answers);
	client_close(&c);
}

static void
check_splits(struct bed *b, const char *text)
{
	size_t len = strlen(text);
	struct buf whole = {0}, parts = {0};

	exchange(b, text, len, len, &whole);
	for (size_t first = 1; first < len; first++) {
		buf_clear(&parts);
		exchange(b, text, first, len, &parts);
		assert_string_equal(buf_text(&parts), buf_text(&whole));
	}
	for (size_t piece = 1; piece < 8; piece++) {
		buf_clear(&parts);
		exchange(b, text, piece, piece, &parts);
		assert_string_equal(buf_text(&parts), buf_text(&whole));
	}
	buf_finish(&whole);
	buf_finish(&parts);
}

static void
a_request_split_at_any_byte_gets_the_same_answer(void **state)
{
	struct bed b;

	bed_open(&b, &bed_limits);
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		check_splits(&b, samples[i]);
	bed_close(&b);
}

static void
pipelined_requests_are_answered_in_order(void **state)
{
	struct buf all = {0};
	struct client c;
	struct bed b;
	char want[32];

	for (int i = 0; i < 20; i++)
		buf_addf(&all, "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
	buf_adds(&all, LAST);
	bed_open(&b, &bed_limits);
	client_open(&c, &b);
	client_send_bytes(&c, all.data, all.len);
	RUN_UNTIL(&b, client_ended(&c));
	assert_int_equal(client_answers(&c), 21);
	for (int i = 0; i < 20; i++) {
		snprintf(want, sizeof(want), "GET /%d 1\n", i);
		assert_true(client_has(&c, want));
	}
	assert_true(client_has(&c, "GET /last 2\n"));
	client_close(&c);
	bed_close(&b);
	buf_finish(&all);
}

/* The second head lies in several pieces by the time its turn comes. */
static void
a_pipelined_request_waits_for_the_answer_before_it(void **state)
{
	struct buf value = {0};
	struct client c;
	struct bed b;

	for (int i = 0; i < 6000; i++)
		buf_addc(&value, 'v');
	bed_open(&b, &bed_limits);
	client_open(&c, &b);
	client_send(&c, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"
	                "GET /next HTTP/1.1\r\nHost: a\r\nX: ");
	bed_settle(&b);
	for (int i = 0; i < 3; i++) {
		client_send_bytes(&c, value.data, value.len);
		client_send(&c, "\r\nX: ");
		bed_settle(&b);
	}
	client_send(&c, "\r\n\r\n");
	bed_settle(&b);
	assert_string_equal(buf_text(&b.trace), "GET/hold ");
	bed_answer(&b, 200);
	assert_string_equal(buf_text(&b.trace), "GET/hold ");
	RUN_UNTIL(&b, client_has(&c, "GET /next 5\n"));
	client_close(&c);
	bed_close(&b);
	buf_finish(&value);
}

/* Were the next request begun inside the answer of the one before, the stack would not hold. */
static void
a_long_pipeline_needs_no_deep_stack(void **state)
{
	enum { MANY = 30000 };
	struct buf all = {0};
	struct client c;
	struct bed b;

	for (int i = 0; i < MANY; i++)
		buf_adds(&all, "GET /early HTTP/1.1\r\nHost: a\r\n\r\n");
	buf_adds(&all, LAST);
	bed_open(&b, &bed_limits);
	client_open(&c, &b);
	client_send_bytes(&c, all.data, all.len);
	RUN_UNTIL(&b, client_ended(&c));
	assert_false(c.reset);
	assert_true(client_has(&c, "GET /last 2\n"));
	client_close(&c);
	bed_close(&b);
	buf_finish(&all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_odd_request_is_refused_or_passed_as_rfc_9112_says),
	    cmocka_unit_test(what_is_too_long_is_refused),
	    cmocka_unit_test(a_request_split_at_any_byte_gets_the_same_answer),
	    cmocka_unit_test(pipelined_requests_are_answered_in_order),
	    cmocka_unit_test(a_pipelined_request_waits_for_the_answer_before_it),
	    cmocka_unit_test(a_long_pipeline_needs_no_deep_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
