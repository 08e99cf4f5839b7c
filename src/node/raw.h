/*
 * The descriptor under a request, for faults that no HTTP server would make on
 * purpose. The front end does not show it, so it is found among the process's
 * own by the address of the peer.
 */
#ifndef NODE_RAW_H
#define NODE_RAW_H

#include "io/front.h"

/* Puts bytes on the wire as they are; what was flushed before must have left. False when it
 * cannot. */
bool raw_send(const struct front_req *r, struct str bytes);
/* Closing the connection will send RST. */
bool raw_reset_on_close(const struct front_req *r);

#endif
