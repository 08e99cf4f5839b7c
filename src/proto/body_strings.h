/*
 * How much of a body is text that a model reads, and how much images and sounds are: these are
 * long strings of base64. Runs for every string of every body, and so it is inline.
 */
#ifndef PROTO_BODY_STRINGS_H
#define PROTO_BODY_STRINGS_H

#include "base/str.h"
#include "proto/json.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a string is looked at to tell whether it is an image, and how long one is at least. */
enum { LOOK_AT = 256, LOOK_BYTES = 64, ENCODED_BYTES_MIN = 1024 };

/* Zeroed at the beginning. */
struct body_strings {
	uint64_t begin; /* of the current one */
	bool is_text;   /* it is no image and no sound, as far as was looked */
	uint64_t encoded_bytes;
};

/* Whether such a byte stands in base64; +,-./ and digits are next to each other. */
static inline bool
may_be_encoded(unsigned char c)
{
	return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '+' && c <= '9') || c == '=';
}

/* Images and sounds are long texts without a blank: a few bytes in the midst of a long string tell
 * it from what a model reads. By the place in the string, so that it does not matter how the body
 * is cut. */
static inline void
look_into_string(struct body_strings *s, struct str text, uint64_t offset)
{
	uint64_t from = s->begin + LOOK_AT, to = from + LOOK_BYTES;

	if (s->is_text || offset + text.len <= from || offset >= to)
		return;
	for (uint64_t i = offset > from ? offset : from; i < to && i < offset + text.len; i++)
		if (!may_be_encoded((unsigned char)text.ptr[i - offset])) {
			s->is_text = true;
			return;
		}
}

static inline void
body_strings_note(struct body_strings *s, enum json_event event, struct str text, uint64_t offset)
{
	if (event == JSON_STRING_BEGIN) {
		s->begin = offset;
		s->is_text = false;
	} else if (event == JSON_STRING_PIECE) {
		look_into_string(s, text, offset);
	} else if (offset - s->begin >= ENCODED_BYTES_MIN && !s->is_text) {
		s->encoded_bytes += offset - s->begin;
	}
}

#endif
