/* SHA-256 in hex, and the hash that answers are made from. */
#ifndef NODE_DIGEST_H
#define NODE_DIGEST_H

#include "base/sha256.h"
#include "base/str.h"

#include <stdint.h>

enum { DIGEST_HEX_SIZE = SHA256_HEX_SIZE };

void digest_of(char out[DIGEST_HEX_SIZE], struct str bytes);

/* A 64-bit hash, built up piece by piece from HASH_START; equal on all machines. */
#define HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t hash_add(uint64_t hash, struct str bytes);
uint64_t hash_add_u64(uint64_t hash, uint64_t value);
/* Spreads a hash: neighbours come out far from each other. */
uint64_t hash_mix(uint64_t hash);

#endif
