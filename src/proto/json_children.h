/*
 * What stands in an object or an array, one level of it, as slices of the text.
 */
#ifndef PROTO_JSON_CHILDREN_H
#define PROTO_JSON_CHILDREN_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

enum { JSON_CHILDREN_MAX = 40 };

struct json_child {
	struct str key;   /* as written, without the quotes; ptr NULL in an array */
	struct str value; /* as written */
};

struct json_children {
	struct json_child items[JSON_CHILDREN_MAX];
	int count;
	bool object;
};

/* False: no object or array, invalid JSON, or more than JSON_CHILDREN_MAX. */
bool json_children_read(struct json_children *c, struct str text);
/* The value of the last member of that name; ptr NULL where there is none. */
struct str json_children_find(const struct json_children *c, const char *key);

/* Of a value as written, which may have a NULL ptr: */
bool json_is_null(struct str value); /* or not there */
bool json_is_string(struct str value);
/* Of a string, array or object: without its quotes or brackets and the white space next to these.
 */
struct str json_inside(struct str value);
/* Adds "key":value, behind a comma unless a bracket stands before. */
void json_add_member(struct buf *out, struct str key, struct str value);

#endif
