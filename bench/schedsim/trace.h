/*
 * Recorded requests of a workload, in the formats of proto/trace.h.
 *
 * Mooncake names no model: the stream's mix decides. A request whose prompt begins with
 * more than half of what an earlier one sent continues that conversation. BurstGPT: a model
 * that the workload does not describe is taken from the mix, always the same for one name;
 * conversations are of class high, calls by programs low; failed ones (no response) are
 * left out.
 */
#ifndef SCHEDSIM_TRACE_H
#define SCHEDSIM_TRACE_H

#include "base/rng.h"
#include "workload.h"

#include <stdbool.h>

/* `rate` is how many times faster than recorded. Counts conversations on in `sessions`. False,
 * and said on stderr why, when the file is no such trace. */
bool trace_read(struct requests *out, const struct workload *w, const struct stream *s, double rate,
                struct rng *rng, int *sessions);

#endif
