/*
 * `drover usage`: who used what of a running drover, asked of its admin API.
 */
#ifndef APP_USAGE_COMMAND_H
#define APP_USAGE_COMMAND_H

#include "conf/call.h"

/* A table on standard output. Returns the exit status: 0; 1 when there is no answer, or not that
 * one; 2 for an address that cannot be meant. */
int usage_command_run(const struct settings_call *call);

#endif
