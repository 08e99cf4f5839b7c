#include "../check.h"

#include "base/buf.h"
#include "proto/http_answer.h"

#include <stdlib.h>
#include <string.h>

/* What a reader made of an answer. */
struct reading {
	enum http_read end; /* HTTP_MORE: it wants more */
	bool saw_head;
	int status;
	enum http_framing framing;
	bool keep_alive;
	uint64_t length;
	struct buf text; /* reason, headers, body: to be equal however it is cut */
	size_t body_bytes;
	size_t left_over;
};

static void
note_head(struct reading *r, const struct http_head *h)
{
	assert_false(r->saw_head);
	r->saw_head = true;
	r->status = h->status;
	r->framing = h->framing;
	r->keep_alive = h->keep_alive;
	r->length = h->length;
	buf_addf(&r->text, "%.*s|", STR_ARG(h->reason));
	for (size_t i = 0; i < h->header_count; i++)
		buf_addf(&r->text, "%.*s=%.*s|", STR_ARG(h->headers[i].name), STR_ARG(h->headers[i].value));
}

/* A piece lives only while it is read. */
static void
read_piece(struct reading *r, struct http_answer *a, const char *bytes, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);
	struct str in = {copy, len}, data;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	while (r->end != HTTP_END && r->end != HTTP_BAD) {
		r->end = http_answer_next(a, &in, &data);
		if (r->end == HTTP_HEAD_READ) {
			note_head(r, a->head);
		} else if (r->end == HTTP_DATA) {
			assert_true(data.len > 0);
			buf_add(&r->text, data.ptr, data.len);
			r->body_bytes += data.len;
		} else if (r->end == HTTP_MORE) {
			assert_int_equal(in.len, 0);
			break;
		}
	}
	r->left_over += in.len;
	free(copy);
}

/* Reads `text`, cut after every `step` bytes, or once at `cut` with step 0. */
static void
read_answer(struct reading *r, struct str text, bool to_head, size_t cut, size_t step, bool eof)
{
	struct http_answer a;
	struct http_head head;

	*r = (struct reading){.end = HTTP_MORE};
	http_answer_init(&a, to_head, &head);
	if (step == 0) {
		read_piece(r, &a, text.ptr, cut);
		read_piece(r, &a, text.ptr + cut, text.len - cut);
	} else {
		for (size_t at = 0; at < text.len; at += step)
			read_piece(r, &a, text.ptr + at, text.len - at < step ? text.len - at : step);
	}
	if (eof && r->end == HTTP_MORE)
		r->end = http_answer_eof(&a);
	assert_true((r->end == HTTP_BAD) == (a.why != NULL));
	http_answer_finish(&a);
}

static void
assert_same(const struct reading *a, const struct reading *b)
{
	assert_int_equal(a->end, b->end);
	if (a->end == HTTP_BAD)
		return;
	assert_int_equal(a->saw_head, b->saw_head);
	assert_int_equal(a->framing, b->framing);
	assert_int_equal(a->keep_alive, b->keep_alive);
	assert_int_equal(a->left_over, b->left_over);
	assert_string_equal(buf_text(&a->text), buf_text(&b->text));
}

/* The reading of the whole, after comparing it with that of any two pieces and single bytes. */
static struct reading
read_all_ways(struct str text, bool to_head, bool eof)
{
	struct reading whole, pieces;

	read_answer(&whole, text, to_head, text.len, 0, eof);
	for (size_t cut = 0; cut <= text.len; cut++) {
		read_answer(&pieces, text, to_head, cut, 0, eof);
		assert_same(&whole, &pieces);
		buf_finish(&pieces.text);
	}
	read_answer(&pieces, text, to_head, 0, 1, eof);
	assert_same(&whole, &pieces);
	buf_finish(&pieces.text);
	return whole;
}

struct want {
	int status;
	enum http_framing framing;
	bool keep_alive;
	size_t body_bytes;
	size_t left_over;
};

static void
check_good(const char *text, bool to_head, bool eof, struct want want)
{
	struct reading r = read_all_ways(str_of(text), to_head, eof);

	if (r.end != HTTP_END)
		fail_msg("not taken: %s", text);
	assert_int_equal(r.status, want.status);
	assert_int_equal(r.framing, want.framing);
	assert_int_equal(r.keep_alive, want.keep_alive);
	assert_int_equal(r.body_bytes, want.body_bytes);
	assert_int_equal(r.left_over, want.left_over);
	buf_finish(&r.text);
}

