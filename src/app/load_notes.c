/* Notes on models, as loads have shown them. */
#include "app/load_notes.h"

#include "base/mem.h"

#include <stdlib.h>

struct note {
	bool embeds;
	struct load_failure failure; /* message NULL: it did not fail */
};

void
load_notes_finish(struct load_notes *n)
{
	MAP_FOR_EACH (it, &n->by_model) {
		free(((struct note *)it.value)->failure.message);
		free(it.value);
	}
	map_finish(&n->by_model);
}

static struct note *
get(struct load_notes *n, const char *model)
{
	struct note *note = map_find(&n->by_model, model);

	if (note == NULL) {
		note = NEW(struct note);
		map_put(&n->by_model, model, note);
	}
	return note;
}

static void
forget_failure(struct note *note)
{
	free(note->failure.message);
	note->failure.message = NULL;
}

void
load_notes_saw_success(struct load_notes *n, const char *model, bool embeds)
{
	struct note *note = get(n, model);

	note->embeds = embeds;
	forget_failure(note);
}

void
load_notes_saw_failure(struct load_notes *n, const char *model, int status, const char *message)
{
	struct note *note = get(n, model);

	forget_failure(note);
	note->failure = (struct load_failure){status, mem_strdup(message)};
}

bool
load_notes_embeds(const struct load_notes *n, const char *model)
{
	const struct note *note = map_find(&n->by_model, model);

	return note != NULL && note->embeds;
}

const struct load_failure *
load_notes_find_failure(const struct load_notes *n, const char *model)
{
	const struct note *note = map_find(&n->by_model, model);

	return note != NULL && note->failure.message != NULL ? &note->failure : NULL;
}
