/* What nodes hold and list, for who asks. */
#include "node.h"

#include <stdlib.h>

const char *
held_state_name(enum held_state s)
{
	switch (s) {
	case HELD_LOADING: return "loading";
	case HELD_LOADED: return "loaded";
	case HELD_DRAINING: return "draining";
	}
	abort();
}

static enum held_state
state_of(const struct backend *b, const struct variant *v)
{
	if (b->swap.out == v)
		return HELD_DRAINING;
	switch (v->places[b->index].residency) {
	case LOADING: return HELD_LOADING;
	case LOADED: return HELD_LOADED;
	case LEAVING: return HELD_DRAINING;
	case ABSENT: break;
	}
	abort();
}

static void
tell_load(const struct backend *b, const struct variant *v, struct held *h)
{
	if (b->swap.step != SWAP_LOADING || b->swap.in != v)
		return;
	h->load_began_ms = b->swap.since_ms;
	h->load_expected_ms = estimate_load_ms(&v->places[b->index].speed);
}

void
backend_each_held(const struct backend *b, void (*fn)(const struct held *h, void *arg), void *arg)
{
	MAP_FOR_EACH (it, &b->fleet->variants) {
		const struct variant *v = it.value;
		struct held h = {
		    .model = v->model,
		    .options = &v->options,
		    .slots = b->parallel,
		    .busy = v->places[b->index].busy,
		};

		if (v->places[b->index].residency == ABSENT)
			continue;
		h.state = state_of(b, v);
		tell_load(b, v, &h);
		fn(&h, arg);
	}
}

void
backend_each_listed(const struct backend *b, void (*fn)(const char *model, void *arg), void *arg)
{
	MAP_FOR_EACH (it, &b->fleet->variants) {
		const struct variant *v = it.value;

		if (v->base == v && v->places[b->index].listed)
			fn(v->model, arg);
	}
}
