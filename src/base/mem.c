/* Memory that is never NULL. */
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL_BYTES_MAX = 1024 };

static void *
check(void *p, size_t size)
{
	if (p == NULL && size > 0) {
		fputs("drover: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *
mem_alloc(size_t size)
{
	return check(malloc(size), size);
}

/* glibc's calloc passes by what a thread keeps of small pieces, at three times the price. */
void *
mem_zalloc(size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes) || bytes == 0 || bytes > SMALL_BYTES_MAX)
		return check(calloc(count, size), 1);
	return memset(mem_alloc(bytes), 0, bytes);
}

void *
mem_realloc(void *old, size_t size)
{
	return check(realloc(old, size), size);
}

char *
mem_strdup(const char *text)
{
	return mem_strndup(text, strlen(text));
}

char *
mem_strndup(const char *bytes, size_t len)
{
	char *copy = mem_alloc(len + 1);

	memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}
