/* A line on the terminal that says how far a run is, once a second. Elsewhere nothing. */
#ifndef LOAD_PROGRESS_H
#define LOAD_PROGRESS_H

#include "tally.h"

#include "io/loop.h"

#include <stdbool.h>

struct progress {
	struct timer timer;
	const struct tally *tally; /* borrowed */
	int64_t count;             /* requests that there will be; -1: nobody knows */
	int64_t ended_before;      /* at the last line */
	int64_t tokens_before;
	int64_t at_us;
	bool shown; /* standard error is a terminal */
};

void progress_init(struct progress *p, struct loop *l);
void progress_start(struct progress *p, const struct tally *tally, int64_t count);
/* Wipes the line. */
void progress_finish(struct progress *p);
/* What the line says at that moment. */
void progress_add_line(struct progress *p, int64_t now_us, struct buf *out);

#endif
