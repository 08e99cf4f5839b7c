/* Sets of a few requests each; the fingerprint says in which one a request would be. */
#include "proto/cache_memo.h"

#include "base/fingerprint.h"
#include "base/mem.h"

#include <stdlib.h>

enum { SETS = 8192, WAYS = 4, REQUEST_BYTES_MAX = 64 * 1024 };

/* All zeroes: none. */
struct known {
	struct fingerprint request;
	struct cache_key key;
};

struct set {
	struct known ways[WAYS];
	unsigned next; /* whose turn it is to be replaced */
};

struct cache_memo {
	struct fingerprinter *fingerprinter; /* owned */
	bool asked;                          /* `request` is of the last one that was asked for */
	struct fingerprint request;
	struct set sets[SETS];
};

static struct set *
set_of(struct cache_memo *m)
{
	return &m->sets[m->request.words[0] % SETS];
}

struct cache_memo *
cache_memo_create(void)
{
	struct cache_memo *m = NEW(struct cache_memo);

	m->fingerprinter = fingerprinter_create();
	return m;
}

void
cache_memo_destroy(struct cache_memo **mp)
{
	struct cache_memo *m = *mp;

	*mp = NULL;
	if (m == NULL)
		return;
	fingerprinter_destroy(&m->fingerprinter);
	free(m);
}

bool
cache_memo_find(struct cache_memo *m, struct str about, struct str body, struct cache_key *out)
{
	const struct set *set;

	m->asked = about.len + body.len <= REQUEST_BYTES_MAX;
	if (!m->asked)
		return false;
	m->request = fingerprint_of(m->fingerprinter, about, body);
	set = set_of(m);
	for (int w = 0; w < WAYS; w++)
		if (memcmp(&set->ways[w].request, &m->request, sizeof(m->request)) == 0) {
			*out = set->ways[w].key;
			return true;
		}
	return false;
}

void
cache_memo_put(struct cache_memo *m, const struct cache_key *key)
{
	struct set *set = set_of(m);

	if (m->asked)
		set->ways[set->next++ % WAYS] = (struct known){m->request, *key};
	m->asked = false;
}
