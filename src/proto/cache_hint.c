/* A look for a seed, or for the temperature 0. */
#include "proto/cache_hint.h"

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

bool
cache_hint_may_repeat(enum answer_family family, struct str body)
{
	const char *at = body.ptr, *end = body.ptr + body.len;

	if (family == ANSWER_EMBED || family == ANSWER_EMBEDDINGS || family == ANSWER_OPENAI_EMBEDDINGS)
		return true;
	while (at < end && (at = memchr(at, '"', (size_t)(end - at))) != NULL) {
		struct str rest = {at + 1, (size_t)(end - at - 1)};
		char first = rest.len > 0 ? *rest.ptr : '\0';

		at++;
		if ((first == 's' || first == 'S') && value_of(rest, "seed").len > 0)
			return true;
		if ((first == 't' || first == 'T') && is_zero(value_of(rest, "temperature")))
			return true;
	}
	return false;
}
