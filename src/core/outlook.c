/* The outlook of a request: wait, or be told at once why not. */
#include "outlook.h"

#include "node.h"

#include <stdlib.h>

static bool
lacks(const struct backend *b, const struct variant *v, bool slotless)
{
	return !slotless && b->has_listed && (v == NULL || !v->places[b->index].listed);
}

static enum sched_answer
ask(const struct backend *b, const char *model, const struct variant *v, bool slotless)
{
	bool allowed = v != NULL ? v->places[b->index].allowed : backend_allows(b, model);

	if (!allowed || lacks(b, v, slotless))
		return SCHED_UNKNOWN_MODEL;
	return b->health == BACKEND_DOWN ? SCHED_NO_BACKEND : SCHED_QUEUED;
}

enum sched_answer
outlook_of(const struct fleet *f, const char *model, const struct variant *v, bool slotless,
           const struct backend *only)
{
	enum sched_answer best = f->count == 0 ? SCHED_NO_BACKEND : SCHED_UNKNOWN_MODEL;

	for (size_t i = 0; i < f->count; i++) {
		const struct backend *b = f->backends[i];
		enum sched_answer answer;

		if (only != NULL && only != b)
			continue;
		answer = ask(b, model, v, slotless);
		if (answer == SCHED_QUEUED)
			return SCHED_QUEUED;
		if (answer == SCHED_NO_BACKEND)
			best = SCHED_NO_BACKEND;
	}
	return best;
}
