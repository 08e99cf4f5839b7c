/*
 * `drover --demo`: two simulated nodes in the process, so that there is something
 * to put the gateway in front of.
 */
#ifndef APP_DEMO_H
#define APP_DEMO_H

#include "base/buf.h"
#include "conf/settings.h"
#include "io/loop.h"

struct demo;

/* Starts the nodes on free ports of loopback. NULL: `why` says why. */
struct demo *demo_create(struct loop *l, struct buf *why);
/* Adds them to the backends. */
void demo_announce(const struct demo *d, struct settings *s);
void demo_destroy(struct demo **d);

#endif
