/*
 * Whether a request can be deterministic at all, by a look at the bytes of its body. The key
 * (cache_key.h) tells exactly, and costs twenty times as much.
 */
#ifndef PROTO_CACHE_HINT_H
#define PROTO_CACHE_HINT_H

#include "base/str.h"
#include "proto/cache_key.h"

#include <stdbool.h>

/* False: it is not, or it says so in a spelling that no client uses (keys in escapes, or in letters
 * that are not ASCII): then its answer is just not kept. */
bool cache_hint_may_repeat(enum answer_family family, struct str body);

#endif
