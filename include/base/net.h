/*
 * Addresses and networks of both versions of IP, as numbers: texts of one address
 * can differ.
 */
#ifndef BASE_NET_H
#define BASE_NET_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

struct net {
	unsigned char bytes[16]; /* of version 4: as ::ffff:a.b.c.d */
	int bits;                /* of them that count; 128: one address */
};

/* "10.0.0.5", "fd00::1" or "[fd00::1]". */
bool net_parse_address(struct str text, struct net *out);
/* The same, or a network: "10.0.0.0/8". Bits beyond its length must be zero. */
bool net_parse(struct str text, struct net *out);
bool net_has(const struct net *n, const struct net *address);
/* 127.0.0.0/8 or ::1. */
bool net_is_loopback(const struct net *address);
void net_add(const struct net *address, struct buf *out);
/* What of an address is one client's: of version 6 the first 64 bits, since whoever has one address
 * has all of them; of version 4 all. Adds it as text. */
void net_add_client(const struct net *address, struct buf *out);

#endif
