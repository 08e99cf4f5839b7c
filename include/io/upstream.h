/*
 * One node's address and its connections: name resolution with every address
 * tried, plain or TLS, a pool of idle connections that are kept alive.
 *
 * io/exchange.h is the only user of its connections.
 */
#ifndef IO_UPSTREAM_H
#define IO_UPSTREAM_H

#include "base/buf.h"
#include "io/loop.h"

#include <stdbool.h>
#include <stdint.h>

struct upstream;

struct upstream_conf {
	const char *url;     /* http://host:port or https://host; a path is a prefix of every target */
	const char *api_key; /* NULL: none; else sent as bearer */
	const char *tls_ca;  /* NULL: the system's */
	bool tls_verify;
	int64_t connect_ms; /* over all addresses, TLS included */
	int idle_max;       /* idle connections kept */
};

/* NULL: `why` says what is wrong with the configuration. */
struct upstream *upstream_create(struct loop *l, const struct upstream_conf *conf, struct buf *why);
/* No exchange may be running on it. */
void upstream_destroy(struct upstream **u);
/* Whether that would make the same, what is in files aside. */
bool upstream_is_made_of(const struct upstream *u, const struct upstream_conf *conf);
/* From now on `u` is what `from` was made as, of the same url; what runs on it goes on. Nulls
 * `from`, of which nothing was asked yet. */
void upstream_take_over(struct upstream *u, struct upstream **from);
/* Nothing more will be asked but what is under way: no connection is kept. */
void upstream_rest(struct upstream *u);
/* "host:port" as it stands in Host, where the scheme's own port is left out. */
const char *upstream_host(const struct upstream *u);
int upstream_idle(const struct upstream *u);

#endif
