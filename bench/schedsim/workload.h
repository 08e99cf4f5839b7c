/*
 * A workload: nodes, models, and streams of requests, as a file describes them. What the
 * lines of a file mean is said in workloads/README.md.
 */
#ifndef SCHEDSIM_WORKLOAD_H
#define SCHEDSIM_WORKLOAD_H

#include "core/job.h"
#include "proto/trace.h"
#include "request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MOST_MODELS = 8,
	MOST_NODES = 8,
	MOST_STREAMS = 8,
	MOST_RATES = 8,
	MOST_SLOTS = 16,
	MOST_KEYS = 256,
	MOST_REPEATS = 1000,
	NAME_SIZE = 32,
	PATH_SIZE = 512,
};

struct model_spec {
	char name[NAME_SIZE];
	double load_s;
	double decode; /* tokens a second, alone on a node of speed 1 */
	double prefill;
};

struct node_spec {
	char name[NAME_SIZE];
	int weight;
	double speed;
};

enum arrivals { ARRIVE_POISSON, ARRIVE_EVERY, ARRIVE_TRACE };

struct stream {
	char name[NAME_SIZE];
	enum arrivals arrivals;
	double rate;    /* a second, times the workload's rate */
	double every_s; /* times count */
	int count;
	double burst_from_s, burst_to_s, burst_factor;
	double models[MOST_MODELS]; /* weights */
	bool alternates;            /* between the models, and the keys with them */
	double classes[CLASSES];    /* weights */
	int first_key;
	int keys;
	double output[CLASSES]; /* mean tokens */
	double prompt;
	double sigma;
	double deadline_s[CLASSES]; /* 0: none */
	int repeats;                /* so many popular prompts; 0: none is equal to another */
	double rotate_s;            /* new ones every so often */
	int turns;                  /* of a conversation; 0: it has none */
	double context, turn_new, turn_gap_s;
	enum trace_format format;
	char path[PATH_SIZE];
	bool watched;
};

struct workload {
	char name[NAME_SIZE];
	char about[160];
	double horizon_s;
	int parallel;
	int max_loaded;
	struct node_spec nodes[MOST_NODES];
	size_t node_count;
	struct model_spec models[MOST_MODELS];
	size_t model_count;
	double rates[MOST_RATES];
	size_t rate_count;
	double capacity_bound_s; /* p95 of class high that still is good; 0: nobody asks */
	struct stream streams[MOST_STREAMS];
	size_t stream_count;
	char keys[MOST_KEYS][NAME_SIZE];
	int key_count;
};

/* The requests of one run, by time of arrival. */
struct requests {
	struct request *all; /* owned */
	size_t count;
	size_t room;
	uint32_t contents; /* the largest content */
};

/* False, and said on stderr why, when the file is no good. */
bool workload_read(struct workload *w, const char *path);
int workload_find_model(const struct workload *w, const char *name);
/* The index of the key, which is added where it is new. */
int workload_add_key(struct workload *w, const char *name);

/* False when a trace cannot be read. */
bool requests_make(struct requests *out, const struct workload *w, double rate, uint64_t seed);
struct request *requests_add(struct requests *out);
void requests_finish(struct requests *out);

#endif
