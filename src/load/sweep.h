/*
 * One run for each value of --parallel, each on a server started for it, and one
 * table.
 */
#ifndef LOAD_SWEEP_H
#define LOAD_SWEEP_H

#include "plan.h"
#include "tally.h"

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

struct step {
	int64_t parallel;
	struct tally tally;
	struct buf url;
};

/* Returns the exit status; `why` says what went wrong. */
int sweep(const struct plan *plan, struct buf *why);

/* How many clients could be served at once so that each has its whole answer within the limit, by
 * Little's law: throughput times limit. */
double sweep_capacity(const struct tally *t);
int64_t sweep_limit_ms(const struct plan *plan);
/* The least parallel of those that serve within 3 % of the most; NULL: none serves. */
const struct step *sweep_best(struct step *const *steps, size_t count);

/* sweep_result.c: what is printed and written of it. */
void sweep_add_table(struct buf *out, const struct plan *plan, struct step *const *steps,
                     size_t count);
void sweep_add_json(struct buf *out, struct step *const *steps, size_t count);
void sweep_add_page(struct buf *out, const struct plan *plan, struct step *const *steps,
                    size_t count);

#endif
