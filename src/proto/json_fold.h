/*
 * Keys as Go's encoding/json matches them with the fields of a struct: by Unicode
 * simple folding. Of the characters outside of ASCII only two fold to an ASCII
 * letter, U+017F to s and U+212A to k, and all fields are written in ASCII.
 */
#ifndef PROTO_JSON_FOLD_H
#define PROTO_JSON_FOLD_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether Go takes `written` for `name`, which is in lower case. */
bool json_folds_to(struct str written, const char *name);
/* Below, at or above 0; 0 for keys that can be the same field. */
int json_fold_compare(struct str a, struct str b);
/* The beginning of what it folds to, as a number. Where two differ, keys compare as they do. */
uint64_t json_fold_first(struct str a);

#endif
