/* Memory that is never NULL. */
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void *
mem_zalloc(size_t count, size_t size)
{
	return check(calloc(count, size), 1);
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
