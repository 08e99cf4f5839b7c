/*
 * Listening sockets that the program was given when it started: by systemd, or by the program
 * whose place it takes.
 *
 * The service manager's are chosen by it: they stand instead of the addresses that are configured.
 * The former program's are those of its configuration, and serve where the new one names the same
 * address.
 *
 * Owner: who created it; a socket that was taken is the taker's. What was taken is remembered.
 */
#ifndef IO_SOCKETS_H
#define IO_SOCKETS_H

#include "base/buf.h"

#include <stdbool.h>

struct sockets;

enum sockets_use { SOCKETS_FRONT, SOCKETS_ADMIN };

struct sockets_item {
	enum sockets_use use;
	bool chosen;         /* by the service manager */
	const char *address; /* as it is, or was, configured */
};

struct sockets *sockets_create(void);
/* Closes what nobody took. NULL is allowed. */
void sockets_destroy(struct sockets **s);
/* Takes `fd` over; copies the address. */
void sockets_add(struct sockets *s, const struct sockets_item *item, int fd);
/* The next that was given for this address, or -1. */
int sockets_take(struct sockets *s, enum sockets_use use, const char *address);
bool sockets_are_chosen(const struct sockets *s, enum sockets_use use);
/* Whether or not they were taken. */
void sockets_for_each(const struct sockets *s,
                      void (*fn)(const struct sockets_item *item, void *arg), void *arg);
/* Where a socket listens: "127.0.0.1:8080", "[::1]:8080", "unix:/path", "unix:@abstract". False:
 * it is no listening socket. */
bool sockets_add_address(int fd, struct buf *out);

#endif
