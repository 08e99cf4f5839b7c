#include "../check.h"

#include "base/buf.h"
#include "proto/json.h"

#include <string.h>

/* What the scanner told, written down; pieces of one text are joined. */
struct trace {
	struct buf out;
	struct json_scanner *scanner;
	int stop_after; /* events; -1: never */
};

static const char *const signs[] = {
    [JSON_OBJECT_BEGIN] = "{", [JSON_OBJECT_END] = "}",   [JSON_ARRAY_BEGIN] = "[",
    [JSON_ARRAY_END] = "]",    [JSON_KEY_BEGIN] = "k<",   [JSON_KEY_PIECE] = "",
    [JSON_KEY_END] = ">",      [JSON_STRING_BEGIN] = "<", [JSON_STRING_PIECE] = "",
    [JSON_STRING_END] = ">",   [JSON_NUMBER] = "n",       [JSON_TRUE] = "t",
    [JSON_FALSE] = "f",        [JSON_NULL] = "z",
};

static bool
write_down(enum json_event event, struct str text, uint64_t offset, void *arg)
{
	struct trace *t = arg;
	bool piece = event == JSON_KEY_PIECE || event == JSON_STRING_PIECE;

	if (piece)
		assert_true(text.len > 0);
	buf_adds(&t->out, signs[event]);
	if (!piece)
		buf_addf(&t->out, "%d.%llu", json_scanner_depth(t->scanner), (unsigned long long)offset);
	if (event == JSON_NUMBER)
		buf_addc(&t->out, '=');
	buf_add(&t->out, text.ptr, text.len);
	return t->stop_after < 0 || t->stop_after-- > 0;
}

/* Scans `text` in pieces of `step` bytes; the trace ends with the reason where it is refused. */
static bool
scan(const char *text, size_t len, size_t step, uint64_t nodes_max, struct trace *t)
{
	bool ok = true;

	buf_clear(&t->out);
	t->scanner = json_scanner_create(write_down, t, nodes_max);
	for (size_t at = 0; at < len && ok; at += step) {
		/* A copy of its own size, so that a read past the piece is seen. */
		size_t n = len - at < step ? len - at : step;
		char *piece = test_malloc(n);

		memcpy(piece, text + at, n);
		ok = json_scanner_feed(t->scanner, (struct str){piece, n});
		test_free(piece);
	}
	ok = json_scanner_end(t->scanner) && ok;
	buf_adds(&t->out, json_scanner_why(t->scanner));
	json_scanner_destroy(&t->scanner);
	return ok;
}

/* However it is cut, the answer is the same. */
static bool
scan_all_ways(const char *text, size_t len, struct trace *t)
{
	struct trace other = {.stop_after = -1};
	bool ok = scan(text, len, len == 0 ? 1 : len, 1000, t);

	for (size_t step = 1; step < 12; step++) {
		assert_int_equal(scan(text, len, step, 1000, &other), ok);
		if (ok)
			assert_string_equal(buf_text(&other.out), buf_text(&t->out));
		else
			assert_string_equal(strstr(buf_text(&other.out), "invalid JSON"),
			                    strstr(buf_text(&t->out), "invalid JSON"));
	}
	buf_finish(&other.out);
	return ok;
}

#define TEXT(s)          \
	{                    \
		s, sizeof(s) - 1 \
	}

static const struct str allowed[] = {
    TEXT("{}"),
    TEXT("[]"),
    TEXT(" \t\r\n[ ] \t\r\n"),
    TEXT("null"),
    TEXT("true"),
    TEXT("false"),
    TEXT("\"\""),
    TEXT("0"),
    TEXT("-0"),
    TEXT("12 "),
    TEXT("-1.5e+10"),
    TEXT("1E5"),
    TEXT("1e-5"),
    TEXT("0.0"),
    TEXT("0e0"),
    TEXT("123456789012345678901234567890"),
    TEXT("[1,2.5,-3,\"a\",null,true,false,{},[]]"),
    TEXT("{\"a\":{\"b\":[{\"c\":1}]}}"),
    TEXT("{\"\":1,\"\":2}"),
    TEXT("[[[[[[]]]]]]"),
    TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
    TEXT("\"\\u0041\\u00e9\\u20AC\\uD83D\\uDE00\""),
    TEXT("\"\\u0000\""),
    TEXT("\"\x7f\""),
    TEXT("\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\""),
    TEXT("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\""),
    TEXT("\"\\ud800\""),
    TEXT("\"\\udc00x\""),
    TEXT("\"\\ud800\\ud800\\udc00\""),
    TEXT("{\"key\":\"0123456789abcdef0123456789abcdef\xc3\xa9 0123456789abcdef\"}"),
};

