/*
 * Work that goes through the scheduler: requests that run a model, and reads that
 * any node with the model can answer (they take no slot). A job is queued, gets a
 * backend, is relayed; before the first byte it may be tried again elsewhere.
 */
#ifndef APP_PROXY_H
#define APP_PROXY_H

#include <stdbool.h>
#include <stdint.h>

struct gateway;
struct job;
struct request;

/* The body is collected, and the model known. */
void proxy_begin(struct request *r);
/* The scheduler picked this job: it goes to its backend. */
void proxy_dispatch(struct job *j, bool was_loaded);
/* The scheduler gave it up: it waited too long, or no node can serve it any more. */
void proxy_give_up(struct job *j);
/* It gave way to another one, since the queue was full. */
void proxy_displace(struct job *j);
/* The gateway is draining: what waits is told to go elsewhere. */
void proxy_refuse_waiting(struct gateway *g);
/* A node told what it holds: those that wait there for a model that it lost go elsewhere. */
void proxy_free_stuck(struct gateway *g);
/* A round of probes ended: those that wait for fresh listings may know more. */
void proxy_settle_puzzled(struct gateway *g);

#endif
