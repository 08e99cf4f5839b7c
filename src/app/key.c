/* A new key. */
#include "app/key.h"

#include "base/random.h"
#include "base/sha256.h"
#include "base/str.h"

#include <stdio.h>

/* 192 bits that nobody guesses, behind letters by which a key that leaked is known for what it is.
 */
enum { KEY_DIGITS = 48 };

static void
add_digest(const char *key, struct buf *out)
{
	struct sha256_hasher *hasher = sha256_hasher_create();
	struct sha256 digest = sha256_of(hasher, str_of(key));
	char hex[SHA256_HEX_SIZE];

	sha256_write_hex(&digest, hex);
	buf_adds(out, hex);
	sha256_hasher_destroy(&hasher);
}

void
key_add_new(const char *name, struct buf *out)
{
	char digits[KEY_DIGITS + 1], key[KEY_DIGITS + 8];

	random_hex(digits, sizeof(digits));
	snprintf(key, sizeof(key), "dk-%s", digits);
	buf_addf(out, "The key of %s, which is shown this once:\n\n%s\n\n", name, key);
	buf_addf(out, "What the configuration says of it:\n\nkeys:\n  - name: \"%s\"\n", name);
	buf_adds(out, "    key_sha256: ");
	add_digest(key, out);
	buf_addc(out, '\n');
}
