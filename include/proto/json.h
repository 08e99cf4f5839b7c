/*
 * A strict, incremental JSON scanner (RFC 8259) that builds no tree and takes
 * bytes in pieces of any size, with a constant amount of memory.
 *
 * It reports tokens to a callback. It refuses what readers disagree on: invalid
 * UTF-8, raw control characters, lone surrogates are passed as they stand but
 * flagged, numbers like 01, anything after the value. Bounds: nesting 128, a
 * number of 512 characters, `nodes_max` values and keys.
 */
#ifndef PROTO_JSON_H
#define PROTO_JSON_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 128, JSON_NUMBER_MAX = 512 };

enum json_event {
	JSON_OBJECT_BEGIN,
	JSON_OBJECT_END,
	JSON_ARRAY_BEGIN,
	JSON_ARRAY_END,
	JSON_KEY_PIECE, /* decoded UTF-8 of a key or string, in pieces */
	JSON_KEY_END,
	JSON_STRING_PIECE,
	JSON_STRING_END,
	JSON_NUMBER, /* its text */
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

struct json_scanner;

/* `text`: for pieces and numbers. `offset`: of the first byte of the token in the whole input
 * (for *_END: just past it). False stops the scan: the callback keeps its own reason. */
typedef bool (*json_callback)(enum json_event event, struct str text, uint64_t offset, void *arg);

struct json_scanner *json_scanner_create(json_callback cb, void *arg, uint64_t nodes_max);
void json_scanner_destroy(struct json_scanner **s);
/* Depth of nesting at the current event: 1 inside the outermost object. */
int json_scanner_depth(const struct json_scanner *s);
/* False once it is refused; json_scanner_why says why, with the offset. */
bool json_scanner_feed(struct json_scanner *s, struct str bytes);
/* No more bytes: whether exactly one value was there. */
bool json_scanner_end(struct json_scanner *s);
const char *json_scanner_why(const struct json_scanner *s);

#endif
