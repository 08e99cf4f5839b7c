/* Private: a request that runs a model, once it is under way. */
#ifndef NODE_RUN_H
#define NODE_RUN_H

#include "node_impl.h"

/* Its visit is over. */
void run_cancel(struct run **r);
/* It has its runner, and its slot. */
void run_ready(struct run *r);
/* The client reads again. */
void run_drained(struct run *r);

#endif
