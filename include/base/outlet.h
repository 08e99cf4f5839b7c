/*
 * Writing where a reader may stand still: a pipe, a terminal, the service manager's socket. A plain
 * write would wait for it, and the loop with it.
 */
#ifndef BASE_OUTLET_H
#define BASE_OUTLET_H

#include "base/str.h"

/* How much of it was written; lines of up to 4 KiB arrive whole or not at all. Less than all: there
 * is no room and `wait_ms` did not bring any, or it failed, of a full disk for instance. */
size_t outlet_write(int fd, struct str data, int wait_ms);

#endif
