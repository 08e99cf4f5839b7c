/*
 * SHA-256: of one text, or of what comes in pieces. A hasher is used again and
 * again, so that hashing something small does not cost an allocation.
 */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base/str.h"

enum { SHA256_BYTES = 32, SHA256_HEX_SIZE = 2 * SHA256_BYTES + 1 };

struct sha256 {
	unsigned char bytes[SHA256_BYTES];
};

struct sha256_hasher;

struct sha256_hasher *sha256_hasher_create(void);
void sha256_hasher_destroy(struct sha256_hasher **h);
/* What was added before is forgotten. */
void sha256_begin(struct sha256_hasher *h);
void sha256_add(struct sha256_hasher *h, struct str bytes);
struct sha256 sha256_end(struct sha256_hasher *h);
/* All three at once. */
struct sha256 sha256_of(struct sha256_hasher *h, struct str bytes);
/* In lower case, and a NUL. */
void sha256_write_hex(const struct sha256 *digest, char out[SHA256_HEX_SIZE]);

#endif
