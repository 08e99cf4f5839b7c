/*
 * One run: warm-up, then the workload against one address, until its count, its
 * time or a signal ends it. What came of it is in the tally.
 */
#ifndef LOAD_RUN_H
#define LOAD_RUN_H

#include "plan.h"
#include "tally.h"

#include "base/buf.h"
#include "io/loop.h"

enum run_end {
	RUN_DONE,
	RUN_INTERRUPTED, /* by a signal: what was measured is good */
	RUN_GAVE_UP,     /* nothing was answered: `why` */
	RUN_BAD,         /* a file or the address is no good: `why` */
};

/* Blocks. `url` is where to; the plan says the rest. Fills `out`, which was initialised. */
enum run_end run(struct loop *l, const struct plan *plan, const char *url, struct tally *out,
                 struct buf *why);

#endif
