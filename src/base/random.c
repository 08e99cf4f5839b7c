/* Random bytes from the kernel, fetched in blocks: a request needs eight of them. */
#include "base/random.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static unsigned char pool[256];
static size_t pool_used = sizeof(pool);

static void
refill(void)
{
	/* At most 256 bytes are never cut short nor interrupted (getrandom(2)). */
	if (getrandom(pool, sizeof(pool), 0) != (ssize_t)sizeof(pool))
		abort();
	pool_used = 0;
}

void
random_bytes(void *out, size_t len)
{
	unsigned char *at = out;

	while (len > 0) {
		size_t n;

		if (pool_used == sizeof(pool))
			refill();
		n = sizeof(pool) - pool_used < len ? sizeof(pool) - pool_used : len;
		memcpy(at, pool + pool_used, n);
		memset(pool + pool_used, 0, n);
		pool_used += n;
		at += n;
		len -= n;
	}
}

void
random_hex(char *out, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[16] = {0};

	for (size_t i = 0; i + 1 < len; i++) {
		size_t at = i / 2 % sizeof(bytes);

		if (i % 2 == 0 && at == 0)
			random_bytes(bytes, len / 2 - i / 2 < sizeof(bytes) ? len / 2 - i / 2 : sizeof(bytes));
		out[i] = digits[i % 2 == 0 ? bytes[at] >> 4 : bytes[at] & 15];
	}
	out[len - 1] = '\0';
}
