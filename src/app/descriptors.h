/*
 * How many files and sockets this process may have open, and how many of those its clients.
 *
 * A connection of a client that the gateway can do nothing for is worth nothing: so that nodes can
 * be reached however many clients there are, those wait in the kernel's queue instead.
 */
#ifndef APP_DESCRIPTORS_H
#define APP_DESCRIPTORS_H

#include "conf/settings.h"

/* As many as the system lets this process have. */
void descriptors_raise(void);
/* Connections of clients at once: max_connections, or less where there are not so many. */
int descriptors_for_clients(const struct settings *s);
/* Says so where it is less. */
void descriptors_log(const struct settings *s);

#endif
