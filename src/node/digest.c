/* SHA-256 in hex, and the hash that answers are made from. */
#include "digest.h"

void
digest_of(char out[DIGEST_HEX_SIZE], struct str bytes)
{
	struct sha256_hasher *h = sha256_hasher_create();
	struct sha256 digest = sha256_of(h, bytes);

	sha256_write_hex(&digest, out);
	sha256_hasher_destroy(&h);
}

uint64_t
hash_add(uint64_t hash, struct str bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ (unsigned char)bytes.ptr[i]) * UINT64_C(0x100000001b3);
	/* So that "ab" + "c" and "a" + "bc" differ. */
	return hash_add_u64(hash, bytes.len);
}

uint64_t
hash_add_u64(uint64_t hash, uint64_t value)
{
	for (int i = 0; i < 8; i++, value >>= 8)
		hash = (hash ^ (value & 0xff)) * UINT64_C(0x100000001b3);
	return hash;
}

uint64_t
hash_mix(uint64_t hash)
{
	hash = (hash ^ (hash >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
	return hash ^ (hash >> 31);
}