static void
what_rfc_8259_allows_is_accepted(void **state)
{
	struct trace t = {.stop_after = -1};

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (!scan_all_ways(allowed[i].ptr, allowed[i].len, &t))
			fail_msg("%s: %s", allowed[i].ptr, buf_text(&t.out));
	buf_finish(&t.out);
}

static const struct str forbidden[] = {
    TEXT(""),
    TEXT(" "),
    TEXT("{"),
    TEXT("["),
    TEXT("}"),
    TEXT("]"),
    TEXT("[}"),
    TEXT("{]"),
    TEXT("[1"),
    TEXT("[1,"),
    TEXT("[1,]"),
    TEXT("[,1]"),
    TEXT("[1 2]"),
    TEXT("[1,,2]"),
    TEXT("{\"a\"}"),
    TEXT("{\"a\":}"),
    TEXT("{\"a\":1,}"),
    TEXT("{,}"),
    TEXT("{a:1}"),
    TEXT("{'a':1}"),
    TEXT("{1:1}"),
    TEXT("{\"a\" 1}"),
    TEXT("{\"a\":1 \"b\":2}"),
    TEXT("{\"a\"::1}"),
    TEXT("{\"a\":1:2}"),
    TEXT("[1:2]"),
    TEXT("{\"a\",1}"),
    TEXT("{} {}"),
    TEXT("1 2"),
    TEXT("[]]"),
    TEXT("{}x"),
    TEXT("[] //c"),
    TEXT("/*c*/[]"),
    TEXT("01"),
    TEXT("-01"),
    TEXT("-"),
    TEXT("+1"),
    TEXT(".5"),
    TEXT("1."),
    TEXT("1.e5"),
    TEXT("1e"),
    TEXT("1e+"),
    TEXT("1ee5"),
    TEXT("1.2.3"),
    TEXT("--1"),
    TEXT("1-2"),
    TEXT("0x10"),
    TEXT("1_000"),
    TEXT("1a"),
    TEXT("NaN"),
    TEXT("Infinity"),
    TEXT("-Infinity"),
    TEXT("nul"),
    TEXT("nulll"),
    TEXT("True"),
    TEXT("tru e"),
    TEXT("truefalse"),
    TEXT("undefined"),
    TEXT("\""),
    TEXT("\"a"),
    TEXT("\"a\\"),
    TEXT("\"\\x41\""),
    TEXT("\"\\'\""),
    TEXT("\"\\u12\""),
    TEXT("\"\\u12G4\""),
    TEXT("\"\\u\""),
    TEXT("\"\\\0\""),
    TEXT("\"\\U0041\""),
    TEXT("\"\n\""),
    TEXT("\"\t\""),
    TEXT("\"\0\""),
    TEXT("\"\x1f\""),
    TEXT("[\0]"),
    TEXT("\xef\xbb\xbf{}"),
    TEXT("\xa0[]"),
    TEXT("[1\x0b,2]"),
    TEXT("\x0c[]"),
    TEXT("\"\x80\""),
    TEXT("\"\xc0\x80\""),
    TEXT("\"\xc1\xbf\""),
    TEXT("\"\xe0\x80\x80\""),
    TEXT("\"\xed\xa0\x80\""),
    TEXT("\"\xf4\x90\x80\x80\""),
    TEXT("\"\xf5\x80\x80\x80\""),
    TEXT("\"\xff\""),
    TEXT("\"\xe2\x82\""),
    TEXT("\"\xe2\""),
    TEXT("\"\xf0\x9f\x98"),
    TEXT("{\"\\u0000\":1}"),
    TEXT("{\"model\\u0000\":1}"),
    TEXT("{\"a\0\":1}"),
};

