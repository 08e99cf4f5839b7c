/*
 * Where everything stands in a YAML text: the tree of its keys and entries with line
 * and column.
 *
 * libcyaml loads the values, but tells no places; so the text is read a second time
 * here, event by event, for the places, and before libcyaml sees it: what could blow up
 * or be misread (aliases, tags, depth, sheer number) is refused here.
 */
#ifndef CONF_OUTLINE_H
#define CONF_OUTLINE_H

#include "base/list.h"
#include "base/map.h"
#include "base/str.h"
#include "report.h"

enum place_kind {
	PLACE_NOTHING, /* a key without a value, or null */
	PLACE_TEXT,
	PLACE_LIST,
	PLACE_MAPPING,
};

struct place {
	enum place_kind kind;
	char *key;            /* owned; NULL: no member of a mapping */
	char *text;           /* owned; of PLACE_TEXT, as written */
	struct origin at;     /* of the value */
	struct origin key_at; /* of the key */
	struct list children; /* of struct place, by link; owned */
	struct list link;
	struct map by_key; /* of a mapping's children; of equal keys the first */
	bool is_repeated;  /* its key was there before in the mapping */
};

struct outline {
	struct place *root; /* owned; NULL: the text is empty */
	size_t count;
};

/* False: `report` says why, with `file` as the name. Also then outline_finish is needed. */
bool outline_parse(struct outline *o, struct str text, const char *file, struct report *report);
void outline_finish(struct outline *o);
/* The place of "queue.size" below a mapping; NULL: there is none. */
const struct place *outline_find(const struct place *mapping, const char *path);

#endif
