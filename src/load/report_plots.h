/* The plots of a run, each a figure of the page. */
#ifndef LOAD_REPORT_PLOTS_H
#define LOAD_REPORT_PLOTS_H

#include "tally.h"

#include "base/buf.h"

void report_add_latency(struct buf *out, const struct tally *t);
void report_add_throughput(struct buf *out, const struct tally *t);
void report_add_tokens(struct buf *out, const struct tally *t);
void report_add_running(struct buf *out, const struct tally *t);
/* Time to first token and end to end, by the share of requests that were faster. */
void report_add_percentiles(struct buf *out, const struct tally *t);
/* The same of the times of tokens. */
void report_add_token_percentiles(struct buf *out, const struct tally *t);
void report_add_distribution(struct buf *out, const struct tally *t);

#endif
