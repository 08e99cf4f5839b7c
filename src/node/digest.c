/* SHA-256, whole or in pieces, and the hash that answers are made from. */
#include "digest.h"

#include "base/mem.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>

struct digest {
	EVP_MD_CTX *ctx; /* owned */
};

static void
must(int ok)
{
	if (ok != 1)
		abort();
}

struct digest *
digest_create(void)
{
	struct digest *d = NEW(struct digest);

	d->ctx = EVP_MD_CTX_new();
	must(d->ctx != NULL);
	must(EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL));
	return d;
}

void
digest_add(struct digest *d, struct str bytes)
{
	must(EVP_DigestUpdate(d->ctx, bytes.ptr, bytes.len));
}

static void
write_hex(char out[DIGEST_HEX_SIZE], const unsigned char raw[SHA256_DIGEST_LENGTH])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < SHA256_DIGEST_LENGTH; i++) {
		out[2 * i] = digits[raw[i] >> 4];
		out[2 * i + 1] = digits[raw[i] & 15];
	}
	out[DIGEST_HEX_SIZE - 1] = '\0';
}

void
digest_end(struct digest **d, char out[DIGEST_HEX_SIZE])
{
	unsigned char raw[SHA256_DIGEST_LENGTH];

	must(EVP_DigestFinal_ex((*d)->ctx, raw, NULL));
	write_hex(out, raw);
	digest_destroy(d);
}

void
digest_destroy(struct digest **dp)
{
	struct digest *d = *dp;

	*dp = NULL;
	if (d == NULL)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

void
digest_of(char out[DIGEST_HEX_SIZE], struct str bytes)
{
	unsigned char raw[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)bytes.ptr, bytes.len, raw);
	write_hex(out, raw);
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
