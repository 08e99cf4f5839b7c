/*
 * The inside of a proxied request: proxy.c lets it in, queues and ends it, proxy_answer.c
 * sends it to its node and sees what becomes of that.
 *
 * Invariants: a proxied request is puzzled (its model is unknown, the nodes are being asked
 * again), or its job is QUEUED, or RUNNING with its relay; its slot is given back
 * by proxy_end before anything is logged or answered further.
 */
#ifndef APP_PROXY_IMPL_H
#define APP_PROXY_IMPL_H

#include "app/fallback.h"
#include "app/heartbeat.h"
#include "app/proxy.h"
#include "app/relay.h"
#include "app/request.h"

struct proxy {
	struct work work; /* first */
	struct request *request;
	struct job job;
	struct relay relay;
	struct list puzzled_link; /* in gateway.puzzled */
	struct fallback fallback; /* which model it runs */
	struct timer deadline;    /* runs only where job.deadline_ms is set */
	struct heartbeat heartbeat;
	bool asked_again;
};

extern const struct work_ops proxy_work_ops;

static inline struct proxy *
proxy_of(struct job *j)
{
	return LIST_ENTRY(j, struct proxy, job);
}

/* The name that the scheduler knows the job's model by. */
const char *proxy_model(const struct proxy *p);
/* After the request was ended, or handed to another work. */
void proxy_free(struct proxy *p);
/* Gives back the slot or the place in the queue, and detaches from the request. The caller
 * ends the request. */
void proxy_end(struct proxy *p, enum job_end end);
/* Ends it and its request, which is told `message`. */
void proxy_fail(struct proxy *p, enum job_end end, int status, int64_t retry_after_ms,
                const char *message);
/* The same, in the words of the node that could not load the model. */
void proxy_refuse_unloaded(struct proxy *p);

#endif
