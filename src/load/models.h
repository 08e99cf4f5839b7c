/* What a server has, for who did not say which model. */
#ifndef LOAD_MODELS_H
#define LOAD_MODELS_H

#include "plan.h"

#include "base/buf.h"

#include <stdbool.h>

/* Asks the server of the plan, and blocks. Where it has one model only, the plan's mix gets it;
 * else false, and `why` lists them. */
bool models_choose(struct plan *plan, struct buf *why);

#endif
