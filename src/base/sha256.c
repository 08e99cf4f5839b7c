/* SHA-256 by OpenSSL. The algorithm is looked up once: that costs more than hashing 1 KiB. */
#include "base/sha256.h"

#include "base/mem.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct sha256_hasher {
	EVP_MD_CTX *context; /* owned */
};

/* Only a broken installation of OpenSSL, or no memory, makes these fail. */
static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* Kept until the program ends. */
static const EVP_MD *
algorithm(void)
{
	static EVP_MD *found;

	if (found == NULL)
		found = EVP_MD_fetch(NULL, "SHA256", NULL);
	must(found != NULL);
	return found;
}

struct sha256_hasher *
sha256_hasher_create(void)
{
	struct sha256_hasher *h = NEW(struct sha256_hasher);

	h->context = EVP_MD_CTX_new();
	must(h->context != NULL);
	return h;
}

void
sha256_hasher_destroy(struct sha256_hasher **hp)
{
	struct sha256_hasher *h = *hp;

	*hp = NULL;
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->context);
	free(h);
}

void
sha256_begin(struct sha256_hasher *h)
{
	must(EVP_DigestInit_ex(h->context, algorithm(), NULL) == 1);
}

void
sha256_add(struct sha256_hasher *h, struct str bytes)
{
	must(EVP_DigestUpdate(h->context, bytes.ptr, bytes.len) == 1);
}

struct sha256
sha256_end(struct sha256_hasher *h)
{
	struct sha256 out;

	must(EVP_DigestFinal_ex(h->context, out.bytes, NULL) == 1);
	return out;
}

struct sha256
sha256_of(struct sha256_hasher *h, struct str bytes)
{
	sha256_begin(h);
	sha256_add(h, bytes);
	return sha256_end(h);
}

void
sha256_write_hex(const struct sha256 *digest, char out[SHA256_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < SHA256_BYTES; i++) {
		out[2 * i] = digits[digest->bytes[i] >> 4];
		out[2 * i + 1] = digits[digest->bytes[i] & 15];
	}
	out[SHA256_HEX_SIZE - 1] = '\0';
}
