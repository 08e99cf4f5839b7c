/*
 * Which variant a job runs on. Clients that ask for slightly different contexts would make a
 * node load a model again and again; so the jobs of one model that may (job.unify) share one:
 *
 * - They run on the largest context of their model that is in use: loaded somewhere, on its
 *   way, or wanted by a job. What the node's own default gives counts, once it is known.
 * - Who asks for more gets the next power of two, no more than job.most_num_ctx. From then on
 *   that is the largest, and those that wait for a smaller one move to it: so the contexts of
 *   a model only grow while it is in use, and what is smaller runs dry.
 * - Who asks for none runs on the same, if it is no less than the node's own: than what is
 *   known of that, or else what Ollama mostly gives, and not in the place of one that is in use.
 * - Who may not (a route that cannot set options, or a rule that forbids it) runs on exactly
 *   what it asks for.
 *
 * The other options are never unified: only variants that are alike in them are.
 */
#ifndef CORE_UNIFY_PRIVATE_H
#define CORE_UNIFY_PRIVATE_H

#include "fleet.h"
#include "queue.h"

#include <stdint.h>

/* For a new job, or one that is tried again: retained, in j->variant. */
void unify_take(struct fleet *f, struct job *j, const char *model, int64_t now_ms);
/* The job was queued: if its variant is new, others move to it. */
void unify_gather(struct fleet *f, struct queue *q, const struct job *j);
/* As sched_context. Where a node's own context is but guessed, by what was found loaded, who may
 * name it does: so it gets no less than it asks for, and what is loaded stays. */
int32_t unify_context(const struct fleet *f, const struct job *j);
/* Before a decision: moves who waits, where contexts became known. */
void unify_settle(struct fleet *f, struct queue *q);

#endif
