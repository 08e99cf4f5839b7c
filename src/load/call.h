/*
 * One request on the wire and its answer, timed. Calls are used again, so that a
 * request costs no memory once the run is under way.
 *
 * Whoever begins a call owns it; `on_end` comes exactly once, never from inside
 * call_begin, and from call_cancel at once.
 */
#ifndef LOAD_CALL_H
#define LOAD_CALL_H

#include "answer.h"
#include "outcome.h"

#include "base/list.h"
#include "io/exchange.h"
#include "io/loop.h"

#include <stdbool.h>
#include <stdint.h>

struct call;

struct call_ops {
	/* `count` records with tokens were in what one read brought. */
	void (*on_tokens)(struct call *c, int64_t count, int64_t now_us, void *arg);
	void (*on_end)(struct call *c, const struct outcome *o, void *arg);
};

/* What calls of a run have in common. */
struct call_world {
	struct loop *loop;
	struct upstream *upstream;
	const struct plan *plan;
	const struct call_ops *ops;
	void *arg;
};

struct call {
	const struct call_world *world; /* borrowed */
	struct exchange *exchange;      /* owned while it runs */
	struct timer limit;
	struct answer answer;
	struct str headers; /* borrowed */
	struct buf body;    /* owned; filled by the caller before call_begin */
	struct outcome outcome;
	char why[200];
	int tries;
	bool measured;    /* the caller's */
	struct list link; /* the caller's */
};

struct call *call_create(const struct call_world *world);
void call_destroy(struct call **c);
/* `due_us`: what latency counts from. The body is in `c->body`. */
void call_begin(struct call *c, const struct shot *shot, struct str headers, int64_t due_us);
/* Cuts the connection; the outcome is `end`. */
void call_cancel(struct call *c, enum outcome_end how);

#endif
