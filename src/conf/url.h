/*
 * Addresses as people write them: URLs of nodes, addresses to listen on, and
 * OLLAMA_HOST. Nothing is resolved here.
 */
#ifndef CONF_URL_H
#define CONF_URL_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct url {
	bool tls;
	struct str host; /* without brackets; points into the text */
	bool is_ipv6;
	int port;        /* 80 or 443 where none was said */
	struct str path; /* "" or starts with a slash */
};

/* http://host[:port][/path] or https://...; no user, query or fragment. False: `why` gets
 * what is wrong with it and what would be right, to stand after the text. */
bool url_parse(struct str text, struct url *out, struct buf *why);
/* "host:port", "[::1]:port". */
void url_add_hostport(const struct url *u, struct buf *out);
/* A name or an address of version 4, without port. */
bool url_is_host(struct str text);
bool url_is_ipv6(struct str text);
bool url_parse_port(struct str text, int least, int *out);
/* The URL that OLLAMA_HOST means as a target, by Ollama's own rules: scheme and port may be left
 * out, and what listens on every address is reached on this machine. */
bool url_add_ollama(struct str text, struct buf *out, struct buf *why);

#endif
