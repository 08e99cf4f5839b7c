/*
 * Whether anybody could serve a request some day, by health and listings alone.
 *
 *   queued          a node that is up has the model, draining or behind its breaker though
 *                   it may be; or a node that was not asked yet may have it.
 *                   One that went down just now is waited for.
 *   load failed     where it could be loaded that failed, and is not tried just now.
 *   no backend      only nodes that are down have it, or may have it.
 *   unknown model   every node that it may run on was asked and lacks it.
 */
#ifndef CORE_OUTLOOK_PRIVATE_H
#define CORE_OUTLOOK_PRIVATE_H

#include "core/sched.h"
#include "fleet.h"

#include <stdbool.h>
#include <stdint.h>

/* Takes the model as name and variant: the variant is NULL where no node knows it. */
enum sched_answer outlook_of(const struct fleet *f, const char *model, const struct variant *v,
                             bool slotless, const struct backend *only, int64_t now_ms);

#endif
