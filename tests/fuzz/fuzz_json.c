/*
 * The scanner tells the same however its input is cut, and what it tells is one
 * well-formed value.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "proto/json.h"

#include <string.h>

enum { NODES_MAX = 10000 };

struct trace {
	struct json_scanner *scanner;
	struct buf out;
	int open;
};

static void
check_depth(struct trace *t, enum json_event event)
{
	t->open -= event == JSON_OBJECT_END || event == JSON_ARRAY_END;
	CLAIM(json_scanner_depth(t->scanner) == t->open);
	t->open += event == JSON_OBJECT_BEGIN || event == JSON_ARRAY_BEGIN;
	CLAIM(t->open >= 0 && t->open <= JSON_DEPTH_MAX);
}

static bool
write_down(enum json_event event, struct str text, uint64_t offset, void *arg)
{
	struct trace *t = arg;
	bool piece = event == JSON_KEY_PIECE || event == JSON_STRING_PIECE;

	check_depth(t, event);
	CLAIM(!piece || text.len > 0);
	for (size_t i = 0, n; i < text.len; i += n) {
		n = str_utf8_len(text.ptr + i, text.len - i);
		CLAIM(n > 0);
	}
	if (!piece)
		buf_addf(&t->out, "%d.%llu ", (int)event, (unsigned long long)offset);
	buf_add(&t->out, text.ptr, text.len);
	return true;
}

/* Cut or whole. */
static bool
scan(struct str input, bool whole, struct trace *t)
{
	struct cutter c = cutter_of(input);
	bool ok = true;

	t->scanner = json_scanner_create(write_down, t, NODES_MAX);
	if (whole)
		ok = json_scanner_feed(t->scanner, input);
	while (!whole && ok && c.rest.len > 0)
		ok = json_scanner_feed(t->scanner, cutter_next(&c));
	CLAIM(ok == (*json_scanner_why(t->scanner) == '\0'));
	ok = json_scanner_end(t->scanner);
	CLAIM(!ok || t->open == 0);
	if (!ok)
		buf_clear(&t->out);
	buf_adds(&t->out, json_scanner_why(t->scanner));
	json_scanner_destroy(&t->scanner);
	return ok;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = {(const char *)data, size};
	struct trace whole = {0}, cut = {0};

	CLAIM(scan(input, true, &whole) == scan(input, false, &cut));
	CLAIM(whole.out.len == cut.out.len);
	CLAIM(memcmp(buf_text(&whole.out), buf_text(&cut.out), whole.out.len) == 0);
	buf_finish(&whole.out);
	buf_finish(&cut.out);
	return 0;
}
