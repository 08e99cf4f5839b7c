/*
 * For fuzz targets: claims that must hold for any input, and ways to cut it.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it so */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Unlike assert, it is there in every build. */
#define CLAIM(condition)                                                            \
	do {                                                                            \
		if (!(condition)) {                                                         \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                           \
	} while (0)

/* Cuts an input into pieces whose sizes follow from the input: the same one is always cut alike. */
struct cutter {
	struct str rest;
	uint64_t state;
};

static inline struct cutter
cutter_of(struct str input)
{
	struct cutter c = {input, 0xcbf29ce484222325u};

	for (size_t i = 0; i < input.len; i++)
		c.state = (c.state ^ (unsigned char)input.ptr[i]) * 0x100000001b3u;
	return c;
}

/* Mostly some bytes, now and then a longer run. */
static inline struct str
cutter_next(struct cutter *c)
{
	struct str piece;
	size_t n;

	c->state = c->state * 6364136223846793005u + 1442695040888963407u;
	n = 1 + (size_t)(c->state >> 33) % ((c->state >> 61) == 0 ? 64 : 5);
	piece = (struct str){c->rest.ptr, n < c->rest.len ? n : c->rest.len};
	c->rest = (struct str){c->rest.ptr + piece.len, c->rest.len - piece.len};
	return piece;
}

#endif
