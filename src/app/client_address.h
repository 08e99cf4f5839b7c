/*
 * Where a request comes from: the address at the other end, or, where that is a proxy
 * that is trusted, the one that it tells of.
 */
#ifndef APP_CLIENT_ADDRESS_H
#define APP_CLIENT_ADDRESS_H

#include "base/net.h"
#include "conf/settings.h"
#include "proto/http.h"

#include <stdbool.h>
#include <stddef.h>

struct trust {
	struct net *nets; /* owned */
	size_t count;
	bool sockets; /* whoever comes over a unix socket */
};

void trust_init(struct trust *t, const struct text_list *proxies);
void trust_finish(struct trust *t);

struct client_address {
	bool is_socket;    /* else `net` tells it */
	bool is_forwarded; /* a trusted proxy told it */
	bool is_local;     /* of this machine, and not by way of a proxy that may serve others */
	struct net net;
};

/* `peer` as front_req_peer has it. Of X-Forwarded-For the last address counts that is no trusted
 * proxy's own: what stands before it anybody may have written. */
struct client_address client_address_of(const struct trust *t, const char *peer,
                                        const struct http_head *head);

#endif
