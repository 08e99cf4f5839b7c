/*
 * Ollama's own scheduler, without its threads: which models are loaded, who
 * waits for what, who is evicted. It decides only; time comes in as `now_ms`.
 *
 * What is true of Ollama's server is true here, also where it hurts:
 *  - one loop handles the requests that need a load, one after another; while it
 *    loads or waits for an eviction it does nothing else;
 *  - only the queue in front of that loop is bounded. Who gives up while queued
 *    keeps the place until the loop comes to it;
 *  - a request for a loaded model goes past the queue and waits without bound for
 *    one of the runner's slots, in order of arrival. It also keeps the runner
 *    busy, so that an eviction may never come: the loop is then stuck;
 *  - other options (num_ctx and its like) than the runner has mean a reload;
 *  - who goes away while its model loads takes the load with it.
 *
 * A wish is one request for a runner. It belongs to `struct runners` until
 * wish_end; whoever made it must call that exactly once, whatever became of it.
 */
#ifndef NODE_RUNNERS_H
#define NODE_RUNNERS_H

#include "base/list.h"
#include "catalog.h"

#include <stdbool.h>
#include <stdint.h>

/* Options that a runner is started with. */
struct runner_options {
	int64_t num_ctx;   /* never 0: the default is filled in */
	bool num_ctx_auto; /* it was: then it fits whatever is loaded by default */
	int64_t num_batch;
	bool num_batch_auto;
	int64_t num_gpu; /* -1: whatever is loaded */
	int64_t main_gpu;
	int64_t num_thread;
	int use_mmap; /* -1: not said */
};

enum { DEFAULT_NUM_CTX = 4096, DEFAULT_NUM_BATCH = 512 };

#define KEEP_DEFAULT INT64_C(-1) /* keep_alive was not said */
#define KEEP_FOREVER INT64_MAX

enum wish_state {
	WISH_QUEUED,  /* behind others, for the loop */
	WISH_IN_HAND, /* the loop waits for an eviction to serve it */
	WISH_LOADING, /* its runner is being loaded */
	WISH_HELD,    /* the same, and a gate holds the load */
	WISH_WAITING, /* has its runner, waits for a slot */
	WISH_READY,   /* may run; has a slot if it asked for one */
	WISH_BUSY,    /* refused: the queue is full */
	WISH_GONE,    /* ended by its maker; a place is still kept for it */
};

enum loop_state {
	LOOP_FREE,
	LOOP_LOADING,   /* until loop_due_ms */
	LOOP_EVICTING,  /* until any runner unloads */
	LOOP_UNLOADING, /* until loop_due_ms, when the memory is given back */
};

struct runner {
	struct list link;    /* in runners.loaded */
	struct model *model; /* kept */
	struct runner_options opts;
	int64_t keep_ms;
	int64_t idle_at_ms; /* when its keep_alive runs out; 0: the timer is off */
	int64_t expires_ms; /* what /api/ps says; 0: not known yet */
	int parallel;
	int refs; /* wishes that hold it: running and waiting */
	int running;
	struct list waiting; /* of struct wish, by link: for a slot */
};

struct wish {
	struct list link;
	enum wish_state state;
	struct model *model;   /* kept */
	struct runner *runner; /* held in WAITING and READY */
	struct runner_options opts;
	int64_t keep_ms; /* KEEP_DEFAULT: not said */
	bool needs_slot; /* false: it only wants the model loaded */
	bool holds_load; /* a gate stops its load */
	bool loaded;     /* this wish made the load happen */
	void *arg;       /* the maker's */
};

struct runners {
	int parallel;
	int max_loaded;
	int max_queue;
	int64_t keep_ms;
	struct list loaded; /* of struct runner, by link; owned; oldest first */
	int loaded_count;
	struct list queue; /* of struct wish, by link; owned */
	int queued;
	struct wish *in_hand; /* owned; what the loop is at; NULL: nothing */
	enum loop_state loop;
	int64_t loop_due_ms; /* in LOADING and UNLOADING */
	struct list ready;   /* of struct wish, by link: READY and not yet told */
	uint64_t loads;
	uint64_t failed_loads; /* whoever wanted it went away */
	uint64_t unloads;
	uint64_t refused;
};

void runners_init(struct runners *rs, int parallel, int max_loaded, int max_queue, int64_t keep_ms);
/* No wish may be left. */
void runners_finish(struct runners *rs);
/* A wish that is READY at once is not listed in `ready`; look at its state. */
struct wish *runners_wish(struct runners *rs, struct model *m, const struct runner_options *opts,
                          int64_t keep_ms, bool needs_slot, bool holds_load, void *arg,
                          int64_t now_ms);
/* Its maker is done with it, or gave it up. */
void wish_end(struct runners *rs, struct wish **w, int64_t now_ms);
/* The gate that held its load is open. */
void wish_release_load(struct runners *rs, struct wish *w, int64_t now_ms);
/* The next one that became READY since; NULL: none. Its maker is told once. */
struct wish *runners_take_ready(struct runners *rs);
/* keep_alive: 0 without a prompt: goes as soon as nobody uses it. */
void runners_expire(struct runners *rs, const struct model *m, int64_t now_ms);
/* Does what is due. */
void runners_tick(struct runners *rs, int64_t now_ms);
/* When runners_tick must be called next; INT64_MAX: never. */
int64_t runners_next_ms(const struct runners *rs);
/* When the runner leaves, as /api/ps tells it; KEEP_FOREVER. */
int64_t runner_expires_ms(const struct runner *r, int64_t now_ms);
/* Wishes that wait for a load or a slot. */
int runners_waiting(const struct runners *rs);

#endif
