/*
 * Warming up, as swaps see it.
 */
#ifndef CORE_WARM_PRIVATE_H
#define CORE_WARM_PRIVATE_H

#include "core/warm.h"
#include "fleet.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether a resident variant may give way to one that nobody asked for. */
bool warm_may_replace(const struct variant *v, const struct backend *b, int64_t now_ms);

#endif
