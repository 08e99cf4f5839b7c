/*
 * Warming up: a model is loaded before anybody asks for it.
 *
 * Nobody loses by it. It goes where there is room, or in the place of a model that is not in use:
 * no request of it runs or waits, and none has come for five minutes, for as long as Ollama itself
 * keeps a model. It waits for those who wait for a load themselves.
 */
#ifndef CORE_WARM_H
#define CORE_WARM_H

#include "core/backend.h"
#include "core/variant.h"

#include <stdint.h>

struct sched;

enum warm_answer {
	WARM_LOADED,        /* with whatever options */
	WARM_LOADING,       /* ordered; ask again once an order has ended */
	WARM_LATER,         /* the node makes another change, or others wait for its place: the same */
	WARM_NO_ROOM,       /* what is loaded there is in use */
	WARM_FAILED,        /* to load, a moment ago; or what it would replace cannot be unloaded */
	WARM_NO_BACKEND,    /* none that has it can be used now */
	WARM_UNKNOWN_MODEL, /* no node has it */
};

struct warm_wish {
	const char *model; /* canonical */
	struct variant_options options;
	struct backend *only; /* NULL: wherever it is best */
};

/* Only with loads_by_orders. Begins the load where it can; pump then. `where`: the node that the
 * answer is about; NULL: none. */
enum warm_answer sched_warm(struct sched *s, const struct warm_wish *wish, int64_t now_ms,
                            struct backend **where);

#endif
