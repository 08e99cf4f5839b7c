/*
 * The goals as rows: what is measured, against whom, and the bound of the ratio. A ratio is
 * drover's figure by the other's, or the other's by drover's where less is better and the
 * goal says "so many times".
 */
#include "goals.h"

#include <math.h>

enum relation { AT_LEAST, AT_MOST };
enum form { BY_OTHER, BY_DROVER, ALONE };

enum { CAPACITY = METRICS }; /* in place of a metric */

struct goal {
	const char *workload;
	double rate;
	const char *what;
	int metric;
	enum contender_id against;
	enum form form;
	enum relation relation;
	double limit;
	double allowance; /* added to the other's figure */
};

static const struct goal goals[] = {
    {"W1", 0, "capacity", CAPACITY, LEASTCONN, BY_OTHER, AT_LEAST, 8, 0},
    {"W1", 0, "capacity", CAPACITY, PINNED, BY_OTHER, AT_LEAST, 2.5, 0},
    {"W1", 0, "capacity", CAPACITY, BOUND, BY_OTHER, AT_LEAST, 0.6, 0},
    {"W1", 0.15, "makespan", METRIC_MAKESPAN, BOUND, BY_OTHER, AT_MOST, 1.05, 0},
    {"W1", 0.25, "makespan", METRIC_MAKESPAN, BOUND, BY_OTHER, AT_MOST, 1.05, 0},
    {"W1", 0.34, "makespan", METRIC_MAKESPAN, BOUND, BY_OTHER, AT_MOST, 1.05, 0},
    {"W1", 0.15, "loads", METRIC_LOADS, LEASTCONN, BY_OTHER, AT_MOST, 0.2, 0},
    {"W1", 0.25, "loads", METRIC_LOADS, LEASTCONN, BY_OTHER, AT_MOST, 0.2, 0},
    {"W1", 0.34, "loads", METRIC_LOADS, LEASTCONN, BY_OTHER, AT_MOST, 0.2, 0},
    {"W2", 0.06, "mean", METRIC_MEAN, LEASTCONN, BY_OTHER, AT_MOST, 1.05, 0},
    {"W2", 0.12, "mean", METRIC_MEAN, LEASTCONN, BY_OTHER, AT_MOST, 1.05, 0},
    {"W2", 0.20, "mean", METRIC_MEAN, LEASTCONN, BY_OTHER, AT_MOST, 1.05, 0},
    {"W2", 0.20, "p95", METRIC_P95, LEASTCONN, BY_OTHER, AT_MOST, 0.6, 0},
    /* Both models must be loaded once, whoever does it: 30 s and 60 s. */
    {"W2-batch", 1, "makespan", METRIC_MAKESPAN, BOUND, BY_OTHER, AT_MOST, 1.06, 90},
    {"W3", 1, "light keys' p95", METRIC_WATCHED_P95, FIFO, BY_DROVER, AT_LEAST, 40, 0},
    {"W3", 1, "Jain's index", METRIC_JAIN, FIFO, ALONE, AT_LEAST, 0.99, 0},
    {"W3", 1, "throughput", METRIC_THROUGHPUT, FIFO, BY_OTHER, AT_LEAST, 0.98, 0},
    {"W4", 0.20, "mean", METRIC_MEAN, BOUND, BY_OTHER, AT_MOST, 1.05, 0},
    {"W4", 0.30, "mean", METRIC_MEAN, BOUND, BY_OTHER, AT_MOST, 1.05, 0},
    {"W4", 0.20, "mean", METRIC_MEAN, LEASTCONN, BY_OTHER, AT_MOST, 1, 0},
    {"W4", 0.30, "mean", METRIC_MEAN, LEASTCONN, BY_OTHER, AT_MOST, 1, 0},
    {"W4", 0.20, "mean", METRIC_MEAN, LEASTCONN_CACHED, BY_OTHER, AT_MOST, 1, 0},
    {"W4", 0.30, "mean", METRIC_MEAN, LEASTCONN_CACHED, BY_OTHER, AT_MOST, 1, 0},
    {"W5", 0.50, "in time", METRIC_IN_TIME, LEASTCONN, ALONE, AT_LEAST, 0.98, 0},
};

/* NAN: it was not run. */
static double
figure_of(const struct study *s, const struct goal *g, enum contender_id who)
{
	const struct metrics *m;

	if (g->metric == CAPACITY)
		return s->capacity[who];
	m = study_find(s, g->workload, g->rate, who);
	return m == NULL ? NAN : m->of[g->metric];
}

static double
ratio_of(const struct goal *g, double drover, double other)
{
	switch (g->form) {
	case BY_OTHER: return drover / other;
	case BY_DROVER: return other / drover;
	case ALONE: return drover;
	}
	return NAN;
}

static void
print_row(const struct goal *g, double drover, double other, double ratio, bool met, FILE *out)
{
	char rate[16] = "";

	if (g->rate > 0)
		snprintf(rate, sizeof(rate), "%g", g->rate);
	fprintf(out, "%-9s %-5s %-16s %10.4g  %-16s %10.4g %9.3g  %s %-5g  %s\n", g->workload, rate,
	        g->what, drover, contender_of(g->against)->name, other, ratio,
	        g->relation == AT_LEAST ? ">=" : "<=", g->limit, met ? "met" : "MISSED");
}

int
goals_print(const struct study *s, FILE *out)
{
	int missed = 0, run = 0;

	for (size_t i = 0; i < sizeof(goals) / sizeof(*goals); i++) {
		const struct goal *g = &goals[i];
		double drover = figure_of(s, g, DROVER), other = figure_of(s, g, g->against), ratio;
		bool met;

		if (isnan(drover) || isnan(other))
			continue;
		other += g->allowance;
		ratio = ratio_of(g, drover, other);
		met = g->relation == AT_LEAST ? ratio >= g->limit : ratio <= g->limit;
		if (run++ == 0)
			fprintf(out, "\n%-9s %-5s %-16s %10s  %-16s %10s %9s  %-8s\n", "goal", "rate", "what",
			        "drover", "against", "theirs", "measured", "wanted");
		print_row(g, drover, other, ratio, met, out);
		missed += !met;
	}
	if (run > 0)
		fprintf(out, "%d of %d goals met\n", run - missed, run);
	return missed;
}
