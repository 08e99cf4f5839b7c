/* Results as a table, as CSV, as a picture. */
#ifndef SCHEDSIM_REPORT_H
#define SCHEDSIM_REPORT_H

#include "study.h"

#include <stdio.h>

void report_head(FILE *out);
void report_row(const struct result *r, FILE *out);
void report_csv(const struct study *s, FILE *out);
/* How long answers took by policy: median, p95 and p99 on a logarithmic scale, a panel for
 * each workload and rate. */
void report_svg(const struct study *s, FILE *out);

#endif
