/* Tables. */
#include "report.h"

#include <math.h>

static const struct column {
	enum metric metric;
	const char *head;
	int decimals;
} columns[] = {
    {METRIC_REQUESTS, "asked", 0},      {METRIC_DONE, "done", 0},
    {METRIC_REFUSED, "refused", 0},     {METRIC_LATE, "late", 0},
    {METRIC_MAKESPAN, "makespan", 0},   {METRIC_MEAN, "mean", 1},
    {METRIC_HIGH_P50, "high p50", 1},   {METRIC_HIGH_P95, "high p95", 1},
    {METRIC_LOW_P95, "low p95", 1},     {METRIC_LOADS, "loads", 0},
    {METRIC_IN_TIME, "in time", 3},     {METRIC_JAIN, "jain", 4},
    {METRIC_WATCHED_P95, "watched", 1}, {METRIC_CACHE_HITS, "hits", 0},
};

enum { COLUMNS = sizeof(columns) / sizeof(*columns) };

void
report_head(FILE *out)
{
	fprintf(out, "%-9s %-5s %-15s", "workload", "rate", "policy");
	for (int i = 0; i < COLUMNS; i++)
		fprintf(out, " %8s", columns[i].head);
	fprintf(out, "\n");
}

void
report_row(const struct result *r, FILE *out)
{
	fprintf(out, "%-9s %-5g %-15s", r->workload->name, r->rate, contender_of(r->who)->name);
	for (int i = 0; i < COLUMNS; i++) {
		double x = r->mean.of[columns[i].metric];

		if (isnan(x))
			fprintf(out, " %8s", "-");
		else
			fprintf(out, " %8.*f", columns[i].decimals, x);
	}
	fprintf(out, "\n");
	(void)fflush(out);
}

void
report_csv(const struct study *s, FILE *out)
{
	fprintf(out, "workload,rate,policy");
	for (int m = 0; m < METRICS; m++)
		fprintf(out, ",%s", metric_name((enum metric)m));
	fprintf(out, "\n");
	for (size_t i = 0; i < s->count; i++) {
		const struct result *r = &s->results[i];

		fprintf(out, "%s,%g,%s", r->workload->name, r->rate, contender_of(r->who)->name);
		for (int m = 0; m < METRICS; m++)
			if (isnan(r->mean.of[m]))
				fprintf(out, ",");
			else
				fprintf(out, ",%.6g", r->mean.of[m]);
		fprintf(out, "\n");
	}
}
