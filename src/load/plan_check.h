/* Whether the options of a command line go together, and what those mean that were left out. */
#ifndef LOAD_PLAN_CHECK_H
#define LOAD_PLAN_CHECK_H

#include "plan.h"

/* What was said, where the value alone does not tell. */
struct plan_given {
	bool stream;
	bool arrival;
	bool trace_speed;
};

bool plan_check(struct plan *p, const struct plan_given *given, struct buf *why);

#endif
