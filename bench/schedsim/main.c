/*
 * bench-schedsim: the scheduler of src/core and what people use instead, on the same
 * requests, in front of simulated Ollama nodes.
 *
 *     bench-schedsim [--seeds 1,2,3] [--workload W1,W2,FILE.conf] [--policy drover,wrr]
 *                    [--csv FILE] [--svg FILE] [--workloads DIR] [--quick] [--check]
 *
 * Without --workload all of DIR run. --quick leaves out the search for capacity. --check counts
 * everything again after every event. The last table holds the goals; with a missed one the
 * program still ends with 0: it measures, tests judge.
 */
#include "base/clock.h"
#include "goals.h"
#include "report.h"
#include "study.h"

#include <getopt.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WORKLOADS = 64 };

struct options {
	const char *workloads_dir;
	char *workloads; /* NULL: all of the directory */
	char *policies;  /* NULL: all */
	const char *csv;
	const char *svg;
	bool quick;
};

static struct workload workloads[MOST_WORKLOADS];
static size_t workload_count;
static struct study study = {.seeds = {.of = {1, 2, 3}, .count = 3}};

static void
usage(FILE *out)
{
	fprintf(out,
	        "usage: bench-schedsim [--seeds 1,2,3] [--workload W1,FILE.conf] [--policy NAME,...]\n"
	        "                      [--csv FILE] [--svg FILE] [--workloads DIR] [--quick] "
	        "[--check]\n\npolicies:\n");
	for (int i = 0; i < CONTENDERS; i++)
		fprintf(out, "  %-16s %s\n", contender_of((enum contender_id)i)->name,
		        contender_of((enum contender_id)i)->about);
}

static _Noreturn void
refuse(const char *what, const char *which)
{
	fprintf(stderr, "bench-schedsim: %s '%s'\n", what, which);
	exit(2);
}

static void
parse_seeds(char *text)
{
	char *rest = NULL;

	study.seeds.count = 0;
	for (char *w = strtok_r(text, ",", &rest); w != NULL; w = strtok_r(NULL, ",", &rest)) {
		char *end;

		if (study.seeds.count == MOST_SEEDS)
			refuse("too many seeds from", w);
		study.seeds.of[study.seeds.count++] = strtoull(w, &end, 10);
		if (*end != '\0')
			refuse("no seed:", w);
	}
	if (study.seeds.count == 0)
		refuse("no seeds:", text);
}

