#include "../check.h"

#include "base/buf.h"
#include "proto/http.h"

#include <stdlib.h>
#include <string.h>

/* Decodes `text` in two pieces; what is left over after the end is counted. */
static enum http_read
decode(struct str text, size_t cut, struct buf *out, size_t *left_over)
{
	struct str pieces[] = {{text.ptr, cut}, {text.ptr + cut, text.len - cut}}, data;
	enum http_read got = HTTP_MORE;
	struct http_chunks c;

	http_chunks_init(&c);
	*left_over = 0;
	for (int i = 0; i < 2; i++) {
		while (got != HTTP_END && got != HTTP_BAD &&
		       (got = http_chunks_next(&c, &pieces[i], &data)) == HTTP_DATA) {
			assert_true(data.len > 0);
			buf_add(out, data.ptr, data.len);
		}
		*left_over += pieces[i].len;
	}
	return got;
}

static void
check(const char *text, size_t len, enum http_read want, const char *body, size_t left_over)
{
	for (size_t cut = 0; cut <= len; cut++) {
		struct buf out = {0};
		size_t left;
		enum http_read got = decode((struct str){text, len}, cut, &out, &left);

		if (got != want)
			fail_msg("%d instead of %d, cut after %zu: %s", (int)got, (int)want, cut, text);
		if (want != HTTP_BAD)
			assert_string_equal(buf_text(&out), body);
		if (want == HTTP_END)
			assert_int_equal(left, left_over);
		buf_finish(&out);
	}
}

#define GOOD(text, body, left) check(text, sizeof(text) - 1, HTTP_END, body, left)
#define PART(text, body)       check(text, sizeof(text) - 1, HTTP_MORE, body, 0)
#define BAD(text)              check(text, sizeof(text) - 1, HTTP_BAD, "", 0)

static void
chunks_become_their_data(void **state)
{
	GOOD("0\r\n\r\n", "", 0);
	GOOD("5\r\nhello\r\n0\r\n\r\n", "hello", 0);
	GOOD("5\r\nhello\r\n0\r\n\r\nGET", "hello", 3);
	GOOD("1\r\na\r\n2\r\nbc\r\n00\r\n\r\n", "abc", 0);
	GOOD("00000000000000a\r\n0123456789\r\n0\r\n\r\n", "0123456789", 0);
	GOOD("B\r\nhello world\r\n0\r\n\r\n", "hello world", 0);
	PART("5\r\nhel", "hel");
	PART("5\r\nhello\r\n0\r\n", "hello");
}

static void
extensions_and_trailers_are_dropped(void **state)
{
	GOOD("5;a=b\r\nhello\r\n0;x\r\n\r\n", "hello", 0);
	GOOD("5;\r\nhello\r\n0\r\n\r\n", "hello", 0);
	GOOD("5 \t;a = b\r\nhello\r\n0 ;x\r\n\r\n", "hello", 0);
	GOOD("5;a=\"b\t\"\r\nhello\r\n0\r\n\r\n", "hello", 0);
	GOOD("5\r\nhello\r\n0\r\nX-T: v\r\nY:\r\n\r\n", "hello", 0);
}

static void
sizes_are_plain_hex_digits(void **state)
{
	BAD("10000000000000005\r\nhello\r\n0\r\n\r\n");
	BAD("ffffffffffffffff\r\nhello\r\n");
	BAD("0000000000000005\r\nhello\r\n");
	BAD("-5\r\nhello\r\n");
	BAD("+5\r\nhello\r\n");
	BAD("0x5\r\nhello\r\n");
	BAD("\x85\r\n\r\n");
	BAD(" 5\r\nhello\r\n");
	BAD("5 \r\nhello\r\n");
	BAD("5 \r\nhello\r\n");
	BAD("5\t\r\nhello\r\n");
	BAD("5 5\r\nhello\r\n");
	BAD("5 a=b\r\nhello\r\n");
	BAD("g\r\n");
	BAD("\r\n");
	BAD(";a\r\n");
	BAD("5\0\r\nhello\r\n");
}

