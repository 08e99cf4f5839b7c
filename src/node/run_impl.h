/*
 * Private to the files of a run: run.c is its life, run_begin.c its beginning,
 * run_time.c what it says of time.
 */
#ifndef NODE_RUN_IMPL_H
#define NODE_RUN_IMPL_H

#include "node_impl.h"
#include "run.h"

enum run_state { RUN_WAITING, RUN_PREFILL, RUN_MAKING, RUN_GATED, RUN_FULL };

struct run {
	struct visit *visit;
	enum run_state state;
	struct ask ask;
	struct answer answer;
	struct reply reply;
	struct model *model; /* kept */
	struct wish *wish;   /* ended by run_cancel; NULL for a remote model */
	bool has_slot;       /* and is counted as running */
	struct timer timer;
	struct gate_hold hold;
	char *gates; /* owned; names with commas; NULL: none */
	int next;    /* piece to make */
	int passed;  /* pieces whose gates were passed; one more than pieces: the end's too */
	int64_t arrived_us;
	int64_t
	    loaded_us; /* the model was there, though perhaps no slot; 0: only known with ready_us */
	int64_t ready_us;
	int64_t first_us;  /* the prompt was read */
	int64_t slowed_us; /* what others cost it since */
};

static inline const struct form *
run_form(const struct run *r)
{
	return r->visit->route->form;
}

static inline bool
run_streams(const struct run *r)
{
	return r->ask.stream && run_form(r)->stream_type != NULL;
}

/* run.c: nothing hangs on it yet. */
struct run *run_create(struct visit *v);
/* Nothing was asked: answers with done_reason `reason`. */
void run_answer_empty(struct run *r, const char *reason);

/* run_time.c: fills reply.metrics; stamps what is written next. */
void run_set_metrics(struct run *r);
void run_set_time(struct run *r);

#endif
