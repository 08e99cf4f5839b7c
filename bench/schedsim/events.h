/*
 * What is to happen, in the order of time; what is due at the same time happens in the order
 * in which it was planned. Nothing is ever taken back: an event that came to nothing finds
 * that out by its tag.
 */
#ifndef SCHEDSIM_EVENTS_H
#define SCHEDSIM_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event {
	int64_t at_us;
	uint64_t order;
	void (*run)(void *arg, uint64_t tag);
	void *arg;
	uint64_t tag;
};

struct events {
	struct event *heap; /* owned */
	size_t count;
	size_t room;
	uint64_t next_order;
	uint64_t handled;
	int64_t now_us;
};

void events_finish(struct events *e);
void events_plan(struct events *e, int64_t at_us, void (*run)(void *, uint64_t), void *arg,
                 uint64_t tag);
/* Moves the clock to the next event and runs it; false when there is none. */
bool events_run_next(struct events *e);

#endif
