/*
 * Recorded requests. Formats:
 *
 * plain     CSV: seconds,model,class,key,prompt tokens,output tokens
 * mooncake  JSONL of the Mooncake traces: timestamp (ms), input_length, output_length,
 *           hash_ids (of blocks of 512 tokens, each with all before it)
 * burstgpt  CSV of the BurstGPT traces: Timestamp (s), Model, Request tokens, Response
 *           tokens, Total tokens, Log Type
 *
 * Mooncake names no model: the stream's mix decides. A request whose prompt begins with
 * more than half of what an earlier one sent continues that conversation. BurstGPT: a model
 * that the workload does not describe is taken from the mix, always the same for one name;
 * conversations are of class high, calls by programs low; failed ones (no response) are
 * left out.
 */
#ifndef SCHEDSIM_TRACE_H
#define SCHEDSIM_TRACE_H

#include "rng.h"
#include "workload.h"

#include <stdbool.h>

/* `rate` is how many times faster than recorded. Counts conversations on in `sessions`. False,
 * and said on stderr why, when the file is no such trace. */
bool trace_read(struct requests *out, const struct workload *w, const struct stream *s, double rate,
                struct rng *rng, int *sessions);

#endif
