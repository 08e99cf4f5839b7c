/*
 * The start of a program that takes the place of another one (app/handover.h). Until that one has
 * given it the files of the state folder, it accepts no connection.
 */
#ifndef APP_TAKEOVER_H
#define APP_TAKEOVER_H

#include "base/buf.h"
#include "io/sockets.h"

#include <stdbool.h>

struct gateway;
struct takeover;

/* Before anything else is read of the environment. `*end` gets the link to the former program,
 * -1: there is none. False: `why` says what went wrong with it. */
bool takeover_find(struct sockets *given, int *end, struct buf *why);
/* Takes `end` over. `on_serving` is called once the gateway serves. */
struct takeover *takeover_create(struct gateway *g, int end, void (*on_serving)(void *arg),
                                 void *arg);
/* NULL is allowed. */
void takeover_destroy(struct takeover **t);

#endif
