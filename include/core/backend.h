/*
 * A node as the scheduler sees it: slots, the models it has and holds, its health
 * and its breaker. Facts come in by the functions here; sched.h decides.
 */
#ifndef CORE_BACKEND_H
#define CORE_BACKEND_H

#include "core/variant.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct backend;

struct listed_model {
	const char *name;
	uint64_t digest;         /* equal for equal models; 0: not known */
	int32_t trained_context; /* no longer one can be had; 0: not known */
};

struct backend_conf {
	const char *name;
	int weight;                /* at least 1 */
	int parallel;              /* slots of each loaded model */
	int max_loaded;            /* models at once */
	int slots;                 /* bound on the whole node */
	const char *const *models; /* globs: only these; NULL: all that it lists */
	size_t model_count;
};

struct health_conf {
	int down_after; /* failed probes in a row */
	int up_after;
	int64_t grace_ms; /* who went down is waited for so long */
	int breaker_failures;
	int64_t breaker_window_ms;
	int64_t breaker_open_ms; /* the first pause; doubles up to the most */
	int64_t breaker_max_open_ms;
};

enum backend_state {
	BACKEND_UNKNOWN, /* not probed yet */
	BACKEND_UP,
	BACKEND_DOWN,
	BACKEND_DRAINING, /* up, but takes no new work */
};

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_TRYING };

/* What went wrong with a request on it. */
enum backend_fault {
	FAULT_CONNECT, /* no connection: the node is marked down at once */
	FAULT_TLS,     /* no TLS with it, or its certificate is not trusted: the same */
	FAULT_BROKEN,  /* closed or no HTTP */
	FAULT_BUSY,    /* 503: a pause of 250 ms to 10 s, no matter for the breaker */
	FAULT_HANG,    /* no first byte, or none for long: opens the breaker at once */
};

const char *backend_name(const struct backend *b);
enum backend_state backend_state(const struct backend *b);
enum breaker_state backend_breaker(const struct backend *b);
const char *backend_state_name(enum backend_state s);
const char *breaker_state_name(enum breaker_state s);
int backend_busy(const struct backend *b);
int backend_slots(const struct backend *b);
int backend_weight(const struct backend *b);
/* Up, not draining, not in a pause after a 503, and its breaker lets a job through. */
bool backend_is_usable(const struct backend *b, int64_t now_ms);

/* Canonical names. Whether its configuration lets it run the model. */
bool backend_allows(const struct backend *b, const char *model);
/* Whether it lists the model too. */
bool backend_has_model(const struct backend *b, const char *model);
/* 0: not listed, or not known. */
uint64_t backend_model_digest(const struct backend *b, const char *model);
bool backend_holds_model(const struct backend *b, const char *model);

enum held_state { HELD_LOADING, HELD_LOADED, HELD_DRAINING /* to be unloaded */ };

/* What a node holds, or loads. */
struct held {
	const char *model;
	const struct variant_options *options;
	enum held_state state;
	int slots;
	int busy;
	/* Of a load by order that is under way: when it began (absolute), and how long it is expected
	 * to take. 0: none. */
	int64_t load_began_ms;
	int64_t load_expected_ms;
};

const char *held_state_name(enum held_state s);
/* In no order; `fn` must not change anything of the scheduler's. */
void backend_each_held(const struct backend *b, void (*fn)(const struct held *h, void *arg),
                       void *arg);
/* The same for the models that it lists, and may run. */
void backend_each_listed(const struct backend *b, void (*fn)(const char *model, void *arg),
                         void *arg);

/* A probe's outcome. Returns whether the state changed (log it). The first probe decides at
 * once, and one good one is enough for a node that never was up. */
bool backend_saw_probe(struct backend *b, bool ok, int64_t now_ms);
/* A request on it went wrong; true when state or breaker changed. */
bool backend_saw_fault(struct backend *b, enum backend_fault fault, int64_t now_ms);
/* A request on it brought a first byte of an answer that is no 503; true when that closed the
 * breaker. */
bool backend_saw_answer(struct backend *b, int64_t now_ms);
/* Says nothing of its health: a node that is down may drain too. */
void backend_set_draining(struct backend *b, bool draining);
bool backend_is_draining(const struct backend *b);

/* Replace what it lists (/api/tags) and what it holds (/api/ps). A model that is in flight, or
 * was sent there or reckoned as evicted since the snapshot before, is not corrected yet: this
 * snapshot may be older. */
void backend_set_models(struct backend *b, const char *const *names, size_t count);
/* The first of them, with what the names stand for: those that stand for the same on all nodes are
 * loaded as one (sched_model). */
void backend_set_listing(struct backend *b, const struct listed_model *models, size_t count);
/* What is gone from there soon after another one was loaded had to make room: the node holds less
 * than its configuration says, and is not filled up to that for a while. */
void backend_set_loaded(struct backend *b, const char *const *names, size_t count);
/* After backend_set_loaded: the context that a model is loaded with, by /api/ps of newer servers.
 * Tells which variant it is, and what the node's own context is. */
void backend_saw_context(struct backend *b, const char *model, int32_t num_ctx);
/* Models at once, as things stand. */
int backend_max_loaded(const struct backend *b);
/* It was told, not by an order, to unload the model, or to make it anew: nothing more is sent for
 * it until it is loaded again. */
void backend_saw_unload(struct backend *b, const char *model);
/* That model may be tried again at once, should it have failed to load: it was made anew. */
void backend_saw_change(struct backend *b, const char *model);

#endif
