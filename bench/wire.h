/*
 * What the two ends of a benchmark share: raw sockets on loopback and epoll.
 * Both ends must be much cheaper than the gateway between them, so they know
 * just as much HTTP as they need. What fails here ends the program.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

_Noreturn void wire_die(const char *what);
/* Listens on 127.0.0.1; `port` 0 takes a free one. Returns the socket, sets the port. */
int wire_listen(int *port);
/* A connected socket, not blocking and without Nagle's delay. */
int wire_connect(int port);
/* -1 where no connection is waiting. */
int wire_accept(int listener);
/* `op` is EPOLL_CTL_ADD or _MOD; `tag` comes back with the event. */
void wire_watch(int epoll, int op, int fd, uint32_t events, void *tag);
/* Length of a head with its blank line, 0 while it is not whole. */
size_t wire_head_len(const char *data, size_t len);
/* Decimal text as a number in a range, or the program ends with usage. */
int wire_number(const char *option, const char *text, int least, int most);

#endif
