/*
 * The admin listener: what runs, what waits, and the few things that an operator may
 * do about it. It has a front of its own, so that none of its routes can be reached from
 * where clients come in.
 *
 * Where a key is of an administrator, such a key is needed for all but /healthz. Else it
 * listens on loopback or a unix socket alone (conf sees to it). No web page can drive it: on
 * loopback it answers to loopback's names only, which keeps out names that were made to point
 * here, and anywhere to no Origin but its own.
 */
#ifndef APP_ADMIN_H
#define APP_ADMIN_H

#include "base/buf.h"

struct admin;
struct front;
struct gateway;

/* Listens at settings.admin. NULL: `why` says why it cannot, and what would help. */
struct admin *admin_create(struct gateway *g, struct buf *why);
/* Cuts what is under way. NULL is allowed. */
void admin_destroy(struct admin **a);
struct front *admin_front(struct admin *a);
/* Other settings are in force. */
void admin_apply(struct admin *a);
/* As front_addresses. */
void admin_addresses(const struct admin *a, struct buf *out);

#endif