static void
check_bad(const char *text, size_t len)
{
	struct reading r = read_all_ways((struct str){text, len}, false, true);

	if (r.end != HTTP_BAD)
		fail_msg("taken: %s", text);
	buf_finish(&r.text);
}

#define BAD(text) check_bad(text, sizeof(text) - 1)

static void
bodies_end_as_their_framing_says(void **state)
{
	check_good("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, false,
	           (struct want){200, HTTP_LENGTH, true, 5, 0});
	check_good("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, false,
	           (struct want){200, HTTP_LENGTH, true, 0, 0});
	check_good("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n"
	           "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
	           false, false, (struct want){404, HTTP_CHUNKED, true, 6, 0});
	check_good("HTTP/1.1 200 OK\r\n\r\nhello", false, true,
	           (struct want){200, HTTP_UNTIL_CLOSE, false, 5, 0});
	check_good("HTTP/1.0 200 OK\r\n\r\n", false, true,
	           (struct want){200, HTTP_UNTIL_CLOSE, false, 0, 0});
	check_good("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", false, false,
	           (struct want){200, HTTP_LENGTH, false, 1, 0});
	check_good("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", false,
	           false, (struct want){200, HTTP_LENGTH, true, 1, 0});
	check_good("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", false, false,
	           (struct want){200, HTTP_LENGTH, false, 1, 0});
}

static void
some_answers_have_no_body(void **state)
{
	check_good("HTTP/1.1 204 No Content\r\n\r\n", false, false,
	           (struct want){204, HTTP_NO_BODY, true, 0, 0});
	check_good("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", false, false,
	           (struct want){204, HTTP_NO_BODY, true, 0, 0});
	check_good("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", false, false,
	           (struct want){204, HTTP_NO_BODY, false, 0, 5});
	check_good("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", false, false,
	           (struct want){204, HTTP_NO_BODY, false, 0, 0});
	check_good("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false, false,
	           (struct want){304, HTTP_LENGTH, true, 0, 0});
	check_good("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, false,
	           (struct want){200, HTTP_LENGTH, true, 0, 0});
	check_good("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true, false,
	           (struct want){200, HTTP_CHUNKED, true, 0, 0});
	check_good("HTTP/1.1 200 OK\r\n\r\n", true, false,
	           (struct want){200, HTTP_NO_BODY, true, 0, 0});
}

static void
interim_answers_are_skipped(void **state)
{
	check_good("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
	           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	           false, false, (struct want){200, HTTP_LENGTH, true, 2, 0});
}

static void
what_comes_after_the_end_is_left(void **state)
{
	check_good("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200", false, false,
	           (struct want){200, HTTP_LENGTH, true, 2, 12});
	check_good("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx", false, false,
	           (struct want){200, HTTP_CHUNKED, true, 0, 1});
}

static void
reasons_and_headers_are_handed_over(void **state)
{
	struct reading r = read_all_ways(
	    str_of("HTTP/1.1 299\r\nX-A:  b c\t\r\nEmpty:\r\nContent-Length: 0\r\n\r\n"), false, false);

	assert_int_equal(r.end, HTTP_END);
	assert_int_equal(r.status, 299);
	assert_string_equal(buf_text(&r.text), "|X-A=b c|Empty=|Content-Length=0|");
	buf_finish(&r.text);
	r = read_all_ways(str_of("HTTP/1.1 200 All \xc3\xbc right\r\nContent-Length: 0\r\n\r\n"), false,
	                  false);
	assert_int_equal(r.end, HTTP_END);
	assert_string_equal(buf_text(&r.text), "All \xc3\xbc right|Content-Length=0|");
	buf_finish(&r.text);
}

