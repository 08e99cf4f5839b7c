/*
 * Everything that a run counts. One set of figures for all requests, and one for
 * each model, key and class where there are several.
 */
#ifndef LOAD_TALLY_H
#define LOAD_TALLY_H

#include "failures.h"
#include "hist.h"
#include "outcome.h"
#include "plan.h"
#include "series.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STATUS_MAX = 600 };

/* A zeroed one is empty. */
struct figures {
	int64_t ended; /* whole, or failed in one way or another */
	int64_t whole;
	int64_t refused;
	int64_t good; /* whole and within the slo */
	int64_t hits; /* stale ones too */
	int64_t misses;
	int64_t joined;
	int64_t loads; /* answers that waited half a second or more for a load */
	int64_t input_tokens;
	int64_t output_tokens;
	/* Of the server's own counts, for its rates: */
	int64_t prompt_eval_tokens;
	int64_t prompt_eval_ns;
	int64_t eval_tokens;
	int64_t eval_ns;
	/* Of whole answers: */
	struct hist ttft;
	struct hist tpot;
	struct hist itl;
	struct hist e2e;
	struct hist queue;
	struct hist load;
	struct hist prompt_eval;
	struct hist eval;
};

struct group {
	const char *kind; /* "model", "key", "class" */
	char *name;       /* owned */
	struct figures figures;
};

struct tally {
	const struct plan *plan; /* borrowed */
	struct figures all;
	struct group *groups; /* owned */
	size_t group_count;
	size_t first_model; /* of the groups; the count of them where there is one model only */
	size_t first_key;
	size_t first_class;
	struct failures failures;
	int64_t statuses[STATUS_MAX]; /* of refusals */
	struct series series;
	struct hist lag; /* from when a request was due, and had a place, to its start */
	int64_t most_running;
	int64_t unfinished;  /* cut by the end of the run; counted nowhere else */
	int64_t not_started; /* due before the end, but never begun */
	int64_t start_us;    /* of the clock; 0: not begun */
	int64_t end_us;      /* of the last outcome */
	double cpu_share;    /* of one core, this program, while it measured */
	bool starved;        /* of descriptors: more could have been under way than the system allows */
	bool interrupted;
};

void tally_init(struct tally *t, const struct plan *plan);
void tally_finish(struct tally *t);
void tally_start(struct tally *t, int64_t now_us);
/* A request begins, this much later than it was due and had a place. */
void tally_begin(struct tally *t, int64_t lag_us, int64_t now_us);
/* Records with tokens came. */
void tally_tokens(struct tally *t, int64_t count, int64_t now_us);
void tally_end(struct tally *t, const struct outcome *o);
/* From the start to the last outcome, at least a microsecond. */
double tally_seconds(const struct tally *t);

#endif
