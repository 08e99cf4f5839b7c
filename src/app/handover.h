/*
 * What a program and the one that takes its place say to each other over their link (io/link.h).
 *
 *   old  socket USE CHOSEN ADDRESS   with a descriptor, for each listening socket
 *   old  sockets-end
 *   new  prepared                    it knows its nodes, and could serve
 *   old  drained NAME                for each node that an operator has drained
 *   old  state                       the files of the state folder are closed
 *   new  ready                       it has opened them, and accepts
 *   old  usage HOUR NUMBER...        what it still counts, until it ends
 *
 * Until `ready` the old one serves. If the new one ends before, or takes too long, nothing has
 * happened: the old one opens its files again.
 */
#ifndef APP_HANDOVER_H
#define APP_HANDOVER_H

#include "base/buf.h"
#include "base/str.h"
#include "core/tally.h"
#include "io/sockets.h"

#include <stdbool.h>

/* Names the descriptor of the new program's end of the link. */
#define HANDOVER_VARIABLE    "DROVER_HANDOVER"

#define HANDOVER_SOCKETS_END "sockets-end"
#define HANDOVER_PREPARED    "prepared"
#define HANDOVER_STATE       "state"
#define HANDOVER_READY       "ready"

void handover_add_socket(const struct sockets_item *item, struct buf *out);
/* False: it is another message. `address` is of a socket, with a NUL behind it. */
bool handover_read_socket(struct str message, struct sockets_item *item);
void handover_add_drained(const char *name, struct buf *out);
/* False: it is another message. */
bool handover_read_drained(struct str message, struct str *name);
void handover_add_usage(const struct tally_row *row, struct buf *out);
/* False: it is another message. Calls `fn` once. */
bool handover_read_usage(struct str message, tally_fn fn, void *arg);

#endif
