/* An example value for a JSON schema: arguments of tools and answers with a format. */
#ifndef NODE_SCHEMA_H
#define NODE_SCHEMA_H

#include "base/buf.h"

#include <cjson/cJSON.h>
#include <stdint.h>

/* Adds a value that fits `schema`, always the same for a schema and a hash; {} when there is
 * none. Knows type, enum, const, properties, items, anyOf, minimum. */
void schema_add_example(struct buf *out, const cJSON *schema, uint64_t hash);

#endif
