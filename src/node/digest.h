/* SHA-256, whole or in pieces, and the hash that answers are made from. */
#ifndef NODE_DIGEST_H
#define NODE_DIGEST_H

#include "base/str.h"

#include <stdint.h>

enum { DIGEST_HEX_SIZE = 65 };

struct digest; /* of something that comes in pieces */

struct digest *digest_create(void);
void digest_add(struct digest *d, struct str bytes);
/* Writes the hex form and frees it. */
void digest_end(struct digest **d, char out[DIGEST_HEX_SIZE]);
void digest_destroy(struct digest **d);
void digest_of(char out[DIGEST_HEX_SIZE], struct str bytes);

/* A 64-bit hash, built up piece by piece from HASH_START; equal on all machines. */
#define HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t hash_add(uint64_t hash, struct str bytes);
uint64_t hash_add_u64(uint64_t hash, uint64_t value);
/* Spreads a hash: neighbours come out far from each other. */
uint64_t hash_mix(uint64_t hash);

#endif
