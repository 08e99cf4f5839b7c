/* ${NAME} in the texts of a file, and the environment that it stands for. */
#ifndef CONF_EXPAND_H
#define CONF_EXPAND_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

/* The value of a variable; NULL: it is not set. `environment` ends with NULL. */
const char *environment_find(char *const *environment, struct str name);
/* `text` with each ${NAME} replaced; $${ stands for ${ itself. False: `why` says which one is not
 * set or not closed. */
bool expand_text(const char *text, char *const *environment, struct buf *out, struct buf *why);
/* Adds `text` so that expand_text gives it back. */
void expand_add_escaped(const char *text, struct buf *out);

#endif
