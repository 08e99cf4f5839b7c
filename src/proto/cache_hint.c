/* A look for a seed, or for the temperature 0. */
#include "proto/cache_hint.h"

#include "bytes16.h"

#include <string.h>
#include <strings.h>

static struct str
skip_space(struct str s)
{
	while (s.len > 0 && strchr(" \t\r\n", *s.ptr) != NULL) {
		s.ptr++;
		s.len--;
	}
	return s;
}

/* `s` begins after a quote. The value after the colon, where the key is this one; else empty. */
static struct str
value_of(struct str s, const char *key)
{
	size_t len = strlen(key);

	if (s.len <= len || s.ptr[len] != '"' || strncasecmp(s.ptr, key, len) != 0)
		return (struct str){s.ptr, 0};
	s = skip_space((struct str){s.ptr + len + 1, s.len - len - 1});
	if (s.len == 0 || *s.ptr != ':')
		return (struct str){s.ptr, 0};
	return skip_space((struct str){s.ptr + 1, s.len - 1});
}

/* No digit but 0 before the exponent. */
static bool
is_zero(struct str number)
{
	for (size_t i = 0; i < number.len; i++) {
		char c = number.ptr[i];

		if (c >= '1' && c <= '9')
			return false;
		if (c != '-' && c != '0' && c != '.')
			return i > 0;
	}
	return number.len > 0;
}

/* Goes on to just behind the next quote that an s or a t may follow. False: there is none. */
static bool
find_key(struct str *s)
{
	const char *p = s->ptr, *end = s->ptr + s->len;
	size_t n = sizeof(bytes16);

	while (n == sizeof(bytes16) && end - p > (ptrdiff_t)sizeof(bytes16)) {
		bytes16 next = bytes16_load(p + 1) | 0x20;

		n = bytes16_first((bytes16_load(p) == '"') & ((next == 's') | (next == 't')));
		p += n;
	}
	while (p < end && *p != '"')
		p++;
	if (p == end)
		return false;
	*s = (struct str){p + 1, (size_t)(end - p - 1)};
	return true;
}

bool
cache_hint_may_repeat(enum answer_family family, struct str body)
{
	struct str at = body;

	if (family == ANSWER_EMBED || family == ANSWER_EMBEDDINGS || family == ANSWER_OPENAI_EMBEDDINGS)
		return true;
	while (find_key(&at))
		if (value_of(at, "seed").len > 0 || is_zero(value_of(at, "temperature")))
			return true;
	return false;
}
