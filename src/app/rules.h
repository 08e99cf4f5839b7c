/*
 * The rules of the configuration for models (`models:`). Names are canonical ones.
 */
#ifndef APP_RULES_H
#define APP_RULES_H

#include "conf/settings.h"

#include <stdint.h>

/* The first that matches; where none does, one that changes nothing. */
const struct model_settings *rules_find(const struct settings *s, const char *model);
/* How long loading it may take. */
int64_t rules_load_ms(const struct settings *s, const char *model);
/* How long it stays loaded where the gateway loads it, in seconds; -1: for ever, 0: as the node has
 * it. */
int64_t rules_keep_alive_s(const struct settings *s, const char *model);

#endif
