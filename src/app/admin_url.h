/*
 * Where a running drover's admin API is, for the commands that ask it.
 */
#ifndef APP_ADMIN_URL_H
#define APP_ADMIN_URL_H

#include "base/buf.h"

#include <stdbool.h>

/* `admin` is an address as the configuration has it, or a URL. False: it can be none of an API;
 * `command` said so. */
bool admin_url_add(const char *command, const char *admin, struct buf *out);

#endif
