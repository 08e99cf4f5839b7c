/*
 * The environment: DROVER_* overrule the file, Ollama's variables count where nobody
 * said anything.
 */
#ifndef CONF_ENVIRONMENT_H
#define CONF_ENVIRONMENT_H

#include "record.h"

struct environment {
	char *const *entries; /* borrowed; "NAME=value", ends with NULL */
	char **variables;     /* owned, each too: DROVER_... of each row of settings_table */
};

/* Origins point into it: it outlives what it is applied to. */
void environment_init(struct environment *e, char *const *entries);
void environment_finish(struct environment *e);
/* NULL: not set, or empty, as it is where a shell has nothing to fill in. */
const char *environment_get(const struct environment *e, const char *variable);
void environment_apply(const struct environment *e, struct record *root, struct report *report);
/* After all other sources. Where no backend is told it adds the one of OLLAMA_HOST, unless the
 * caller brings its own (`demo`). */
void environment_apply_ollama(const struct environment *e, struct record *r, bool demo,
                              struct report *report);

#endif
