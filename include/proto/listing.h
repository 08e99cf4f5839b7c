/*
 * What nodes list: /api/tags, /api/ps, /api/version, /v1/models, read from whole
 * answers, and merged into one answer. Entries are copied byte for byte, so that
 * what a newer Ollama adds to them comes through.
 */
#ifndef PROTO_LISTING_H
#define PROTO_LISTING_H

#include "base/buf.h"
#include "base/str.h"
#include "proto/model_name.h"

#include <stdbool.h>
#include <stddef.h>

struct listing_model {
	const char *name;       /* canonical (proto/model_name.h) */
	int64_t context_length; /* that it is loaded with, in /api/ps of newer servers; 0: not said */
	uint64_t digest;        /* a hash of its digest; 0: not said */
	int64_t trained_length; /* the longest context it can have, in /api/tags of newer servers; 0:
	                           not said */
};

/* Calls `fn` for each model of a /api/tags or /api/ps body that has a valid name. False: it is no
 * such body; forget what `fn` was told. */
bool listing_read_models(struct str body, void (*fn)(const struct listing_model *, void *arg),
                         void *arg);
/* False when there is no "version" text, or it is longer than fits. */
bool listing_read_version(struct str body, char *out, size_t size);
/* <0, 0, >0 like strcmp, by the numbers of "0.12.3-rc1", which is older than "0.12.3". */
int listing_compare_versions(const char *a, const char *b);

/* One node's answer, for merging. */
struct listing_part {
	const char *backend;
	struct str body;
	const void *source; /* for listing_view.shows */
};

/* Another name of a model. */
struct listing_alias {
	const char *name;               /* as it is listed */
	char canonical[MODEL_NAME_MAX]; /* a model of that name is hidden by it */
	char model[MODEL_NAME_MAX];     /* canonical: what it stands for */
};

/* What is to be seen of the parts. */
struct listing_view {
	bool (*shows)(const struct listing_part *part, const char *model, void *arg); /* NULL: all */
	void *arg;
	const struct listing_alias *aliases;
	size_t alias_count;
};

/* The union, most recently modified first as Ollama has it: a model that several nodes have is
 * listed once, as the node that modified it last lists it, or else the first one. Parts that are
 * no such body are left out. A model is followed by its aliases: the same entry under their names.
 */
void listing_merge_tags(const struct listing_part *parts, size_t count,
                        const struct listing_view *view, struct buf *out);
void listing_merge_v1_models(const struct listing_part *parts, size_t count,
                             const struct listing_view *view, struct buf *out);
/* All entries, in the order of the parts, each with "backend"; under their own names. */
void listing_merge_ps(const struct listing_part *parts, size_t count,
                      const struct listing_view *view, struct buf *out);

#endif
