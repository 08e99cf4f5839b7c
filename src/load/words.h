/* Made-up text: common words, each about one token to a tokenizer, as the seed says. */
#ifndef LOAD_WORDS_H
#define LOAD_WORDS_H

#include "base/buf.h"

#include <stdint.h>

/* Adds `count` words, the same for the same seed and lane. */
void words_add(struct buf *out, uint64_t seed, uint64_t lane, int64_t count);

#endif
