/*
 * Buckets of four slots; a key has one bucket, in which the oldest slot gives way.
 * A slot counts as empty once `span` further keys were added.
 */
#include "ghost.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { WAYS = 4 };

struct ghost_slot {
	uint32_t print; /* 0: empty */
	uint32_t added;
};

void
ghost_init(struct ghost *g, size_t count)
{
	*g = (struct ghost){.span = count < UINT32_MAX / 2 ? (uint32_t)count : UINT32_MAX / 2};
	if (count == 0)
		return;
	/* Twice the room: few buckets are full of what still counts. */
	for (g->buckets = 1; g->buckets * WAYS < 2 * (size_t)g->span;)
		g->buckets *= 2;
	g->slots = mem_zalloc(g->buckets * WAYS, sizeof(*g->slots));
}

void
ghost_finish(struct ghost *g)
{
	free(g->slots);
	*g = (struct ghost){0};
}

size_t
ghost_bytes(const struct ghost *g)
{
	return g->buckets * WAYS * sizeof(*g->slots);
}

/* Other bytes than those the cache's table goes by. */
static struct ghost_slot *
bucket_of(const struct ghost *g, const struct sha256 *key, uint32_t *print)
{
	uint64_t at;

	memcpy(&at, key->bytes + 8, sizeof(at));
	memcpy(print, key->bytes + 16, sizeof(*print));
	*print |= 1;
	return g->slots + (at & (g->buckets - 1)) * WAYS;
}

static bool
counts(const struct ghost *g, const struct ghost_slot *s)
{
	return s->print != 0 && g->clock - s->added < g->span;
}

void
ghost_add(struct ghost *g, const struct sha256 *key)
{
	struct ghost_slot *s, *oldest;
	uint32_t print;

	if (g->buckets == 0)
		return;
	s = oldest = bucket_of(g, key, &print);
	for (int i = 1; i < WAYS; i++)
		if (g->clock - s[i].added > g->clock - oldest->added)
			oldest = &s[i];
	for (int i = 0; i < WAYS; i++)
		if (!counts(g, &s[i])) {
			oldest = &s[i];
			break;
		}
	*oldest = (struct ghost_slot){print, ++g->clock};
}

bool
ghost_take(struct ghost *g, const struct sha256 *key)
{
	struct ghost_slot *s;
	uint32_t print;

	if (g->buckets == 0)
		return false;
	s = bucket_of(g, key, &print);
	for (int i = 0; i < WAYS; i++)
		if (s[i].print == print && counts(g, &s[i])) {
			s[i].print = 0;
			return true;
		}
	return false;
}