static void
what_it_does_not_allow_is_refused(void **state)
{
	struct trace t = {.stop_after = -1};

	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		if (scan_all_ways(forbidden[i].ptr, forbidden[i].len, &t))
			fail_msg("%s: %s", forbidden[i].ptr, buf_text(&t.out));
	buf_finish(&t.out);
}

static void
traces(const char *text, const char *want)
{
	struct trace t = {.stop_after = -1};

	scan_all_ways(text, strlen(text), &t);
	assert_string_equal(buf_text(&t.out), want);
	buf_finish(&t.out);
}

static void
events_bear_depth_and_offset(void **state)
{
	traces("{\"a\": [1, true], \"b\":\"xy\"}",
	       "{0.0k<1.1a>1.4[1.6n2.7=1t2.10]1.15k<1.17b>1.20<1.21xy>1.25}0.26");
	traces(" null ", "z0.1");
	traces(" -12.5", "n0.1=-12.5");
	traces("[{},\"\"]", "[0.0{1.1}1.3<1.4>1.6]0.7");
}

static void
escapes_come_decoded(void **state)
{
	traces("\"a\\n\\u00e9\\\\b\"", "<0.0a\n\xc3\xa9\\b>0.14");
	traces("{\"m\\u006fdel\":0}", "{0.0k<1.1model>1.13n1.14=0}0.16");
	traces("\"\\ud83d\\ude00\"", "<0.0\xf0\x9f\x98\x80>0.14");
	traces("\"\\uffff\\u07ff\\u0800\"", "<0.0\xef\xbf\xbf\xdf\xbf\xe0\xa0\x80>0.20");
}

static void
lone_surrogates_become_the_replacement_character(void **state)
{
	traces("\"\\ud800\"", "<0.0\xef\xbf\xbd>0.8");
	traces("\"\\udc00\"", "<0.0\xef\xbf\xbd>0.8");
	traces("\"\\ud800x\"", "<0.0\xef\xbf\xbdx>0.9");
	traces("\"\\ud800\\n\"", "<0.0\xef\xbf\xbd\n>0.10");
	traces("\"\\ud800\\u0041\"", "<0.0\xef\xbf\xbd"
	                             "A>0.14");
	traces("\"\\ud800\\ud83d\\ude00\"", "<0.0\xef\xbf\xbd\xf0\x9f\x98\x80>0.20");
	traces("\"\\ud800\xc3\xa9\"", "<0.0\xef\xbf\xbd\xc3\xa9>0.10");
}

static void
a_refusal_says_where_and_why(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
	    {"{\"a\":01}", "invalid JSON at byte 5: not a number"},
	    {"[1,\x01]", "invalid JSON at byte 3: not a value"},
	    {"[1,2", "invalid JSON at byte 4: it ends too early"},
	    {"\"ab\x01\"", "invalid JSON at byte 3: a control character in a string"},
	    {"\"ab\xff\"", "invalid JSON at byte 3: invalid UTF-8"},
	    {"{\"a\\u0000\":1}", "invalid JSON at byte 3: a NUL in a key"},
	    {"{}{}", "invalid JSON at byte 2: more than one value"},
	    {"{\"a\":1]", "invalid JSON at byte 6: the wrong bracket closes"},
	};
	struct trace t = {.stop_after = -1};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_false(scan_all_ways(rows[i].text, strlen(rows[i].text), &t));
		assert_string_equal(strstr(buf_text(&t.out), "invalid"), rows[i].why);
	}
	buf_finish(&t.out);
}

static void
nesting_ends_at_128(void **state)
{
	struct trace t = {.stop_after = -1};
	char text[2 * JSON_DEPTH_MAX + 2];

	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	assert_true(scan(text, 2 * JSON_DEPTH_MAX, 7, 1000, &t));
	memset(text, '[', JSON_DEPTH_MAX + 1);
	assert_false(scan(text, JSON_DEPTH_MAX + 1, 7, 1000, &t));
	assert_non_null(strstr(buf_text(&t.out), "byte 128: nested too deeply"));
	buf_finish(&t.out);
}

