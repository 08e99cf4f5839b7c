/* A map from text to pointers: the only user of uthash. */
#include "base/map.h"

#include "base/mem.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#define HASH_FUNCTION(key, len, hash) \
	((hash) = (unsigned)str_hash((struct str){(const char *)(key), (len)}, 0))
#define uthash_malloc(size)    mem_alloc(size)
#define uthash_free(ptr, size) free(ptr)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"
#include <uthash.h>

struct map_node {
	char *key; /* owned */
	void *value;
	UT_hash_handle hh;
};

static struct map_node *
find(const struct map *m, const char *key)
{
	struct map_node *node = NULL;

	if (m->root != NULL)
		HASH_FIND_STR(m->root, key, node);
	return node;
}

static void
drop(struct map *m, struct map_node *node)
{
	HASH_DEL(m->root, node);
	free(node->key);
	free(node);
}

void
map_finish(struct map *m)
{
	struct map_node *node, *next;

	HASH_ITER (hh, m->root, node, next)
		drop(m, node);
}

size_t
map_count(const struct map *m)
{
	return HASH_COUNT(m->root);
}

void *
map_find(const struct map *m, const char *key)
{
	struct map_node *node = find(m, key);

	return node == NULL ? NULL : node->value;
}

void
map_put(struct map *m, const char *key, void *value)
{
	struct map_node *node = find(m, key);

	if (node == NULL) {
		node = NEW(struct map_node);
		node->key = mem_strdup(key);
		HASH_ADD_KEYPTR(hh, m->root, node->key, strlen(node->key), node);
	}
	node->value = value;
}

void *
map_take(struct map *m, const char *key)
{
	struct map_node *node = find(m, key);
	void *value;

	if (node == NULL)
		return NULL;
	value = node->value;
	drop(m, node);
	return value;
}
#pragma GCC diagnostic pop

static struct map_iter
iter_at(struct map_node *node)
{
	if (node == NULL)
		return (struct map_iter){0};
	return (struct map_iter){node, node->hh.next, node->key, node->value};
}

struct map_iter
map_iter_first(const struct map *m)
{
	return iter_at(m->root);
}

struct map_iter
map_iter_next(struct map_iter it)
{
	return iter_at(it.next);
}
