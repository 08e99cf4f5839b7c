/* Keys as Go matches them. */
#include "json_fold.h"

static int
to_lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* Takes the next byte of a key that is not ASCII off `text`; the two odd characters as the letter
 * they fold to. */
static int
next_odd(struct str *text)
{
	static const struct {
		const char *utf8;
		size_t len;
		unsigned char letter;
	} folds[] = {{"\xc5\xbf", 2, 's'}, {"\xe2\x84\xaa", 3, 'k'}};
	unsigned char c = (unsigned char)*text->ptr;
	size_t len = 1;
	int folded = c;

	for (size_t i = 0; i < sizeof(folds) / sizeof(folds[0]); i++)
		if (text->len >= folds[i].len && memcmp(text->ptr, folds[i].utf8, folds[i].len) == 0) {
			len = folds[i].len;
			folded = folds[i].letter;
		}
	*text = (struct str){text->ptr + len, text->len - len};
	return folded;
}

static int
next_folded(struct str *text)
{
	unsigned char c = (unsigned char)*text->ptr;

	if (c >= 0x80)
		return next_odd(text);
	*text = (struct str){text->ptr + 1, text->len - 1};
	return to_lower(c);
}

/* Most keys differ in the first letter. */
bool
json_folds_to(struct str written, const char *name)
{
	if (written.len > 0 && (unsigned char)*written.ptr < 0x80 &&
	    to_lower((unsigned char)*written.ptr) != *name)
		return false;
	return str_eq(written, name) || json_fold_compare(written, str_of(name)) == 0;
}

int
json_fold_compare(struct str a, struct str b)
{
	while (a.len > 0 && b.len > 0) {
		int x = next_folded(&a), y = next_folded(&b);

		if (x != y)
			return x - y;
	}
	return (a.len > 0) - (b.len > 0);
}

uint64_t
json_fold_first(struct str a)
{
	uint64_t first = 0;

	for (size_t i = 0; i < sizeof(first); i++)
		first = first << 8 | (a.len > 0 ? (uint64_t)next_folded(&a) : 0);
	return first;
}
