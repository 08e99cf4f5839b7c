/* One run for each value of --parallel, each on a server started for it, and one table. */
#ifndef LOAD_SWEEP_H
#define LOAD_SWEEP_H

#include "plan.h"

#include "base/buf.h"

/* Returns the exit status; `why` says what went wrong. */
int sweep(const struct plan *plan, struct buf *why);

#endif
