/*
 * The nodes of another configuration: those that stay, come, come back, and go.
 *
 * A node stays the same as long as its name and url do. Nothing that could go wrong is left
 * for roster_apply: what is to be made, is made by roster_prepare.
 */
#ifndef APP_ROSTER_H
#define APP_ROSTER_H

#include "base/buf.h"
#include "conf/settings.h"

#include <stdbool.h>

struct gateway;
struct roster;

/* NULL: `why` says which backend cannot be, and why. */
struct roster *roster_prepare(struct gateway *g, const struct settings *after, struct buf *why);
/* Its nodes are the gateway's now. */
void roster_apply(struct roster *r);
/* What was not applied is dropped. NULL is allowed. */
void roster_destroy(struct roster **r);

/* Nodes that left, and that nobody has in hand any more, are freed. */
void roster_sweep(struct gateway *g);

#endif