static void
what_could_be_misread_is_refused(void **state)
{
	BAD("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello");
	BAD("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\nhello");
	BAD("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello");
	BAD("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello");
	BAD("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
	BAD("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
	BAD("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n");
	BAD("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
	BAD("HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n");
	BAD("HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 0\r\n\r\n");
	BAD("HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n");
	BAD("HTTP/1.1 200 OK\r\nX: a\0\r\nContent-Length: 0\r\n\r\n");
	BAD("HTTP/1.1 200 OK\r\nX\r\nContent-Length: 0\r\n\r\n");
	BAD("HTTP/1.1 200 OK\nContent-Length: 0\n\n");
	BAD("HTTP/1.1 200 OK\r\nConnection: Content-Type\r\nContent-Type: a/b\r\n\r\n");
	BAD("HTTP/1.1 426 Upgrade Required\r\nUpgrade: x\r\nContent-Length: 0\r\n\r\n");
	BAD("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
	BAD("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n");
}

static void
what_is_no_http_is_refused(void **state)
{
	BAD("");
	BAD("SSH-2.0-OpenSSH_9.2\r\n");
	BAD("HTTP/2.0 200 OK\r\n\r\n");
	BAD("HTTP/1.2 200 OK\r\n\r\n");
	BAD("HTTP/1.1 2000 OK\r\n\r\n");
	BAD("HTTP/1.1 20 OK\r\n\r\n");
	BAD("HTTP/1.1 20x OK\r\n\r\n");
	BAD("HTTP/1.1 099 OK\r\n\r\n");
	BAD("HTTP/1.1 600 OK\r\n\r\n");
	BAD("HTTP/1.1  200 OK\r\n\r\n");
	BAD("HTTP/1.1 200 O\x01K\r\n\r\n");
	BAD("\r\nHTTP/1.1 200 OK\r\n\r\n");
	BAD("\x15\x03\x01\x00\x02\x02\x46");
}

static void
a_cut_is_noticed(void **state)
{
	BAD("HTTP/1.1 200 OK\r\nContent-Le");
	BAD("HTTP/1.1 100 Continue\r\n\r\n");
	BAD("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell");
	BAD("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
	BAD("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n");
}

static enum http_read
read_after_interim(int count)
{
	struct buf text = {0};
	struct reading r;

	for (int i = 0; i < count; i++)
		buf_adds(&text, "HTTP/1.1 102 Processing\r\n\r\n");
	buf_adds(&text, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	read_answer(&r, (struct str){text.data, text.len}, false, text.len, 0, false);
	buf_finish(&r.text);
	buf_finish(&text);
	return r.end;
}

static void
interim_answers_have_an_end(void **state)
{
	assert_int_equal(read_after_interim(HTTP_INTERIM_MAX), HTTP_END);
	assert_int_equal(read_after_interim(HTTP_INTERIM_MAX + 1), HTTP_BAD);
}

static enum http_read
read_head_of(size_t header_bytes, int headers, size_t step)
{
	struct buf text = {0};
	struct reading r;

	buf_adds(&text, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
	for (int i = 0; i < headers; i++)
		buf_addf(&text, "X: %0*d\r\n", (int)header_bytes, 0);
	buf_adds(&text, "\r\n");
	read_answer(&r, (struct str){text.data, text.len}, false, text.len, step, false);
	buf_finish(&r.text);
	buf_finish(&text);
	return r.end;
}

static void
heads_are_bounded(void **state)
{
	for (size_t step = 0; step < 8192; step += 4096 - 1) {
		assert_int_equal(read_head_of(60000, 1, step), HTTP_END);
		assert_int_equal(read_head_of(66000, 1, step), HTTP_BAD);
		assert_int_equal(read_head_of(600, 99, step), HTTP_END);
		assert_int_equal(read_head_of(700, 99, step), HTTP_BAD);
		assert_int_equal(read_head_of(1, 100, step), HTTP_BAD);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bodies_end_as_their_framing_says),
	    cmocka_unit_test(some_answers_have_no_body),
	    cmocka_unit_test(interim_answers_are_skipped),
	    cmocka_unit_test(interim_answers_have_an_end),
	    cmocka_unit_test(what_comes_after_the_end_is_left),
	    cmocka_unit_test(reasons_and_headers_are_handed_over),
	    cmocka_unit_test(what_could_be_misread_is_refused),
	    cmocka_unit_test(what_is_no_http_is_refused),
	    cmocka_unit_test(a_cut_is_noticed),
	    cmocka_unit_test(heads_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
