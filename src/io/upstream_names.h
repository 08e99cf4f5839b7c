/*
 * The addresses of one node's host. Addresses once known stay in use while they
 * are looked up again, and when that fails; only after none of them took a
 * connection does a dial wait for the resolver. Private to io/upstream*.c.
 */
#ifndef IO_UPSTREAM_NAMES_H
#define IO_UPSTREAM_NAMES_H

#include "io/loop.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADDRESSES_MAX = 16 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct addresses {
	union address at[ADDRESSES_MAX];
	int count;
};

struct lookup;

struct names {
	struct loop *loop;
	const char *host;
	uint16_t port;
	struct addresses known;
	union address proven;   /* took a connection; its family is 0 before */
	bool fixed;             /* a literal address, or localhost: never looked up */
	bool doubted;           /* no known address took the last connection */
	int64_t fresh_until_ms; /* known is not looked up again before */
	int64_t patience_ms;    /* for one lookup */
	struct lookup *lookup;  /* under way; owned by its callback */
	struct timer timer;
	const char *why; /* why there is no address; a constant */
	void (*on_done)(void *arg);
	void *arg;
};

/* `on_done` is called when a lookup that names_want started has ended, never from inside it. */
void names_init(struct names *n, struct loop *l, const char *host, uint16_t port,
                int64_t patience_ms, void (*on_done)(void *arg), void *arg);
void names_finish(struct names *n);
/* True: `known` is to be used now. False: after on_done, and then whatever it says. */
bool names_want(struct names *n);
/* What a dial made of the addresses; the one that worked is tried first from then on. */
void names_worked(struct names *n, const union address *a);
void names_failed(struct names *n);

#endif
