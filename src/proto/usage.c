/*
 * The counts at the end of an answer. A key is looked for with its quotes and colon: within a
 * JSON text a quote has a backslash before it, so no answer's words can look like one. The last
 * one counts, since arguments of tools come before.
 */
#include "proto/usage.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What they are called. */
struct keys {
	const char *prompt;
	const char *output;
};

static const struct keys native_keys = {"\"prompt_eval_count\":", "\"eval_count\":"};
static const struct keys openai_keys = {"\"prompt_tokens\":", "\"completion_tokens\":"};
/* Anthropic's, and those of OpenAI's /v1/responses. */
static const struct keys newer_keys = {"\"input_tokens\":", "\"output_tokens\":"};

void
usage_init(struct usage_reader *u)
{
	u->len = 0;
	u->newlines = 0;
}

static uint64_t
count_newlines(struct str piece)
{
	uint64_t count = 0;
	const char *at;

	while (piece.len > 0 && (at = memchr(piece.ptr, '\n', piece.len)) != NULL) {
		count++;
		piece.len -= (size_t)(at + 1 - piece.ptr);
		piece.ptr = at + 1;
	}
	return count;
}

void
usage_add(struct usage_reader *u, struct str piece)
{
	if (piece.len == 0)
		return;
	u->newlines += count_newlines(piece);
	if (piece.len >= USAGE_TAIL_BYTES) {
		u->len = USAGE_TAIL_BYTES;
		memcpy(u->bytes, piece.ptr + piece.len - USAGE_TAIL_BYTES, USAGE_TAIL_BYTES);
		return;
	}
	if (u->len + piece.len > sizeof(u->bytes)) {
		memmove(u->bytes, u->bytes + u->len - USAGE_TAIL_BYTES, USAGE_TAIL_BYTES);
		u->len = USAGE_TAIL_BYTES;
	}
	memcpy(u->bytes + u->len, piece.ptr, piece.len);
	u->len += piece.len;
}

/* The same however the answer came in pieces. */
static struct str
tail_of(const struct usage_reader *u)
{
	size_t len = u->len < USAGE_TAIL_BYTES ? u->len : USAGE_TAIL_BYTES;

	return (struct str){u->bytes + u->len - len, len};
}

static int
read_number(struct str text)
{
	int64_t value = 0;

	for (size_t i = 0; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++) {
		value = 10 * value + text.ptr[i] - '0';
		if (value > INT_MAX)
			return INT_MAX;
	}
	return (int)value;
}

/* The number after the last of the keys. False: there is none. */
static bool
find_last(struct str tail, const char *key, int *out)
{
	size_t len = strlen(key), before = tail.len;
	const char *colon;

	while ((colon = memrchr(tail.ptr, ':', before)) != NULL) {
		size_t end = (size_t)(colon + 1 - tail.ptr);

		if (end >= len && memcmp(colon + 1 - len, key, len) == 0) {
			*out = read_number(str_trim((struct str){colon + 1, tail.len - end}));
			return true;
		}
		before = end - 1;
	}
	return false;
}

static bool
find_both(struct str tail, const struct keys *k, struct usage *out)
{
	bool prompt = find_last(tail, k->prompt, &out->prompt);

	return find_last(tail, k->output, &out->output) || prompt;
}

static bool
find_counts(struct str tail, enum dialect d, struct usage *out)
{
	switch (d) {
	case DIALECT_OLLAMA: return find_both(tail, &native_keys, out);
	case DIALECT_OPENAI:
		return find_both(tail, &openai_keys, out) || find_both(tail, &newer_keys, out);
	case DIALECT_ANTHROPIC: return find_both(tail, &newer_keys, out);
	}
	abort();
}

/* The lines of a record: data and a blank one; some events have a line for their name. */
static unsigned
lines_of_record(struct str tail, enum stream_form form)
{
	if (form == STREAM_NDJSON)
		return 1;
	return memmem(tail.ptr, tail.len, "event: ", 7) == NULL ? 2 : 3;
}

bool
usage_read(const struct usage_reader *u, enum dialect d, enum stream_form form, struct usage *out)
{
	struct str tail = tail_of(u);
	uint64_t records;

	*out = (struct usage){0};
	if (find_counts(tail, d, out))
		return true;
	if (form == STREAM_NONE)
		return false;
	records = u->newlines / lines_of_record(tail, form);
	out->output = records < INT_MAX ? (int)records : INT_MAX;
	out->is_estimate = true;
	return true;
}
