/*
 * Random bytes from the kernel, for names that must not be guessed or repeat.
 * Tests, simulations and load use base/rng.h, which can be seeded.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>

void random_bytes(void *out, size_t len);
/* Writes `len` - 1 lower-case hex digits and a NUL. */
void random_hex(char *out, size_t len);

#endif
