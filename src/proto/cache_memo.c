/* Sets of a few requests each; a hash says in which one a request would be. */
#include "proto/cache_memo.h"

#include "base/mem.h"

#include <stdlib.h>

enum { SETS = 256, WAYS = 4, REQUEST_BYTES_MAX = 4096 };

struct known {
	uint64_t hash; /* 0: nothing is known here */
	size_t about_len, body_len;
	char *text; /* owned; both, one after the other */
	struct cache_key key;
};

struct set {
	struct known ways[WAYS];
	unsigned next; /* whose turn it is to be replaced */
};

struct cache_memo {
	struct set sets[SETS];
};

static bool
fits(struct str about, struct str body)
{
	return about.len + body.len <= REQUEST_BYTES_MAX;
}

static uint64_t
hash_of(struct str about, struct str body)
{
	return str_hash(body, str_hash(about, 0));
}

static bool
is_same(const struct known *k, uint64_t hash, struct str about, struct str body)
{
	return k->hash == hash && k->about_len == about.len && k->body_len == body.len &&
	       memcmp(k->text, about.ptr, about.len) == 0 &&
	       memcmp(k->text + about.len, body.ptr, body.len) == 0;
}

struct cache_memo *
cache_memo_create(void)
{
	return NEW(struct cache_memo);
}

void
cache_memo_destroy(struct cache_memo **mp)
{
	struct cache_memo *m = *mp;

	*mp = NULL;
	if (m == NULL)
		return;
	for (int i = 0; i < SETS; i++)
		for (int w = 0; w < WAYS; w++)
			free(m->sets[i].ways[w].text);
	free(m);
}

bool
cache_memo_find(const struct cache_memo *m, struct str about, struct str body,
                struct cache_key *out)
{
	const struct set *set;
	uint64_t hash;

	if (!fits(about, body))
		return false;
	hash = hash_of(about, body);
	set = &m->sets[hash % SETS];
	for (int w = 0; w < WAYS; w++)
		if (is_same(&set->ways[w], hash, about, body)) {
			*out = set->ways[w].key;
			return true;
		}
	return false;
}

void
cache_memo_put(struct cache_memo *m, struct str about, struct str body, const struct cache_key *key)
{
	uint64_t hash;
	struct set *set;
	struct known *k;

	if (!fits(about, body))
		return;
	hash = hash_of(about, body);
	set = &m->sets[hash % SETS];
	k = &set->ways[set->next++ % WAYS];
	free(k->text);
	*k = (struct known){hash, about.len, body.len, mem_alloc(about.len + body.len), *key};
	memcpy(k->text, about.ptr, about.len);
	memcpy(k->text + about.len, body.ptr, body.len);
}
