/*
 * What is chosen at random by weight: models, keys, classes. A text and its
 * weight are written "TEXT=WEIGHT"; without a weight it has 1.
 */
#ifndef LOAD_MIX_H
#define LOAD_MIX_H

#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>

struct mix {
	char **texts;    /* owned, each too */
	double *weights; /* owned */
	size_t count;
};

void mix_finish(struct mix *m);
/* What follows the last '=' is a weight where it is a number above 0, else part of the text.
 * False: the text is empty. */
bool mix_add(struct mix *m, const char *text);
/* An index; 0 for an empty one. */
size_t mix_choose(const struct mix *m, struct rng *rng);
/* -1: it is not there. */
int mix_find(const struct mix *m, const char *text, size_t len);

#endif
