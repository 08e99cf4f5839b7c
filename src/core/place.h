/*
 * Where a job could run now. A survey is taken once a decision and serves all lanes.
 *
 * Rules: the node that served the conversation last, if it still holds the variant; then nodes
 * that hold it; then those with a free place, where nothing must be evicted for it; then least
 * (in flight + 1) / weight; ties to the first configured. The node that failed the job last only
 * when no other usable one has the variant. A slotless job goes to a usable node that lists its
 * model, to any if none does, and takes no slot.
 */
#ifndef CORE_PLACE_PRIVATE_H
#define CORE_PLACE_PRIVATE_H

#include "node.h"
#include "queue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct survey {
	struct backend **usable; /* owned: those usable now; */
	size_t usable_count;
	struct backend **open; /* owned: of them, those below their own bound of slots */
	size_t open_count;
	uint64_t number; /* of surveys: variants that some open node may take by orders bear it */
	int64_t now_ms;
	bool by_orders;
};

void survey_finish(struct survey *y);
/* Room for so many nodes. */
void survey_resize(struct survey *y, size_t backends);
void survey_take(struct survey *y, const struct fleet *f, int64_t now_ms);

/* Whether the node may run it at all, by configuration and listing. */
static inline bool
place_serves(const struct backend *b, const struct need *need)
{
	const struct place *p = &need->variant->places[b->index];

	if (need->only != NULL && need->only != b)
		return false;
	return need->slotless ? p->allowed : p->listed;
}

/* Whether it is loaded there to stay. */
static inline bool
place_is_held(const struct backend *b, const struct variant *v)
{
	return v->places[b->index].residency == LOADED && b->swap.out != v;
}

/* Whether the node is at work on another variant of the model: it would be reloaded, once all that
 * is done. */
static inline bool
place_has_busy_rival(const struct backend *b, const struct variant *v)
{
	const struct variant *rival = variant_find_rival(v, b);

	return rival != NULL && rival->places[b->index].busy > 0;
}

/* Whether the failed node is left out since another one has the variant; by orders: holds it. */
bool place_is_avoided(const struct survey *y, const struct backend *b, const struct need *need);
/* Whether any node has a place for such a job, be it kept for somebody else: most lanes fail
 * here, most of the time. */
bool place_is_open(const struct survey *y, const struct need *need);
/* The node for a job; NULL: none now. `last` served its conversation; NULL: none did. */
struct backend *place_find(const struct survey *y, const struct job *j, const struct backend *last);

#endif
