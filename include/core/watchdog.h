/*
 * Finds jobs that wait for nothing: sent where their model was loaded, on a node that lost it
 * since and does not load it again. Only where models are loaded by orders.
 */
#ifndef CORE_WATCHDOG_H
#define CORE_WATCHDOG_H

#include "core/job.h"

#include <stdbool.h>
#include <stdint.h>

/* Of a running job that brought no byte yet: whether its node does not show its model, for twice
 * the time that a load is expected to take and a margin. To be asked after each
 * backend_set_loaded. */
bool watchdog_is_stuck(const struct job *j, int64_t now_ms);
/* Nothing more is sent there for its model, and that is not loaded there for a while. The job
 * still runs: try it again, or end it. */
void watchdog_saw_stuck(struct job *j, int64_t now_ms);

#endif
