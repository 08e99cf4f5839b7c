/*
 * The scheduler: a bounded queue, fair between classes and keys, in front of weighted
 * backends with slots. Knows no HTTP and reads no clock. Its callers report facts and then
 * pump: take what expired, pick what can start, until there is nothing.
 *
 * Invariants, after every call: slots in use = jobs running, per backend and per
 * (backend, model); waiting jobs <= queue size; no job that could start waits
 * while sched_pick returns false.
 */
#ifndef CORE_SCHED_H
#define CORE_SCHED_H

#include "core/backend.h"
#include "core/job.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sched;

struct sched_conf {
	int queue_size;
	int per_key;         /* of them for one key, once half of the queue is taken; 0: no bound */
	int64_t max_wait_ms; /* 0: no bound */
	int64_t aging_ms;    /* who waits longer goes first, whatever its class; 0: nobody does */
	/* Models are loaded and unloaded by orders (sched_take_order), and jobs go only where their
	 * model is loaded. Else nodes load what they are sent. */
	bool loads_by_orders;
	int64_t load_ms; /* longer than that no load takes, whatever is measured */
	struct health_conf health;
	int retry_attempts;       /* times a job may be dispatched in all */
	int retry_budget_percent; /* of the jobs dispatched lately; a small floor is always free */
};

enum sched_answer {
	SCHED_QUEUED,
	SCHED_FULL,          /* 503 busy: the queue, or the key's share of it, is taken */
	SCHED_TOO_LATE,      /* 503: its deadline cannot be met, by the estimates */
	SCHED_UNKNOWN_MODEL, /* 404: every node that could be asked lacks it */
	SCHED_NO_BACKEND,    /* 503: none is up that might have it */
	SCHED_LOAD_FAILED,   /* it failed to load wherever it could be, and is not tried just now */
};

enum order_kind { ORDER_UNLOAD, ORDER_LOAD };

/* What the owner of the nodes shall do; it says what became of it. */
struct order {
	enum order_kind kind;
	struct backend *backend;
	const char *model;              /* until it is reported */
	struct variant_options options; /* to load it with */
	int64_t limit_ms;               /* longer than that it is a failure; 0: nothing is known */
};

enum order_end {
	ORDER_FAILED, /* as far as the model is concerned */
	ORDER_DONE,
	ORDER_LOST, /* the node was busy or gone: says nothing of the model */
};

struct sched *sched_create(const struct sched_conf *conf);
/* No job may be queued or running. */
void sched_destroy(struct sched **s);

/* The scheduler owns its backends. */
struct backend *sched_add_backend(struct sched *s, const struct backend_conf *conf);
size_t sched_backend_count(const struct sched *s);
struct backend *sched_backend(const struct sched *s, size_t i);
/* NULL when there is none of that name. */
struct backend *sched_find_backend(const struct sched *s, const char *name);

/* By which name orders call the model: names that stand for the same have one of them. Valid until
 * the next listing. */
const char *sched_model(const struct sched *s, const char *name);

/* Queues a new job for a model (canonical name, copied). On a refusal the job stays JOB_NEW.
 * Jobs that could start at once do not count against queue_size, whether sched_pick was called
 * since they came or not, and are not refused for a deadline that will pass while they run. A model
 * that a node which was not asked yet may have: queued; so is one of a node that went down just
 * now (health_conf.grace_ms). */
enum sched_answer sched_submit(struct sched *s, struct job *j, const char *model, int64_t now_ms);
/* What sched_submit would answer by health and listings alone, never SCHED_FULL or SCHED_TOO_LATE:
 * by it the owner of a hopeless job, or of one that is not tried again, tells why. Reads the job's
 * slotless and only. */
enum sched_answer sched_outlook(const struct sched *s, const struct job *j, const char *model);
/* The next job that can start: it is JOB_RUNNING on j->backend, its slot taken. `was_loaded`:
 * the backend was seen to hold the model, so that no load time need be allowed. NULL: none
 * now. */
struct job *sched_pick(struct sched *s, int64_t now_ms, bool *was_loaded);
/* The next queued job past max_wait or its deadline; out of the queue, JOB_ENDED as
 * JOB_DEADLINE. */
struct job *sched_take_expired(struct sched *s, int64_t now_ms);
/* A queued job that nobody can serve any more: all nodes that had the model went down, or it
 * was deleted (sched_outlook tells which). A node that is up is waited for, be it draining or
 * behind its breaker, and so is one that was not asked yet. Out of the queue, JOB_ENDED as
 * JOB_REFUSED. */
struct job *sched_take_hopeless(struct sched *s, int64_t now_ms);
/* A queued job that gave way to a newcomer, since the queue was full: JOB_ENDED as JOB_REFUSED.
 * The newest of the lowest class, of the key that holds most, gives way to a higher class or to
 * a key that holds clearly less. Until it is taken here it may still be ended. */
struct job *sched_take_displaced(struct sched *s);
/* When to pump next though nothing happens (absolute ms); INT64_MAX: never. */
int64_t sched_next_ms(const struct sched *s, int64_t now_ms);

/* What a queued or running job runs with: other than it asks for where contexts are unified. It
 * may change until the job starts. */
const struct variant_options *sched_options(const struct job *j);
/* Of a running job: the context that its request is to name; 0: none, the node gives its own. */
int32_t sched_context(const struct sched *s, const struct job *j);

/* The real number of tokens of a running job, before its end: its key was charged by an
 * estimate. */
void sched_saw_tokens(struct sched *s, struct job *j, int prompt, int output);
/* Only with loads_by_orders: the next order that is due. Each is given once, a node has one at a
 * time. Pump: orders, then picks, until neither brings anything. */
bool sched_take_order(struct sched *s, int64_t now_ms, struct order *out);
/* An order came to its end. Where a load failed the model is not loaded again for a while; jobs
 * that can run nowhere else are hopeless then. What cannot be unloaded stays for a while. */
void sched_saw_order(struct sched *s, const struct order *o, enum order_end end, int64_t now_ms);
/* Ends a job wherever it is; gives its slot back. */
void sched_end(struct sched *s, struct job *j, enum job_end end, int64_t now_ms);
/* A running job failed before a byte reached the client (report the fault first): back into its
 * old place in the queue, beyond its size if need be. False: out of attempts or of budget, or
 * no node is left that could serve it; it still runs, end it. */
bool sched_retry(struct sched *s, struct job *j, int64_t now_ms);

int sched_waiting(const struct sched *s);
int sched_waiting_in(const struct sched *s, enum job_class class);
int sched_running(const struct sched *s);
/* How long the oldest has waited; 0: none waits. */
int64_t sched_oldest_ms(const struct sched *s, int64_t now_ms);
/* Waiting jobs that go before it, as the order stands: 0 is next. O(waiting). */
int sched_position(const struct sched *s, const struct job *j);
/* How long a queued job will wait until it starts, by the estimates; 0: it does not wait.
 * O(waiting). */
int64_t sched_eta_ms(const struct sched *s, const struct job *j, int64_t now_ms);
/* The node that loads what a queued job waits for; NULL: none does. */
const struct backend *sched_loading_for(const struct sched *s, const struct job *j);
/* How long what waits now, and one more, will take to start, by the measured drain rate: 1 s to
 * 1 h. */
int64_t sched_retry_after_ms(const struct sched *s, int64_t now_ms);

#endif
