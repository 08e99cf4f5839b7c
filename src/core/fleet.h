/*
 * The nodes, and the variants that they list, hold or are asked for.
 *
 * A variant is what a node loads: a model by its canonical name, with options. Nodes list
 * models, and hold variants: that without options is the base, which says what is listed; the
 * others are its siblings. A node holds at most one of them, since Ollama reloads a model that
 * is wanted with other options.
 *
 * A variant lives while a node lists (the base) or holds it, a job refers to it, or it has
 * siblings: names that clients make up leave nothing behind. What is known of a variant on one
 * node is a struct place.
 *
 * Invariants: backend.busy = sum of busy over its places; backend.busy_variants = places
 * with busy > 0, at most max_loaded; backend.residents = places that are not ABSENT.
 */
#ifndef CORE_FLEET_PRIVATE_H
#define CORE_FLEET_PRIVATE_H

#include "base/list.h"
#include "base/map.h"
#include "core/backend.h"
#include "core/variant.h"
#include "estimate.h"
#include "twins.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Packed, with struct place: decisions walk over many of them. */
enum residency {
	ABSENT,
	LOADING, /* sent there, not seen loaded yet */
	LOADED,
	LEAVING, /* takes nothing more, and is gone once nothing runs there */
} __attribute__((packed));

/* 64 bytes, a line of the processor's cache. */
struct place {
	bool allowed;    /* by the node's configuration */
	bool listed;     /* its model is, by the node, and allowed */
	uint64_t digest; /* of a base, while it is listed: of its model; 0: not known */
	bool shown;      /* by the node's snapshot, while that is taken in */
	bool missing;    /* it was not shown, though something runs there */
	bool ours;       /* what is resident was loaded for this variant, as far as is known */
	bool fresh;      /* residency changed here since the node's last snapshot, which may be older */
	enum residency residency;
	int busy;         /* slots in use */
	int loads_failed; /* in a row */
	int64_t used_at_ms;
	struct speed speed;
	int64_t loaded_at_ms;
	int64_t ends_at_ms;        /* when the last of what runs here will end, by estimate */
	int64_t quarantine_end_ms; /* not loaded here before; what is loaded: not unloaded */
};

/* The context that a node gives a model by itself. */
struct own_context {
	int32_t num_ctx; /* 0: not known */
	bool measured;   /* on what we loaded, so that it is no guess */
	int32_t trained; /* the longest that it can give; 0: not known */
};

struct variant {
	char *model; /* owned */
	struct variant_options options;
	struct variant *base;     /* itself, or a sibling's */
	struct list siblings;     /* a base's: of struct variant, by sibling_link */
	struct list sibling_link; /* in base.siblings */
	int jobs;                 /* that refer to it */
	int held;                 /* places where it is not ABSENT */
	uint64_t open_in;         /* number of the latest survey that saw slots of it (place.h) */
	int places_known;         /* where it is not ABSENT; a base: or listed */
	struct estimate estimate;
	int64_t wait_weight; /* of the jobs that wait: each 3, of the low class 1 */
	double recent;       /* weight of arrivals, fading */
	int64_t recent_at_ms;
	struct list lanes;       /* of struct lane, by variant_link */
	struct place *places;    /* owned; by backend.index */
	struct own_context *own; /* owned; a base's, by backend.index */
};

struct fleet {
	struct backend **backends; /* owned, each too */
	size_t count;
	size_t retired;      /* of them (reshape.c) */
	struct map variants; /* of struct variant, owned, by model and options */
	struct twins twins;
	bool by_orders;       /* nothing is loaded but by order */
	int64_t load_ms;      /* longer than that no load takes, whatever is measured */
	int64_t next_swap_ms; /* no swap need be weighed before (swap.h) */
	int64_t weighed_at_ms;
	bool regroup;     /* contexts became known: jobs that wait may run on other variants */
	uint64_t changes; /* counts changes of state and of listings, for who decides by them */
};

void fleet_init(struct fleet *f);
void fleet_finish(struct fleet *f);
/* Something changed by which a swap may be due earlier. They are weighed again soon, once for many
 * changes: it takes some microseconds, and what a swap takes is many seconds. */
void fleet_weigh_soon(struct fleet *f);
void fleet_weigh_now(struct fleet *f);
/* Copies the configuration. */
struct backend *fleet_add(struct fleet *f, const struct backend_conf *conf,
                          const struct health_conf *health);

/* The base. NULL: no node knows the model and no job asks for it. */
struct variant *variant_find(const struct fleet *f, const char *model);
/* Find or make it; a variant made for nothing must be offered to variant_drop_unused. */
struct variant *variant_get(struct fleet *f, const char *model);
struct variant *variant_get_with(struct fleet *f, const char *model,
                                 const struct variant_options *options);
/* For one more job. */
struct variant *variant_retain(struct fleet *f, const char *model);
void variant_release(struct fleet *f, struct variant **vp);
/* Frees it when neither a job nor a place needs it. */
void variant_drop_unused(struct fleet *f, struct variant *v);

/* Of a base: the least context that nodes load it with, when none is asked for: as was measured
 * somewhere, or else guessed; 0: not known. */
int32_t variant_own_context(const struct fleet *f, const struct variant *base);
/* Of a base: the longest that a node says it can give; 0: none says. */
int32_t variant_trained_context(const struct fleet *f, const struct variant *base);
/* Another variant of its model that is resident on the node; NULL: none. */
struct variant *variant_find_sibling_on(const struct variant *v, const struct backend *b);
static inline struct variant *
variant_find_rival(const struct variant *v, const struct backend *b)
{
	/* Most models have but one variant. */
	return v->base == v && list_empty(&v->siblings) ? NULL : variant_find_sibling_on(v, b);
}

/* The next two keep variant.places_known and backend.resident. The base of a model is listed, and
 * its siblings with it. */
void variant_set_listed(struct variant *v, const struct backend *b, bool listed);
void variant_set_residency(struct variant *v, struct backend *b, enum residency residency);

#endif
