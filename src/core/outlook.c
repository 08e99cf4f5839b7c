/* The outlook of a request: wait, or be told at once why not. */
#include "outlook.h"

#include "node.h"

#include <stdlib.h>

static bool
lacks(const struct backend *b, const struct variant *v, bool slotless)
{
	return !slotless && b->has_listed && (v == NULL || !v->places[b->index].listed);
}

static bool
cannot_load(const struct backend *b, const struct variant *v, bool slotless, int64_t now_ms)
{
	const struct place *p;

	if (slotless || v == NULL)
		return false;
	p = &v->places[b->index];
	/* What is leaving is no use to who comes now. */
	return (p->residency == ABSENT || p->residency == LEAVING) && now_ms < p->quarantine_end_ms;
}

static enum sched_answer
ask(const struct backend *b, const char *model, const struct variant *v, bool slotless,
    int64_t now_ms)
{
	bool allowed = v != NULL ? v->places[b->index].allowed : backend_allows(b, model);

	if (!allowed || lacks(b, v, slotless))
		return SCHED_UNKNOWN_MODEL;
	if (b->given_up)
		return SCHED_NO_BACKEND;
	return cannot_load(b, v, slotless, now_ms) ? SCHED_LOAD_FAILED : SCHED_QUEUED;
}

/* Of several reasons the one that tells most. */
static int
worth(enum sched_answer a)
{
	switch (a) {
	case SCHED_UNKNOWN_MODEL: return 0;
	case SCHED_NO_BACKEND: return 1;
	case SCHED_LOAD_FAILED: return 2;
	case SCHED_QUEUED: return 3;
	case SCHED_FULL:
	case SCHED_TOO_LATE: break;
	}
	abort();
}

enum sched_answer
outlook_of(const struct fleet *f, const char *model, const struct variant *v, bool slotless,
           const struct backend *only, int64_t now_ms)
{
	enum sched_answer best = f->count == f->retired || (only != NULL && only->retired)
	                             ? SCHED_NO_BACKEND
	                             : SCHED_UNKNOWN_MODEL;

	for (size_t i = 0; i < f->count && best != SCHED_QUEUED; i++) {
		const struct backend *b = f->backends[i];
		enum sched_answer answer;

		if (b->retired || (only != NULL && only != b))
			continue;
		answer = ask(b, model, v, slotless, now_ms);
		if (worth(answer) > worth(best))
			best = answer;
	}
	return best;
}
