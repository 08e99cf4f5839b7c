/*
 * Other names for models, as the configuration gives them.
 */
#ifndef APP_ALIASES_H
#define APP_ALIASES_H

#include "base/buf.h"
#include "base/map.h"
#include "conf/settings.h"
#include "proto/listing.h"

#include <stdbool.h>

struct aliases {
	struct map models;            /* of the settings' texts, by the canonical name of the alias */
	struct listing_alias *listed; /* owned; all of them, in the order of the settings */
	size_t count;
};

/* False: `why` says which one is no name of a model. aliases_finish is needed also then. */
bool aliases_init(struct aliases *a, const struct text_map *texts, struct buf *why);
void aliases_finish(struct aliases *a);
/* What the name, as a client wrote it, stands for; NULL: it is none. */
const char *aliases_find(const struct aliases *a, const char *name);

#endif
