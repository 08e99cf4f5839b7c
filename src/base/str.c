/* Slices of text. */
#include "base/str.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

bool
str_starts_nocase(struct str a, const char *prefix)
{
	size_t n = strlen(prefix);

	return a.len >= n && strncasecmp(a.ptr, prefix, n) == 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct str
str_trim(struct str a)
{
	while (a.len > 0 && is_blank(a.ptr[0])) {
		a.ptr++;
		a.len--;
	}
	while (a.len > 0 && is_blank(a.ptr[a.len - 1]))
		a.len--;
	return a;
}

bool
str_split(struct str *rest, char sep, struct str *part)
{
	const char *at;

	if (rest->ptr == NULL)
		return false;
	at = rest->len == 0 ? NULL : memchr(rest->ptr, sep, rest->len);
	if (at == NULL) {
		*part = *rest;
		*rest = (struct str){NULL, 0};
		return true;
	}
	*part = (struct str){rest->ptr, (size_t)(at - rest->ptr)};
	rest->len -= part->len + 1;
	rest->ptr = at + 1;
	return true;
}

bool
str_list_has(struct str list, const char *token)
{
	struct str part;

	while (str_split(&list, ',', &part))
		if (str_eq_nocase(str_trim(part), token))
			return true;
	return false;
}

bool
str_to_u64(struct str a, uint64_t *out)
{
	uint64_t value = 0;

	if (a.len == 0 || a.len > 18)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (a.ptr[i] < '0' || a.ptr[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(a.ptr[i] - '0');
	}
	*out = value;
	return true;
}

static bool
glob_matches(const char *pattern, struct str text)
{
	const char *star = NULL, *resume = NULL, *at = text.ptr, *end = text.ptr + text.len;

	/* On a mismatch the last star takes one character more: linear in practice, never
	 * worse than the product of the lengths. */
	while (at < end) {
		if (*pattern == '*') {
			star = pattern++;
			resume = at;
		} else if (*pattern == '?' ||
		           tolower((unsigned char)*pattern) == tolower((unsigned char)*at)) {
			pattern++;
			at++;
		} else if (star != NULL) {
			pattern = star + 1;
			at = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

bool
str_glob(const char *pattern, const char *text)
{
	return glob_matches(pattern, str_of(text));
}

bool
str_glob_model(const char *pattern, const char *model)
{
	static const char latest[] = ":latest";
	size_t len = strlen(model), tag = sizeof(latest) - 1;

	if (str_glob(pattern, model))
		return true;
	return len > tag && strcmp(model + len - tag, latest) == 0 &&
	       glob_matches(pattern, (struct str){model, len - tag});
}

/* Eight bytes at a time: what is hashed may be long. */
uint64_t
str_hash(struct str a, uint64_t seed)
{
	static const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t hash = seed == 0 ? factor : seed, word;

	for (; a.len >= sizeof(word); a = (struct str){a.ptr + sizeof(word), a.len - sizeof(word)}) {
		memcpy(&word, a.ptr, sizeof(word));
		hash = (hash ^ word) * factor;
		hash ^= hash >> 32;
	}
	word = (uint64_t)a.len << 56; /* so that the end of a part counts */
	memcpy(&word, a.ptr, a.len);
	hash = (hash ^ word) * factor;
	hash ^= hash >> 32;
	return hash == 0 ? factor : hash;
}

static bool
is_tail(const char *p)
{
	return ((unsigned char)*p & 0xc0) == 0x80;
}

size_t
str_utf8_len(const char *p, size_t len)
{
	unsigned char a, b;

	if (len == 0)
		return 0;
	a = (unsigned char)p[0];
	if (a < 0x80)
		return 1;
	if (a < 0xc2 || a > 0xf4 || len < 2 || !is_tail(p + 1))
		return 0;
	if (a < 0xe0)
		return 2;
	b = (unsigned char)p[1];
	if (len < 3 || !is_tail(p + 2))
		return 0;
	if (a < 0xf0)
		return (a == 0xe0 && b < 0xa0) || (a == 0xed && b > 0x9f) ? 0 : 3;
	if (len < 4 || !is_tail(p + 3) || (a == 0xf0 && b < 0x90) || (a == 0xf4 && b > 0x8f))
		return 0;
	return 4;
}
