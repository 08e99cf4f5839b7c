/*
 * Names that stand for the same model: Ollama's names that share their weights share a runner
 * (OLLAMA.md), so what is loaded by one name is loaded for the others. Two names are twins where
 * every node lists both with one digest, or neither. The scheduler knows them by one of them,
 * their elder, which any of these nodes understands.
 */
#ifndef CORE_TWINS_PRIVATE_H
#define CORE_TWINS_PRIVATE_H

#include "base/map.h"

#include <stdbool.h>

struct fleet;

struct twins {
	struct map elders; /* of names, owned, by the name of each younger twin */
};

void twins_finish(struct twins *t);
/* The name itself where it has no elder. */
const char *twins_elder(const struct twins *t, const char *name);
/* By what the nodes list now. False: nothing changed. */
bool twins_review(struct twins *t, const struct fleet *f);

#endif
