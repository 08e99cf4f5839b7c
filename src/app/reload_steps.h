/* Another configuration in the place of the one in force. What each part does is a row of the table
 * in reload_steps.c. */
#ifndef APP_RELOAD_STEPS_H
#define APP_RELOAD_STEPS_H

#include "base/buf.h"
#include "conf/settings.h"

#include <stdbool.h>

struct gateway;

/* All or nothing: what can fail is made before anything changes. Takes over what the settings own.
 * False: `why` says what is wrong. */
bool reload_put_in_force(struct gateway *g, struct settings *after, struct buf *why);

#endif
