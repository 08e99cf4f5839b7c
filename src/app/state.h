/*
 * The folder of what outlives a restart.
 */
#ifndef APP_STATE_H
#define APP_STATE_H

#include "base/buf.h"
#include "conf/settings.h"

#include <stdbool.h>

/* Adds its path, and makes it where it is not there; `subject` of the log says what it is for.
 * False: nothing is to outlive a restart. */
bool state_add_folder(const struct settings *s, const char *subject, struct buf *out);

#endif
