/*
 * `drover warm MODEL...`: asks a running drover, by its admin API, to load models.
 */
#ifndef APP_WARM_COMMAND_H
#define APP_WARM_COMMAND_H

#include "conf/call.h"

/* One model after another; a line for each step on standard output, failures on standard error.
 * Returns the exit status: 0 when all are loaded, 1 when one could not be, 2 for an address that
 * cannot be meant. */
int warm_command_run(const struct settings_call *call);

#endif
