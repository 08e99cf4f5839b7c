/*
 * The first byte picks a family and a form, the rest is the body of an answer. What
 * is made of it is well formed; where the answer was complete, it is so again, and
 * the way there and back ends where it was.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "proto/json.h"
#include "proto/transcript.h"

#include <string.h>

static bool
write_as(const struct transcript *t, enum transcript_form form, struct buf *out)
{
	struct transcript_want want = {form, str_of("a\"b"), true};

	return transcript_write(t, &want, out);
}

static struct transcript
of(const struct transcript *t, enum transcript_form form, const struct buf *body)
{
	return (struct transcript){t->family, form, {buf_text(body), body->len}};
}

static bool
ignore(enum json_event event, struct str text, uint64_t offset, void *arg)
{
	return true;
}

/* By the scanner, since cJSON refuses a lone surrogate, which nodes may write. */
static void
check_whole(const struct transcript *whole)
{
	struct json_scanner *s = json_scanner_create(ignore, NULL, UINT64_MAX);

	CLAIM(json_scanner_feed(s, whole->body) && json_scanner_end(s));
	json_scanner_destroy(&s);
}

/* Whole, streamed, and whole again. */
static void
check_round(const struct transcript *t)
{
	struct buf stream = {0}, whole = {0}, again = {0};
	struct transcript streamed, joined;

	CLAIM(write_as(t, TRANSCRIPT_WHOLE, &whole));
	joined = of(t, TRANSCRIPT_WHOLE, &whole);
	check_whole(&joined);
	if (write_as(&joined, TRANSCRIPT_STREAM, &stream)) {
		streamed = of(t, TRANSCRIPT_STREAM, &stream);
		CLAIM(!transcript_is_complete(&joined) || transcript_is_complete(&streamed));
		CLAIM(!transcript_is_complete(&joined) || write_as(&streamed, TRANSCRIPT_WHOLE, &again));
	}
	buf_finish(&stream);
	buf_finish(&whole);
	buf_finish(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct transcript t;
	struct buf out = {0};
	bool complete;

	if (size == 0)
		return 0;
	t.family = (enum answer_family)(data[0] % (ANSWER_MESSAGES + 1));
	t.form = (data[0] & 0x80) != 0 ? TRANSCRIPT_STREAM : TRANSCRIPT_WHOLE;
	t.body = (struct str){(const char *)data + 1, size - 1};
	complete = transcript_is_complete(&t);
	if (write_as(&t, TRANSCRIPT_WHOLE, &out) && complete)
		check_round(&t);
	buf_clear(&out);
	if (write_as(&t, TRANSCRIPT_STREAM, &out) && complete) {
		struct transcript stream = of(&t, TRANSCRIPT_STREAM, &out);

		CLAIM(transcript_is_complete(&stream));
	}
	buf_finish(&out);
	return 0;
}
