/*
 * Finds the entries of a listing in the bytes of an answer.
 */
#ifndef PROTO_LISTING_SCAN_H
#define PROTO_LISTING_SCAN_H

#include "base/str.h"
#include "proto/model_name.h"

#include <stdbool.h>
#include <stdint.h>

/* The keys of one kind of listing. */
struct listing_shape {
	const char *list;     /* of the array, at the top */
	const char *name;     /* of the model's name, in an entry */
	const char *again;    /* which has the name once more; NULL: nothing does */
	const char *modified; /* of the time it was modified, RFC 3339 or Unix seconds */
};

/* Texts that say the name, of an entry. */
enum { LISTING_NAMES_MAX = 2 };

struct listing_entry {
	struct str raw;                     /* the object, braces included; points into the body */
	struct str said[LISTING_NAMES_MAX]; /* its names, quotes included, by place; ptr NULL: none */
	char name[MODEL_NAME_MAX];          /* canonical; "" when it has none, or an invalid one */
	int64_t modified_s;                 /* Unix time; INT64_MIN when unknown */
	int64_t context_length;             /* of a loaded model; 0: not said */
	int64_t trained_length;             /* "context_length" of its details; 0: not said */
	uint64_t digest;                    /* a hash of its digest; 0: it has none */
	bool has_backend;                   /* a gateway behind this one has named its own */
};

/* Calls `fn` for each entry that is an object. False: the body is no such listing, or has more
 * than 10,000 entries. */
bool listing_scan(struct str body, const struct listing_shape *shape,
                  void (*fn)(const struct listing_entry *, void *arg), void *arg);
/* Copies the text of the member `key` at the top; false when there is none that fits. */
bool listing_scan_text(struct str body, const char *key, char *out, size_t size);

#endif
