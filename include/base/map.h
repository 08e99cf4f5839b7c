/*
 * A map from text to pointers. It copies its keys and does not own its values.
 * Not safe against keys chosen to collide: put in it only what is bounded
 * (names that nodes list, names of jobs in flight).
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

struct map_node;

struct map {
	struct map_node *root; /* owned; NULL when empty */
};

/* Walks in the order of insertion; the body may take the current key and those before it. */
#define MAP_FOR_EACH(it, map)                                                 \
	/* NOLINTNEXTLINE(bugprone-macro-parentheses): a name that it declares */ \
	for (struct map_iter it = map_iter_first(map); it.node != NULL; it = map_iter_next(it))

struct map_iter {
	struct map_node *node;
	struct map_node *next;
	const char *key;
	void *value;
};

/* Forgets all keys; the values stay with their owner. */
void map_finish(struct map *m);
size_t map_count(const struct map *m);
/* May return NULL. */
void *map_find(const struct map *m, const char *key);
/* Replaces a value that the key had. */
void map_put(struct map *m, const char *key, void *value);
/* Removes the key; its value, or NULL when there was none. */
void *map_take(struct map *m, const char *key);
struct map_iter map_iter_first(const struct map *m);
struct map_iter map_iter_next(struct map_iter it);

#endif