static void
only_crlf_ends_a_line(void **state)
{
	BAD("5\nhello\r\n0\r\n\r\n");
	BAD("5\rhello\r\n0\r\n\r\n");
	BAD("5;a\nhello\r\n0\r\n\r\n");
	BAD("5;a\0\r\nhello\r\n0\r\n\r\n");
	BAD("5\r\nhelloX\r\n0\r\n\r\n");
	BAD("5\r\nhello\n0\r\n\r\n");
	BAD("5\r\nhello\rX");
	BAD("5\r\nhello\r\n0\r\n\n");
	BAD("5\r\nhello\r\n0\r\n\rX");
	BAD("5\r\nhello\r\n0\r\nX: y\n\r\n");
}

static void
a_trailer_must_not_be_a_request(void **state)
{
	BAD("0\r\nX-T: v\r\nGET /smug HTTP/1.1\r\nHost: a\r\n\r\n");
	BAD("0\r\nX-T: v\r\nGET /smug HTTP/1.1: x\r\nHost: q\r\n\r\n");
	BAD("0\r\n folded\r\n\r\n");
	BAD("0\r\n: v\r\n\r\n");
	BAD("0\r\nX\r\n\r\n");
	BAD("0\r\nX: \0\r\n\r\n");
}

static void
lines_are_bounded(void **state)
{
	struct buf text = {0}, out = {0};
	size_t left;

	buf_adds(&text, "5;");
	for (int i = 0; i < HTTP_CHUNK_LINE_BYTES_MAX; i++)
		buf_addc(&text, 'a');
	assert_int_equal(decode((struct str){text.data, text.len}, 1, &out, &left), HTTP_BAD);
	buf_clear(&text);
	buf_adds(&text, "5");
	for (int i = 0; i < HTTP_CHUNK_LINE_BYTES_MAX; i++)
		buf_addc(&text, ' ');
	assert_int_equal(decode((struct str){text.data, text.len}, 1, &out, &left), HTTP_BAD);
	buf_clear(&text);
	buf_adds(&text, "0\r\nX: ");
	for (int i = 0; i < HTTP_LINE_BYTES_MAX; i++)
		buf_addc(&text, 'a');
	assert_int_equal(decode((struct str){text.data, text.len}, 1, &out, &left), HTTP_BAD);
	buf_clear(&text);
	buf_adds(&text, "0\r\n");
	for (int i = 0; i < HTTP_TRAILERS_MAX; i++)
		buf_adds(&text, "X: y\r\n");
	assert_int_equal(decode((struct str){text.data, text.len}, 1, &out, &left), HTTP_MORE);
	buf_adds(&text, "X: y\r\n");
	assert_int_equal(decode((struct str){text.data, text.len}, 1, &out, &left), HTTP_BAD);
	buf_finish(&text);
	buf_finish(&out);
}

/* How a body is read whose chunks have so many bytes, and so many of extensions. */
static enum http_read
read_extended(size_t data_bytes, size_t extension_bytes)
{
	struct buf text = {0}, out = {0};
	enum http_read got;
	size_t left;

	for (int i = 0; i < 1000; i++)
		buf_addf(&text, "%zx;%0*d\r\n%0*d\r\n", data_bytes, (int)extension_bytes, 0,
		         (int)data_bytes, 0);
	buf_adds(&text, "0\r\n\r\n");
	got = decode((struct str){text.data, text.len}, text.len, &out, &left);
	buf_finish(&text);
	buf_finish(&out);
	return got;
}

static void
extensions_must_not_outweigh_the_data(void **state)
{
	assert_int_equal(read_extended(1, 16), HTTP_END);
	assert_int_equal(read_extended(1, 24), HTTP_BAD);
	assert_int_equal(read_extended(200, 200), HTTP_END);
	assert_int_equal(read_extended(4096, 240), HTTP_END);
}

static void
a_huge_chunk_is_counted_not_stored(void **state)
{
	struct str in = str_of("fffffffffffffff\r\nx"), data;
	struct http_chunks c;

	http_chunks_init(&c);
	assert_int_equal(http_chunks_next(&c, &in, &data), HTTP_DATA);
	assert_int_equal(data.len, 1);
	assert_true(c.left == 0xffffffffffffffeULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(chunks_become_their_data),
	    cmocka_unit_test(extensions_and_trailers_are_dropped),
	    cmocka_unit_test(sizes_are_plain_hex_digits),
	    cmocka_unit_test(only_crlf_ends_a_line),
	    cmocka_unit_test(a_trailer_must_not_be_a_request),
	    cmocka_unit_test(lines_are_bounded),
	    cmocka_unit_test(extensions_must_not_outweigh_the_data),
	    cmocka_unit_test(a_huge_chunk_is_counted_not_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
