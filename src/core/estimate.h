/*
 * What is expected of a job before it ran: moving averages over those that ran before, with a
 * prior where there were none.
 */
#ifndef CORE_ESTIMATE_PRIVATE_H
#define CORE_ESTIMATE_PRIVATE_H

#include "core/job.h"

#include <stdint.h>

/* Of one variant. */
struct estimate {
	int64_t output_x16[CLASSES]; /* sixteenths of tokens of an answer; 0: none seen yet */
};

void estimate_saw_output(struct estimate *e, enum job_class class, int tokens);
/* Tokens of its answer, no more than it asked for. */
int64_t estimate_output(const struct estimate *e, const struct job *j);

#endif