static void
each_level_remembers_its_own_bracket(void **state)
{
	struct trace t = {.stop_after = -1};
	struct buf text = {0};

	/* Objects and arrays in turn, past the first 64 levels, closed again. */
	for (int i = 0; i < 63; i++)
		buf_adds(&text, "[{\"a\":");
	buf_addc(&text, '1');
	for (int i = 0; i < 63; i++)
		buf_adds(&text, "}]");
	assert_true(scan(text.data, text.len, 5, 1000, &t));
	text.data[text.len - 1] = '}';
	assert_false(scan(text.data, text.len, 5, 1000, &t));
	buf_finish(&text);
	buf_finish(&t.out);
}

static void
numbers_end_at_512_characters(void **state)
{
	struct trace t = {.stop_after = -1};
	char text[JSON_NUMBER_MAX + 1];

	memset(text, '1', sizeof(text));
	assert_true(scan(text, JSON_NUMBER_MAX, 100, 10, &t));
	assert_false(scan(text, JSON_NUMBER_MAX + 1, 100, 10, &t));
	assert_non_null(strstr(buf_text(&t.out), "byte 0: a number of too many digits"));
	buf_finish(&t.out);
}

static void
keys_and_values_are_counted(void **state)
{
	struct trace t = {.stop_after = -1};
	const char *text = "{\"a\":[1,\"b\",{}]}";

	assert_true(scan(text, strlen(text), 3, 6, &t));
	assert_false(scan(text, strlen(text), 3, 5, &t));
	assert_non_null(strstr(buf_text(&t.out), "byte 12: too many values"));
	buf_finish(&t.out);
}

static void
a_callback_can_stop_the_scan_at_any_event(void **state)
{
	const char *text = "{\"a\\n\":[1,\"b\\u00e9\",true,\"\\ud800\"]}";
	struct trace t = {.stop_after = -1};

	for (int i = 0; i < 17; i++) { /* it has 17 events */
		t.stop_after = i;
		assert_false(scan(text, strlen(text), 2, 1000, &t));
		assert_null(strstr(buf_text(&t.out), "invalid"));
		assert_int_equal(t.stop_after, -1);
	}
	buf_finish(&t.out);
}

static void
long_runs_are_cut_at_every_special_byte(void **state)
{
	static const struct {
		char byte;
		bool ok;
	} rows[] = {{'\\', false}, {'\x1f', false}, {'\x80', false}, {' ', true}, {'\x7f', true},
	            {'!', true},   {'#', true},     {'[', true},     {']', true}, {'\0', false}};
	struct trace t = {.stop_after = -1};
	char text[42];

	/* Each special byte at each place of a word, and its neighbours that are not special. */
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
		for (size_t at = 1; at < 40; at++) {
			memset(text, 'z', sizeof(text));
			text[0] = text[41] = '"';
			text[at] = rows[r].byte;
			assert_int_equal(scan(text, 42, 42, 10, &t), rows[r].ok);
		}
	buf_finish(&t.out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_rfc_8259_allows_is_accepted),
	    cmocka_unit_test(what_it_does_not_allow_is_refused),
	    cmocka_unit_test(events_bear_depth_and_offset),
	    cmocka_unit_test(escapes_come_decoded),
	    cmocka_unit_test(lone_surrogates_become_the_replacement_character),
	    cmocka_unit_test(a_refusal_says_where_and_why),
	    cmocka_unit_test(nesting_ends_at_128),
	    cmocka_unit_test(each_level_remembers_its_own_bracket),
	    cmocka_unit_test(numbers_end_at_512_characters),
	    cmocka_unit_test(keys_and_values_are_counted),
	    cmocka_unit_test(a_callback_can_stop_the_scan_at_any_event),
	    cmocka_unit_test(long_runs_are_cut_at_every_special_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