static void
parse_options(struct options *o, int argc, char **argv)
{
	static const struct option table[] = {
	    {"seeds", required_argument, NULL, 's'},  {"workload", required_argument, NULL, 'w'},
	    {"policy", required_argument, NULL, 'p'}, {"csv", required_argument, NULL, 'c'},
	    {"svg", required_argument, NULL, 'g'},    {"workloads", required_argument, NULL, 'd'},
	    {"quick", no_argument, NULL, 'q'},        {"check", no_argument, NULL, 'k'},
	    {"help", no_argument, NULL, 'h'},         {0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1)
		switch (c) {
		case 's': parse_seeds(optarg); break;
		case 'w': o->workloads = optarg; break;
		case 'p': o->policies = optarg; break;
		case 'c': o->csv = optarg; break;
		case 'g': o->svg = optarg; break;
		case 'd': o->workloads_dir = optarg; break;
		case 'q': o->quick = true; break;
		case 'k': study.checked = true; break;
		case 'h': usage(stdout); exit(0);
		default: usage(stderr); exit(2);
		}
	if (optind < argc)
		refuse("what is", argv[optind]);
}

static void
read_workload(const char *path)
{
	if (workload_count == MOST_WORKLOADS)
		refuse("too many workloads from", path);
	if (!workload_read(&workloads[workload_count++], path))
		exit(2);
}

static void
read_workloads(struct options *o)
{
	char path[PATH_SIZE], *rest = NULL;
	glob_t found;

	if (o->workloads == NULL) {
		snprintf(path, sizeof(path), "%s/*.conf", o->workloads_dir);
		if (glob(path, 0, NULL, &found) != 0)
			refuse("no workloads in", o->workloads_dir);
		for (size_t i = 0; i < found.gl_pathc; i++)
			read_workload(found.gl_pathv[i]);
		globfree(&found);
		return;
	}
	for (char *w = strtok_r(o->workloads, ",", &rest); w != NULL; w = strtok_r(NULL, ",", &rest)) {
		if (strchr(w, '/') != NULL || strchr(w, '.') != NULL)
			snprintf(path, sizeof(path), "%s", w);
		else
			snprintf(path, sizeof(path), "%s/%s.conf", o->workloads_dir, w);
		read_workload(path);
	}
}

static void
choose_policies(struct options *o, bool *chosen)
{
	char *rest = NULL;

	for (int i = 0; i < CONTENDERS; i++)
		chosen[i] = o->policies == NULL;
	if (o->policies == NULL)
		return;
	for (char *p = strtok_r(o->policies, ",", &rest); p != NULL; p = strtok_r(NULL, ",", &rest)) {
		enum contender_id id = contender_find(p);

		if (id == CONTENDERS)
			refuse("no policy is called", p);
		chosen[id] = true;
	}
}

static void
run_workload(const struct workload *w, const bool *chosen)
{
	for (size_t i = 0; i < w->rate_count; i++)
		for (int c = 0; c < CONTENDERS; c++) {
			enum contender_id id = (enum contender_id)c;

			if (!chosen[c] || !contender_applies(id, w))
				continue;
			if (!study_add(&study, w, w->rates[i], id))
				exit(1);
			report_row(&study.results[study.count - 1], stdout);
		}
}

static void
search_capacity(const struct workload *w, const bool *chosen)
{
	printf("\n%s: highest rate with high p95 <= %g s, a second\n", w->name, w->capacity_bound_s);
	for (int c = 0; c < CONTENDERS; c++) {
		enum contender_id id = (enum contender_id)c;

		if (!chosen[c] || !contender_applies(id, w))
			continue;
		study.capacity[c] = study_capacity(&study, w, id);
		printf("  %-16s %.4f\n", contender_of(id)->name, study.capacity[c]);
		(void)fflush(stdout);
	}
}

static void
write_file(const char *path, void (*write)(const struct study *, FILE *))
{
	FILE *f;

	if (path == NULL)
		return;
	f = fopen(path, "w");
	if (f != NULL)
		write(&study, f);
	if (f == NULL || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

static void
print_end(int64_t began_ms)
{
	double events = 0, s = (double)(clock_now_ms() - began_ms) / 1000;

	for (size_t i = 0; i < study.count; i++)
		events += study.results[i].mean.of[METRIC_EVENTS] * (double)study.seeds.count;
	printf("\nseeds");
	for (size_t i = 0; i < study.seeds.count; i++)
		printf(" %llu", (unsigned long long)study.seeds.of[i]);
	printf("; %.0f events in the tables, %.1f s in all\n", events, s);
}

int
main(int argc, char **argv)
{
	struct options o = {.workloads_dir = SCHEDSIM_WORKLOADS};
	int64_t began_ms = clock_now_ms();
	bool chosen[CONTENDERS];

	parse_options(&o, argc, argv);
	read_workloads(&o);
	choose_policies(&o, chosen);
	for (int i = 0; i < CONTENDERS; i++)
		study.capacity[i] = NAN;
	report_head(stdout);
	for (size_t i = 0; i < workload_count; i++)
		run_workload(&workloads[i], chosen);
	for (size_t i = 0; i < workload_count && !o.quick; i++)
		if (workloads[i].capacity_bound_s > 0)
			search_capacity(&workloads[i], chosen);
	goals_print(&study, stdout);
	print_end(began_ms);
	write_file(o.csv, report_csv);
	write_file(o.svg, report_svg);
	return 0;
}
