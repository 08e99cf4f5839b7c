/*
 * Names of models as Ollama compares them: without regard to case, `:latest`
 * where no tag is given, the default registry and namespace left out.
 */
#ifndef PROTO_MODEL_NAME_H
#define PROTO_MODEL_NAME_H

#include "base/str.h"

#include <stdbool.h>

enum { MODEL_NAME_MAX = 512 };

/* Writes the canonical name; false when it is empty, too long or has a control character. */
bool model_name_canonical(struct str name, char out[MODEL_NAME_MAX]);
/* A remote model (":cloud" or "-cloud" at the end) that needs no local slot. */
bool model_name_is_cloud(const char *canonical);

#endif
