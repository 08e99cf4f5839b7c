/*
 * Fingerprints of texts, for tables in memory: 128 bits by SipHash-2-4, under a key that
 * each maker of them draws. Nobody who does not see them can find two texts that share
 * one, and they cost a fraction of a digest where the processor has no help for those.
 */
#ifndef BASE_FINGERPRINT_H
#define BASE_FINGERPRINT_H

#include "base/str.h"

#include <stdint.h>

struct fingerprint {
	uint64_t words[2];
};

struct fingerprinter;

struct fingerprinter *fingerprinter_create(void);
void fingerprinter_destroy(struct fingerprinter **f);
/* Of both, one behind the other. */
struct fingerprint fingerprint_of(struct fingerprinter *f, struct str a, struct str b);

#endif
