/*
 * `drover warm --prompts FILE`: asks a running drover what is in a list, so that the answers are
 * kept before anybody wants them.
 */
#ifndef APP_PROMPTS_COMMAND_H
#define APP_PROMPTS_COMMAND_H

#include "conf/call.h"

/* A few at a time, in the lowest class. What fails is told on standard error as FILE:LINE:
 * MESSAGE, the sum on standard output. Returns the exit status: 0 when all were answered, 1 when
 * one was not, 2 for an address or a file that cannot be meant. */
int prompts_command_run(const struct settings_call *call);

#endif
