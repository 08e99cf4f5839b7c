/*
 * What is known of models from loading them: which cannot generate, and how the last load
 * failed. Models are named canonically; only those that a node lists are ever loaded, so the
 * notes are bounded by what nodes list.
 */
#ifndef APP_LOAD_NOTES_H
#define APP_LOAD_NOTES_H

#include "base/map.h"

#include <stdbool.h>

struct load_notes {
	struct map by_model; /* of struct note, owned */
};

/* What a node said when a model could not be loaded. */
struct load_failure {
	int status;
	char *message; /* owned by the notes */
};

/* Zeroed is empty. */
void load_notes_finish(struct load_notes *n);
/* `embeds`: by an embed, since it cannot generate. */
void load_notes_saw_success(struct load_notes *n, const char *model, bool embeds);
void load_notes_saw_failure(struct load_notes *n, const char *model, int status,
                            const char *message);
bool load_notes_embeds(const struct load_notes *n, const char *model);
/* NULL: the last load did not fail. Valid until the next failure or success. */
const struct load_failure *load_notes_find_failure(const struct load_notes *n, const char *model);

#endif
