/*
 * Keys that fell out of the cache lately, as fingerprints: whether one comes back
 * soon. It forgets the oldest, takes 8 bytes a key, and may be mistaken once in a
 * few hundred million questions, which costs nothing but a worse choice.
 */
#ifndef CORE_GHOST_H
#define CORE_GHOST_H

#include "base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ghost {
	struct ghost_slot *slots; /* owned */
	size_t buckets;           /* a power of two; 0: remembers nothing */
	uint32_t clock;           /* counts what was added */
	uint32_t span;            /* it remembers so many of the last */
};

/* For `count` keys. */
void ghost_init(struct ghost *g, size_t count);
void ghost_finish(struct ghost *g);
size_t ghost_bytes(const struct ghost *g);
void ghost_add(struct ghost *g, const struct sha256 *key);
/* Whether it is remembered; it is forgotten then. */
bool ghost_take(struct ghost *g, const struct sha256 *key);

#endif
