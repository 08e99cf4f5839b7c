/*
 * Memory that is never NULL: when the system has none left, the program aborts.
 * Whatever a peer can make large is refused by a bound before it comes here.
 * All of it is released with free().
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);
/* Zeroed; aborts also when count * size overflows. */
void *mem_zalloc(size_t count, size_t size);
void *mem_realloc(void *old, size_t size);
char *mem_strdup(const char *text);
/* Copies `len` bytes and adds a NUL. */
char *mem_strndup(const char *bytes, size_t len);

#define NEW(type) ((type *)mem_zalloc(1, sizeof(type)))

#endif
