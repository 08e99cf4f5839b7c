/*
 * Slices of text: a pointer and a length into memory that somebody else owns.
 * "nocase" folds ASCII letters only, as HTTP and Ollama's names want it.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct str {
	const char *ptr;
	size_t len;
};

/* For printf: "%.*s" with STR_ARG(s). */
#define STR_ARG(s) (int)(s).len, (s).ptr

/* These three are in the header since the length of a literal is known to the compiler. */
static inline struct str
str_of(const char *text)
{
	return (struct str){text, strlen(text)};
}

static inline bool
str_eq(struct str a, const char *text)
{
	return strlen(text) == a.len && memcmp(a.ptr, text, a.len) == 0;
}

static inline bool
str_eq_nocase(struct str a, const char *text)
{
	return strlen(text) == a.len && strncasecmp(a.ptr, text, a.len) == 0;
}

bool str_starts_nocase(struct str a, const char *prefix);
/* Without spaces and tabs at both ends. */
struct str str_trim(struct str a);
/* Cuts the part before the next `sep` off `rest` and returns it; false when `rest` is used up
 * (`rest->ptr` is NULL then). An empty text has one empty part. */
bool str_split(struct str *rest, char sep, struct str *part);
/* Whether one of the comma-separated tokens of an HTTP list equals `token`, in any case. */
bool str_list_has(struct str list, const char *token);
/* Decimal digits only, no sign; false when empty, longer than 18 digits or with anything else. */
bool str_to_u64(struct str a, uint64_t *out);
/* `*` matches any run of characters, `?` one; case does not matter. */
bool str_glob(const char *pattern, const char *text);
/* The same for a canonical name of a model ("llama3:latest"): a pattern without a tag means the
 * latest too, as a name does. */
bool str_glob_model(const char *pattern, const char *model);
/* 64 bits: for tables, not against anybody who looks for collisions. `seed` is 0 at the
 * beginning, then the hash of the parts before, which are kept apart. Never 0. */
uint64_t str_hash(struct str a, uint64_t seed);
/* Length of the valid UTF-8 sequence at `p`, 0 when there is none (RFC 3629: no overlong
 * form, no surrogate, at most U+10FFFF). */
size_t str_utf8_len(const char *p, size_t len);

#endif
