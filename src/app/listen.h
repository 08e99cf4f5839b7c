/*
 * Where the gateway listens: the addresses of the settings, with sockets that it was given at its
 * start.
 */
#ifndef APP_LISTEN_H
#define APP_LISTEN_H

#include "conf/settings.h"
#include "io/front.h"
#include "io/sockets.h"

#include <stdbool.h>

/* The service manager's addresses take the place of the configured ones. False: the admin API
 * would be open to others, and `why` says so. */
bool listen_override(struct settings *s, const struct sockets *given, struct buf *why);
/* At a socket that was given for this address, or else at a new one. */
bool listen_at(struct front *f, struct sockets *given, enum sockets_use use, const char *address,
               struct buf *why);

#endif
