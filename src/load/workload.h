/*
 * The requests of a run, one after another: when each is due, whom it asks, in
 * whose name, and its body. The same plan and seed give the same requests.
 */
#ifndef LOAD_WORKLOAD_H
#define LOAD_WORKLOAD_H

#include "plan.h"

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct workload;

struct shot {
	int64_t due_us; /* after the start; -1: as soon as there is a place for it */
	size_t model;   /* indices in the plan's mixes; 0 also where a mix is empty */
	size_t key;
	size_t class;
};

/* Borrows the plan. NULL: `why` says what is wrong with a file. */
struct workload *workload_create(const struct plan *plan, struct buf *why);
void workload_destroy(struct workload **w);
/* Fills `out` and adds the body to `body`. False: there are no more. */
bool workload_next(struct workload *w, struct shot *out, struct buf *body);
/* One to warm up with: they take the models in turn, and none is equal to a measured one. */
void workload_warm(struct workload *w, int64_t number, struct shot *out, struct buf *body);
/* How many there will be; -1: as many as the time allows. */
int64_t workload_count(const struct workload *w);

#endif
