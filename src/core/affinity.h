/*
 * Where a conversation was served last: that node's cache still holds its beginning. A table
 * of fixed size in which new conversations take the place of old ones.
 */
#ifndef CORE_AFFINITY_PRIVATE_H
#define CORE_AFFINITY_PRIVATE_H

#include <stdint.h>

enum { AFFINITY_SETS = 1024, AFFINITY_WAYS = 4 };

struct backend;

struct visit {
	uint64_t conversation; /* 0: none */
	struct backend *backend;
};

struct affinity {
	struct visit visits[AFFINITY_SETS][AFFINITY_WAYS]; /* the latest of a set comes first */
};

/* NULL: not known, or no conversation (0). */
struct backend *affinity_find(const struct affinity *a, uint64_t conversation);
void affinity_saw(struct affinity *a, uint64_t conversation, struct backend *b);

/* It is gone. */
void affinity_forget(struct affinity *a, const struct backend *b);

#endif
