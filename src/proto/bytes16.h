/*
 * Sixteen bytes looked at at once, by the vectors that gcc and clang have on every
 * machine. A comparison makes all bits of a byte 1 where it holds.
 */
#ifndef PROTO_BYTES16_H
#define PROTO_BYTES16_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef signed char bytes16 __attribute__((vector_size(16)));

static inline bytes16
bytes16_load(const char *p)
{
	bytes16 b;

	memcpy(&b, p, sizeof(b));
	return b;
}

/* The place of the first byte that is not 0; 16: all are. */
static inline size_t
bytes16_first(bytes16 b)
{
	uint64_t halves[2];

	memcpy(halves, &b, sizeof(b));
	if (halves[0] != 0)
		return (size_t)__builtin_ctzll(le64toh(halves[0])) / 8;
	if (halves[1] != 0)
		return (size_t)__builtin_ctzll(le64toh(halves[1])) / 8 + sizeof(halves[0]);
	return sizeof(b);
}

#endif
