/*
 * Answers. Lines of NDJSON and whole answers go to the reader as they come; only
 * of events a line that was cut is put together first, since its name decides
 * what it is.
 */
#include "answer.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES_MAX = 16 * 1024 * 1024 };

void
answer_init(struct answer *a)
{
	*a = (struct answer){0};
	a->reader = record_reader_create(&a->facts);
	answer_restart(a);
}

void
answer_finish(struct answer *a)
{
	record_reader_destroy(&a->reader);
	buf_finish(&a->line);
	free(a->gaps.us);
	*a = (struct answer){0};
}

void
answer_restart(struct answer *a)
{
	facts_init(&a->facts);
	record_reader_restart(a->reader);
	a->form = STREAM_NONE;
	a->in_record = false;
	a->bad = false;
	buf_clear(&a->line);
	a->first_us = a->last_us = 0;
	a->tokens = 0;
	a->gaps.count = 0;
}

void
answer_begin(struct answer *a, struct str content_type)
{
	a->form = stream_form_of(content_type);
}

static void
refuse(struct answer *a, const char *why)
{
	a->bad = true;
	a->facts.failed = true;
	a->facts.error[0] = '\0';
	strncat(a->facts.error, why, sizeof(a->facts.error) - 1);
}

static void
add_gap(struct gaps *g, int64_t us)
{
	if (g->count == g->room) {
		g->room = g->room == 0 ? 256 : g->room * 2;
		g->us = mem_realloc(g->us, g->room * sizeof(g->us[0]));
	}
	g->us[g->count++] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static void
note_token(struct answer *a, int64_t now_us)
{
	if (a->tokens++ == 0)
		a->first_us = now_us;
	else
		add_gap(&a->gaps, now_us - a->last_us);
	a->last_us = now_us;
}

static void
end_record(struct answer *a, int64_t now_us)
{
	if (!a->in_record)
		return;
	a->in_record = false;
	if (!record_end(a->reader))
		refuse(a, "the answer is no JSON");
	else if (a->facts.token)
		note_token(a, now_us);
	record_reader_restart(a->reader);
}

static void
feed_record(struct answer *a, struct str bytes)
{
	if (bytes.len == 0)
		return;
	a->in_record = true;
	if (!record_feed(a->reader, bytes))
		refuse(a, "the answer is no JSON");
}

static bool
is_blank(struct str s)
{
	return s.len == 0 || (s.len == 1 && s.ptr[0] == '\r');
}

static void
feed_lines(struct answer *a, struct str bytes, int64_t now_us)
{
	while (bytes.len > 0 && !a->bad) {
		const char *end = memchr(bytes.ptr, '\n', bytes.len);
		struct str line = {bytes.ptr, end == NULL ? bytes.len : (size_t)(end - bytes.ptr)};

		if (a->in_record || !is_blank(line))
			feed_record(a, line);
		if (end == NULL)
			return;
		end_record(a, now_us);
		bytes.len -= line.len + 1;
		bytes.ptr = end + 1;
	}
}

/* One line of an event, without its end. An empty one ends the event (WHATWG HTML 9.2.6). */
static void
take_event_line(struct answer *a, struct str line, int64_t now_us)
{
	struct str data;

	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	if (line.len == 0) {
		end_record(a, now_us);
		return;
	}
	if (line.len < 5 || memcmp(line.ptr, "data:", 5) != 0)
		return;
	data = str_trim((struct str){line.ptr + 5, line.len - 5});
	if (str_eq(data, "[DONE]"))
		a->facts.done = true;
	else
		feed_record(a, data);
}

static void
feed_events(struct answer *a, struct str bytes, int64_t now_us)
{
	while (bytes.len > 0 && !a->bad) {
		const char *end = memchr(bytes.ptr, '\n', bytes.len);
		struct str line = {bytes.ptr, end == NULL ? bytes.len : (size_t)(end - bytes.ptr)};

		if (end == NULL || a->line.len > 0) {
			if (line.len > LINE_BYTES_MAX - a->line.len) {
				refuse(a, "a line of the stream is too long");
				return;
			}
			buf_add(&a->line, line.ptr, line.len);
		}
		if (end == NULL)
			return;
		bytes.len -= line.len + 1;
		bytes.ptr = end + 1;
		if (a->line.len > 0)
			line = (struct str){a->line.data, a->line.len};
		take_event_line(a, line, now_us);
		buf_clear(&a->line);
	}
}

void
answer_feed(struct answer *a, struct str bytes, int64_t now_us)
{
	if (a->bad)
		return;
	switch (a->form) {
	case STREAM_NDJSON: feed_lines(a, bytes, now_us); return;
	case STREAM_SSE: feed_events(a, bytes, now_us); return;
	case STREAM_NONE: feed_record(a, bytes); return;
	}
}

bool
answer_end(struct answer *a, bool streamed, int64_t now_us)
{
	if (a->form == STREAM_SSE && a->line.len > 0)
		take_event_line(a, (struct str){a->line.data, a->line.len}, now_us);
	if (!a->bad)
		end_record(a, now_us);
	if (!a->facts.failed && streamed && !a->facts.done)
		refuse(a, "the stream ended without its last record");
	if (!a->facts.failed && !streamed && a->tokens == 0 && !a->facts.done)
		refuse(a, "the answer has nothing in it");
	if (a->facts.failed && a->facts.error[0] == '\0')
		refuse(a, "the server reported an error");
	return !a->facts.failed;
}
