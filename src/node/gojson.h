/*
 * JSON as Go's encoding/json reads and writes it, since that is what Ollama's
 * clients see: `<`, `>` and `&` are escaped, the shortest decimal that reads
 * back is written, keys match in any case and the last of a duplicate wins.
 *
 * Reading is on cJSON trees, on purpose another reader than the gateway's own
 * scanner: where the two disagree, a test against this node shows it.
 */
#ifndef NODE_GOJSON_H
#define NODE_GOJSON_H

#include "base/buf.h"
#include "base/str.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

enum { GOJSON_NUMBER_MAX = 32 };

/* The text with quotes around it. */
void gojson_add_string(struct buf *out, struct str text);
/* The same without the quotes. */
void gojson_add_escaped(struct buf *out, struct str text);
/* A tree, compact, with the keys in the order of the tree. */
void gojson_add_tree(struct buf *out, const cJSON *tree);
/* The same as a Go map would be written: the keys sorted, at every depth. */
void gojson_add_map(struct buf *out, const cJSON *tree);
/* Far cheaper than printf, where there are hundreds of them in an answer. */
void gojson_add_int(struct buf *out, int64_t value);
size_t gojson_format_float32(char out[GOJSON_NUMBER_MAX], float value);
size_t gojson_format_float64(char out[GOJSON_NUMBER_MAX], double value);
/* RFC 3339 in UTC, the fraction without trailing zeros, no quotes. */
void gojson_add_time(struct buf *out, int64_t unix_ns);

/* One value, whatever follows it. NULL: no JSON, `why` says what Go would say. */
cJSON *gojson_parse(struct str text, struct buf *why);
/* The last value under `key`, in any case of letters, that is not null; NULL when there is none. */
const cJSON *gojson_get(const cJSON *object, const char *key);
/* "" when missing or of another type. */
const char *gojson_text(const cJSON *object, const char *key);
bool gojson_bool(const cJSON *object, const char *key, bool fallback);
int64_t gojson_int(const cJSON *object, const char *key, int64_t fallback);

/* The value itself when it is a list; else NULL, which has no elements. */
const cJSON *gojson_list(const cJSON *value);

/* How Go names the kind of a value in its complaints. */
const char *gojson_type_name(const cJSON *value);

enum gojson_type { GOJSON_TEXT, GOJSON_BOOL, GOJSON_INT, GOJSON_FLOAT, GOJSON_LIST, GOJSON_OBJECT };

struct gojson_field {
	const char *key;
	enum gojson_type type;
	const char *go_type; /* how Go names the type in its complaint */
};

/* Whether every field that is there has its type; else `why` is Go's complaint about the first
 * that has not. `owner` is the name of the Go struct. */
bool gojson_check(const cJSON *object, const char *owner, const struct gojson_field *fields,
                  size_t count, struct buf *why);

#endif
