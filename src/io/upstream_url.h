/*
 * The URL of a node: http or https, host, port, and a path that every target is
 * prefixed with. Private to io/upstream*.c.
 */
#ifndef IO_UPSTREAM_URL_H
#define IO_UPSTREAM_URL_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct upstream_url {
	bool tls;
	char *host; /* owned; an IPv6 address without its brackets */
	uint16_t port;
	char *authority; /* owned; as it stands in Host: the scheme's own port is left out */
	char *prefix;    /* owned; "" or "/path" without a slash at its end */
};

/* False: `why` says what is wrong, and nothing is to be finished. */
bool upstream_url_parse(const char *text, struct upstream_url *out, struct buf *why);
void upstream_url_finish(struct upstream_url *u);

#endif
