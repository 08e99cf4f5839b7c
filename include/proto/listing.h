/*
 * What nodes list: /api/tags, /api/ps, /api/version, /v1/models, read with cJSON
 * from answers of bounded size, and merged into one answer.
 */
#ifndef PROTO_LISTING_H
#define PROTO_LISTING_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct listing_model {
	const char *name;      /* canonical (proto/model_name.h) */
	const char *digest;    /* "" when the node gave none */
	int64_t expires_in_ms; /* of /api/ps; 0 when unknown */
};

/* Calls `fn` for each model of a /api/tags or /api/ps body. False: it is no such body. */
bool listing_read_models(struct str body, void (*fn)(const struct listing_model *, void *arg),
                         void *arg);
/* False when there is no "version" text. */
bool listing_read_version(struct str body, char *out, size_t size);
/* <0, 0, >0 like strcmp, by the numbers of "0.12.3-rc1". */
int listing_compare_versions(const char *a, const char *b);

/* One node's answer, for merging. */
struct listing_part {
	const char *backend;
	struct str body;
};

/* The union: a model that several nodes have is listed once, from the first part (later ones
 * only when newer modified_at). Parts that are no such body are left out. */
void listing_merge_tags(const struct listing_part *parts, size_t count, struct buf *out);
void listing_merge_v1_models(const struct listing_part *parts, size_t count, struct buf *out);
/* All entries, each with "backend". */
void listing_merge_ps(const struct listing_part *parts, size_t count, struct buf *out);

#endif
