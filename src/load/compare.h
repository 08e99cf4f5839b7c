/* The numbers of an earlier run, from its JSON or from that of `vllm bench serve`. */
#ifndef LOAD_COMPARE_H
#define LOAD_COMPARE_H

#include "metrics.h"

#include "base/buf.h"

#include <stdbool.h>

struct comparison {
	const char *path;   /* borrowed */
	struct metrics old; /* those that the file has */
	char differs[240];  /* what was asked for otherwise then, in words; "" where nothing was */
};

/* False: `why` says what is wrong with the file. */
bool comparison_read(struct comparison *c, const char *path, const struct plan *plan,
                     struct buf *why);
/* The change in percent; false where there is none to say. */
bool comparison_change(const struct comparison *c, const struct metric *now, double *before,
                       double *percent);
/* "better", "worse", or "" where it is neither or too little to say. */
const char *comparison_verdict(const struct metric *now, double before);
/* Whether people read it: tables leave the others to the JSON. */
bool comparison_is_telling(const struct metric *m);
/* A table of what both have. */
void comparison_add_table(struct buf *out, const struct comparison *c, const struct metrics *now);

#endif
