/*
 * The reader of forms tells the same however its input is cut, and what it tells
 * of a value is what stands there.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "proto/form.h"

#include <string.h>

struct trace {
	struct str input;
	struct buf out;
	uint64_t value_at;
	size_t value_len;
	bool in_field;
};

static bool
write_down(enum form_event event, struct str text, uint64_t offset, void *arg)
{
	struct trace *t = arg;

	switch (event) {
	case FORM_FIELD_BEGIN:
	case FORM_FILE:
		CLAIM(!t->in_field);
		t->in_field = event == FORM_FIELD_BEGIN;
		t->value_at = offset;
		t->value_len = 0;
		buf_addf(&t->out, "%d %llu ", (int)event, (unsigned long long)offset);
		buf_add(&t->out, text.ptr, text.len);
		return true;
	case FORM_PIECE:
		CLAIM(t->in_field && text.len > 0 && offset == t->value_at + t->value_len);
		CLAIM(memcmp(text.ptr, t->input.ptr + offset, text.len) == 0);
		t->value_len += text.len;
		return true;
	case FORM_FIELD_END:
		CLAIM(t->in_field && offset == t->value_at + t->value_len);
		t->in_field = false;
		buf_addf(&t->out, "end %llu ", (unsigned long long)offset);
		return true;
	}
	abort();
}

static bool
read_form(struct str input, bool whole, struct buf *out)
{
	struct trace t = {.input = input};
	struct form_reader *f =
	    form_reader_create(str_of("multipart/form-data; boundary=b"), write_down, &t);
	struct cutter c = cutter_of(input);
	bool ok = true;

	if (whole)
		ok = form_reader_feed(f, input);
	while (!whole && ok && c.rest.len > 0)
		ok = form_reader_feed(f, cutter_next(&c));
	ok = form_reader_end(f) && ok;
	CLAIM(ok == (*form_reader_why(f) == '\0'));
	CLAIM(!ok || !t.in_field);
	form_reader_destroy(&f);
	*out = t.out;
	return ok;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = {(const char *)data, size};
	struct buf whole, cut;
	bool ok = read_form(input, true, &whole);

	CLAIM(read_form(input, false, &cut) == ok);
	CLAIM(whole.len == cut.len);
	CLAIM(memcmp(buf_text(&whole), buf_text(&cut), whole.len) == 0);
	buf_finish(&whole);
	buf_finish(&cut);
	return 0;
}
