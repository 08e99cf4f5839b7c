/* SipHash by OpenSSL. */
#include "base/fingerprint.h"

#include "base/mem.h"
#include "base/random.h"

#include <openssl/evp.h>
#include <stdlib.h>

enum { KEY_BYTES = 16 };

struct fingerprinter {
	EVP_MAC_CTX *context; /* owned */
	unsigned char key[KEY_BYTES];
};

/* Only a broken installation of OpenSSL, or no memory, makes these fail. */
static void
must(bool ok)
{
	if (!ok)
		abort();
}

struct fingerprinter *
fingerprinter_create(void)
{
	struct fingerprinter *f = NEW(struct fingerprinter);
	EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "SIPHASH", NULL);

	must(algorithm != NULL);
	f->context = EVP_MAC_CTX_new(algorithm);
	must(f->context != NULL);
	EVP_MAC_free(algorithm); /* the context holds it */
	random_bytes(f->key, sizeof(f->key));
	return f;
}

void
fingerprinter_destroy(struct fingerprinter **fp)
{
	struct fingerprinter *f = *fp;

	*fp = NULL;
	if (f == NULL)
		return;
	EVP_MAC_CTX_free(f->context);
	free(f);
}

struct fingerprint
fingerprint_of(struct fingerprinter *f, struct str a, struct str b)
{
	struct fingerprint out;
	size_t len;

	must(EVP_MAC_init(f->context, f->key, sizeof(f->key), NULL) == 1);
	must(EVP_MAC_update(f->context, (const unsigned char *)a.ptr, a.len) == 1);
	must(EVP_MAC_update(f->context, (const unsigned char *)b.ptr, b.len) == 1);
	must(EVP_MAC_final(f->context, (unsigned char *)out.words, &len, sizeof(out.words)) == 1);
	must(len == sizeof(out.words));
	return out;
}
