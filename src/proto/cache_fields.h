/*
 * What the top-level fields of the bodies mean for the cache: one table for all
 * families. A field that is not in it is part of the key as it is written.
 */
#ifndef PROTO_CACHE_FIELDS_H
#define PROTO_CACHE_FIELDS_H

#include "proto/cache_key.h"

enum cache_rule {
	CACHE_KEEP,
	CACHE_SKIP, /* does not change the answer */
	CACHE_OPTIONS,
	CACHE_STREAM_OPTIONS, /* skipped, but for include_usage */
	CACHE_TEMPERATURE,
	CACHE_SEED,
	CACHE_TOOLS,
};

struct cache_field {
	const char *name; /* in lower case */
	enum cache_rule rule;
	const char *absent; /* the canonical form of what a left-out field means, besides null */
	unsigned families;  /* a bit of each enum answer_family */
};

/* NULL: not in the table. Case does not matter, as in Go. */
const struct cache_field *cache_field_find(enum answer_family family, struct str name);

#endif
