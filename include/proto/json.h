/*
 * A strict, incremental JSON scanner (RFC 8259) that builds no tree and takes
 * bytes in pieces of any size, with a constant amount of memory.
 *
 * It reports tokens to a callback; texts are decoded and point into the piece
 * where they can, so that skipping a long string costs the caller nothing. It
 * refuses what readers disagree on: invalid UTF-8, raw control characters, a NUL
 * in a key, numbers like 01, anything after the value. A lone surrogate becomes
 * U+FFFD, as in Go's encoding/json. Bounds: nesting 128, a number of 512
 * characters, `nodes_max` values and keys.
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
	JSON_KEY_BEGIN,
	JSON_KEY_PIECE, /* decoded UTF-8 of a key or string, never empty; an empty one has none */
	JSON_KEY_END,
	JSON_STRING_BEGIN,
	JSON_STRING_PIECE,
	JSON_STRING_END,
	JSON_NUMBER, /* its text */
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

struct json_scanner;

/* `text`: of pieces and numbers, valid during the call. `offset`: of the first byte of the token
 * in the whole input, for *_END just past the token. False stops the scan: the callback keeps its
 * own reason. */
typedef bool (*json_callback)(enum json_event event, struct str text, uint64_t offset, void *arg);

struct json_scanner *json_scanner_create(json_callback cb, void *arg, uint64_t nodes_max);
void json_scanner_destroy(struct json_scanner **s);
/* Begins anew, with the same callback: for records that come by the thousand. */
void json_scanner_restart(struct json_scanner *s, uint64_t nodes_max);
/* How many objects and arrays stand around the key or value that the current event tells of: 0
 * for the outermost value, at its *_BEGIN as at its *_END, 1 for its members. */
int json_scanner_depth(const struct json_scanner *s);
/* False once it is refused; json_scanner_why says why, with the offset. */
bool json_scanner_feed(struct json_scanner *s, struct str bytes);
/* No more bytes: whether exactly one value was there. */
bool json_scanner_end(struct json_scanner *s);
/* A sentence for the client; "" when nothing was refused, or the callback refused it. */
const char *json_scanner_why(const struct json_scanner *s);

#endif
