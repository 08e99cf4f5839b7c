/* The queue of events: a binary heap. */
#include "events.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

static bool
is_before(const struct event *a, const struct event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

void
events_finish(struct events *e)
{
	free(e->heap);
	*e = (struct events){0};
}

void
events_plan(struct events *e, int64_t at_us, void (*run)(void *, uint64_t), void *arg, uint64_t tag)
{
	struct event it = {
	    .at_us = at_us, .order = e->next_order++, .run = run, .arg = arg, .tag = tag};
	size_t i = e->count++;

	assert(at_us >= e->now_us);
	if (e->count > e->room) {
		e->room = e->count * 2;
		e->heap = mem_realloc(e->heap, e->room * sizeof(*e->heap));
	}
	for (; i > 0 && is_before(&it, &e->heap[(i - 1) / 2]); i = (i - 1) / 2)
		e->heap[i] = e->heap[(i - 1) / 2];
	e->heap[i] = it;
}

static struct event
take_first(struct events *e)
{
	struct event first = e->heap[0], last = e->heap[--e->count];
	size_t i = 0;

	for (size_t child; (child = 2 * i + 1) < e->count; i = child) {
		if (child + 1 < e->count && is_before(&e->heap[child + 1], &e->heap[child]))
			child++;
		if (!is_before(&e->heap[child], &last))
			break;
		e->heap[i] = e->heap[child];
	}
	e->heap[i] = last;
	return first;
}

bool
events_run_next(struct events *e)
{
	struct event it;

	if (e->count == 0)
		return false;
	it = take_first(e);
	e->now_us = it.at_us;
	e->handled++;
	it.run(it.arg, it.tag);
	return true;
}
