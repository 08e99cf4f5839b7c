/* The name that was most likely meant. */
#include "near.h"

#include <string.h>

enum { MOST_EDITS = 3 };

static size_t
least_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edits that make `b` of `a`: a letter more, less or other, or two neighbours swapped. */
static size_t
count_edits(struct str a, struct str b)
{
	size_t rows[3][NEAR_LONGEST + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= b.len; j++)
		before[j] = last[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t *spare = before;

		now[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			now[j] = least_of(last[j], now[j - 1]) + 1;
			now[j] = least_of(now[j], last[j - 1] + (a.ptr[i - 1] != b.ptr[j - 1]));
			if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1])
				now[j] = least_of(now[j], before[j - 2] + 1);
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[b.len];
}

static struct str
last_part(struct str path)
{
	for (size_t i = path.len; i > 0; i--)
		if (path.ptr[i - 1] == '.')
			return (struct str){path.ptr + i, path.len - i};
	return path;
}

struct near
near_to(const char *wrong)
{
	return (struct near){.wrong = wrong, .edits = MOST_EDITS + 1};
}

void
near_offer_slice(struct near *n, struct str name)
{
	struct str wrong = str_of(n->wrong), a = last_part(wrong), b = last_part(name);
	size_t edits;

	if (wrong.len > NEAR_LONGEST || name.len > NEAR_LONGEST)
		return;
	edits = count_edits(wrong, name);
	/* The right name in the wrong group is as near as one slip of the finger. */
	if (edits > 1 && a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0)
		edits = 1;
	if (edits >= n->edits || edits * 2 > b.len)
		return;
	n->edits = edits;
	memcpy(n->found, name.ptr, name.len);
	n->found[name.len] = '\0';
}

void
near_offer(struct near *n, const char *name)
{
	near_offer_slice(n, str_of(name));
}
