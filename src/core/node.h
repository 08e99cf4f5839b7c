/*
 * The inside of struct backend, for the files of core that place jobs on it.
 */
#ifndef CORE_NODE_PRIVATE_H
#define CORE_NODE_PRIVATE_H

#include "breaker.h"
#include "core/backend.h"
#include "core/job.h"
#include "fleet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first pause after a 503; backend.c doubles it. */
enum { BUSY_FIRST_PAUSE_MS = 250 };

/* The index of a backend that is out of the fleet. */
#define GONE SIZE_MAX

/* A node's one change of what it holds. */
enum swap_step {
	SWAP_NONE,
	SWAP_DRAINING,  /* of `out` */
	SWAP_UNLOADING, /* ordered */
	SWAP_READY,     /* to load */
	SWAP_LOADING,   /* ordered */
};

struct swap {
	enum swap_step step;
	struct variant *in;  /* retained */
	struct variant *out; /* retained; NULL: nothing must go, or it is gone */
	int64_t since_ms;    /* of the step */
	int unseen;          /* snapshots of that step that did not show `in` */
	bool warm;           /* nobody asked for it */
};

struct listing_row {
	char *name; /* owned */
	uint64_t digest;
	int32_t trained_context;
};

/* The last load by order, while snapshots may show what had to make room for it. */
struct load {
	struct variant *variant; /* only compared */
	int64_t began_ms;
	int64_t ended_ms;
	int snapshots_left;
};

/* What the node holds; the rest is as of when swaps were weighed last (swap_cost.h). */
struct resident {
	struct variant *variant;
	double load_ms;
	double arrivals; /* weight a millisecond */
	double waiting;  /* weight of those that have no other node */
	bool copied;     /* it is loaded elsewhere too */
};

struct backend {
	struct fleet *fleet;
	size_t index; /* in fleet.backends, and of its place in every variant; or GONE */
	char *name;   /* owned */
	int weight;
	int parallel;
	int max_loaded; /* as learned, at most as configured */
	int max_loaded_conf;
	int slots;
	char **globs; /* owned, each too */
	size_t glob_count;

	struct listing_row *listing; /* owned: what it listed last */
	size_t listing_count;

	enum backend_state health; /* never BACKEND_DRAINING: that is on top of it */
	bool draining;
	bool retired;    /* not configured any more: takes nothing, lists nothing */
	bool was_up;     /* ever */
	bool given_up;   /* down for longer than the grace: nobody waits for it */
	bool has_listed; /* ever: before, what it has is not known */
	int good_probes; /* in a row */
	int bad_probes;  /* in a row */
	int down_after;
	int up_after;
	int64_t grace_ms;
	int64_t down_since_ms;
	int64_t up_since_ms;
	struct breaker breaker;
	struct job *trial; /* the breaker's, while it runs here */
	int64_t pause_ms;  /* after the next 503 */
	int64_t paused_until_ms;

	int busy;          /* slots in use */
	int remote;        /* slotless jobs that run here */
	int busy_variants; /* with slots in use */
	/* Owned: the variants that are not ABSENT, in no order. There may be more of them than
	 * max_loaded: others load too. */
	struct resident *residents;
	int resident;
	int residents_room;
	struct swap swap;
	bool wished; /* somebody would load here, when swaps were weighed last */
	struct load last_load;
	int64_t crowded_until_ms; /* max_loaded is what was learned */
	struct lane *kept_for;    /* takes only what is older until this lane could start here */
};

struct backend *backend_create(struct fleet *f, size_t index, const struct backend_conf *conf,
                               const struct health_conf *health);
void backend_destroy(struct backend *b);
static inline bool
backend_is_gone(const struct backend *b)
{
	return b->index == GONE;
}

/* Copies what is configured of it, but the name. */
void backend_configure(struct backend *b, const struct backend_conf *conf);
void backend_set_health_conf(struct backend *b, const struct health_conf *health);
void backend_drop_listing(struct backend *b);
/* What it lists, or may run, changed: who knows of which variant follows from it. */
void backend_review_listing(struct backend *b);
/* Called by variant_set_residency alone. */
void backend_add_resident(struct backend *b, struct variant *v);
void backend_drop_resident(struct backend *b, const struct variant *v);
/* The job runs here: takes its slot, reckons with what the node will load and evict for it. */
void backend_take(struct backend *b, struct job *j, int64_t now_ms);
/* Gives it back. `done`: the job came to its end here. */
void backend_put(struct backend *b, struct job *j, bool done, int64_t now_ms);
/* The node does not show what it was told to load: it waits until something else there runs dry
 * (OLLAMA.md), and so nothing is sent there until it is over. */
bool backend_holds_breath(const struct backend *b);
/* When it can be used again, if that is a matter of time alone; else INT64_MAX. */
int64_t backend_back_at_ms(const struct backend *b, int64_t now_ms);

#endif
