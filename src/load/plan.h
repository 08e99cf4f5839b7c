/*
 * What the command line asks for, and nothing that comes of it.
 *
 * Durations are milliseconds; 0 of a bound is none. Texts without an owner are
 * the command line's.
 */
#ifndef LOAD_PLAN_H
#define LOAD_PLAN_H

#include "api.h"
#include "mix.h"

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOST_STEPS = 32 };

enum plan_command { PLAN_RUN, PLAN_SWEEP, PLAN_HELP, PLAN_VERSION };
enum arrival { ARRIVAL_POISSON, ARRIVAL_CONSTANT };
enum output { OUTPUT_TABLE, OUTPUT_JSON };

struct slo {
	int64_t ttft_ms; /* 0: not asked for, as the others */
	int64_t tpot_ms;
	int64_t e2e_ms;
};

struct plan {
	enum plan_command command;
	char *url; /* owned */
	const struct api *api;
	struct mix models; /* empty where none was said: the server is asked (models.h) */
	struct mix keys;
	struct mix classes;
	char *options; /* owned; for struct ask */

	int64_t requests;
	int64_t duration_ms;
	int64_t concurrency; /* 0: as many as there are */
	double rate;         /* a second; 0: closed loop, or a trace */
	enum arrival arrival;
	const char *trace; /* a file; NULL: none */
	double trace_speed;

	const char *prompt;
	const char *prompts; /* a file */
	int64_t prompt_tokens;
	int64_t output_tokens;
	bool stream;
	int64_t warmup;
	int64_t timeout_ms; /* of a request */
	int64_t drain_ms;   /* what runs at the end of the duration may go on for so long */
	uint64_t seed;
	struct slo slo;
	const char *tls_ca;
	bool tls_verify;

	enum output output;
	const char *save;
	const char *report;
	const char *compare;

	int64_t parallel[MOST_STEPS]; /* of a sweep */
	size_t parallel_count;
	const char *start;    /* a command that serves; NULL: drover-node */
	const char *simulate; /* how fast drover-node's models are, in its own words */
};

/* On failure returns the exit status and `why` is filled; 0: the caller finishes `out`. */
int plan_read(int argc, char **argv, struct plan *p, struct buf *why);
void plan_finish(struct plan *p);
void plan_add_help(struct buf *out);
/* The names of the models, with commas. */
void plan_add_models(const struct plan *p, struct buf *out);

#endif
