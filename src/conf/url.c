/* Addresses as people write them. */
#include "url.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <string.h>

enum { LONGEST_HOST = 253 }; /* of a DNS name */

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_address(int family, struct str text)
{
	struct in6_addr address;
	char copy[INET6_ADDRSTRLEN];

	if (text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len) != NULL)
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return inet_pton(family, copy, &address) == 1;
}

/* 10.0.0.256 would be looked up as a name. */
static bool
is_broken_ipv4(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != '.' && (text.ptr[i] < '0' || text.ptr[i] > '9'))
			return false;
	return !is_address(AF_INET, text);
}

bool
url_is_host(struct str text)
{
	if (text.len == 0 || text.len > LONGEST_HOST)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!is_alnum(text.ptr[i]) && strchr("-._", text.ptr[i]) == NULL)
			return false;
	return !is_broken_ipv4(text);
}

bool
url_is_ipv6(struct str text)
{
	return text.len > 0 && is_address(AF_INET6, text);
}

static struct str
from(struct str text, size_t start)
{
	return (struct str){text.ptr + start, text.len - start};
}

/* Cuts what comes before the first of `stops` off `rest`. */
static struct str
take_until(struct str *rest, const char *stops)
{
	size_t n = 0;
	struct str part;

	while (n < rest->len && (rest->ptr[n] == '\0' || strchr(stops, rest->ptr[n]) == NULL))
		n++;
	part = (struct str){rest->ptr, n};
	*rest = from(*rest, n);
	return part;
}

/* "host", "[v6]" or nothing, then an optional ":port" that stays in `rest`. */
static bool
take_host(struct str *rest, struct url *out)
{
	if (rest->len > 0 && rest->ptr[0] == '[') {
		*rest = from(*rest, 1);
		out->host = take_until(rest, "]");
		out->is_ipv6 = true;
		if (rest->len == 0 || !url_is_ipv6(out->host))
			return false;
		*rest = from(*rest, 1);
		return true;
	}
	out->host = take_until(rest, ":");
	out->is_ipv6 = false;
	return out->host.len == 0 || url_is_host(out->host);
}

bool
url_parse_port(struct str text, int least, int *out)
{
	uint64_t port;

	if (!str_to_u64(text, &port) || port < (uint64_t)least || port > 65535)
		return false;
	*out = (int)port;
	return true;
}

static bool
is_path(struct str path)
{
	for (size_t i = 0; i < path.len; i++)
		if (path.ptr[i] <= ' ' || path.ptr[i] >= 0x7f || strchr("?#\"<>\\", path.ptr[i]) != NULL)
			return false;
	return true;
}

static bool
take_scheme(struct str *text, struct url *out)
{
	if (str_starts_nocase(*text, "http://")) {
		out->tls = false;
		out->port = 80;
		*text = from(*text, strlen("http://"));
		return true;
	}
	if (str_starts_nocase(*text, "https://")) {
		out->tls = true;
		out->port = 443;
		*text = from(*text, strlen("https://"));
		return true;
	}
	return false;
}

bool
url_parse(struct str text, struct url *out, struct buf *why)
{
	struct str authority;

	if (!take_scheme(&text, out)) {
		buf_adds(why, "is no URL; give http://host:port or https://host");
		return false;
	}
	authority = take_until(&text, "/?#");
	out->path = text;
	if (memchr(authority.ptr, '@', authority.len) != NULL) {
		buf_adds(why, "has a user in it; a node's key goes into api_key");
		return false;
	}
	if (!take_host(&authority, out) || out->host.len == 0) {
		buf_adds(why, "has no valid host; give http://host:port or https://host");
		return false;
	}
	if (authority.len > 0 &&
	    (authority.ptr[0] != ':' || !url_parse_port(from(authority, 1), 1, &out->port))) {
		buf_adds(why, "has no valid port; give 1 to 65535");
		return false;
	}
	if (!is_path(out->path)) {
		buf_adds(why, "has a query or a character in its path that no prefix can have");
		return false;
	}
	return true;
}

void
url_add_hostport(const struct url *u, struct buf *out)
{
	buf_addf(out, u->is_ipv6 ? "[%.*s]:%d" : "%.*s:%d", STR_ARG(u->host), u->port);
}

/* Ollama takes an address of version 6 without brackets too, but then no port. */
static bool
take_ollama_host(struct str *rest, struct url *u)
{
	if (url_is_ipv6(*rest)) {
		u->host = *rest;
		u->is_ipv6 = true;
		*rest = from(*rest, rest->len);
	} else if (!take_host(rest, u)) {
		return false;
	}
	if (u->host.len == 0 || str_eq(u->host, "0.0.0.0"))
		u->host = str_of("127.0.0.1");
	else if (u->is_ipv6 && str_eq(u->host, "::"))
		u->host = str_of("::1");
	return true;
}

/* Scheme, host, port and path of OLLAMA_HOST. */
static bool
take_ollama(struct str rest, struct url *u)
{
	struct str authority;

	if (!take_scheme(&rest, u) && memmem(rest.ptr, rest.len, "://", 3) != NULL)
		return false;
	authority = take_until(&rest, "/");
	if (!take_ollama_host(&authority, u))
		return false;
	if (authority.len > 0 && authority.ptr[0] != ':')
		return false;
	/* A colon without a port after it is let pass. */
	if (authority.len > 1 && !url_parse_port(from(authority, 1), 1, &u->port))
		return false;
	while (rest.len > 0 && rest.ptr[rest.len - 1] == '/')
		rest.len--;
	u->path = rest;
	return is_path(rest);
}

bool
url_add_ollama(struct str text, struct buf *out, struct buf *why)
{
	struct url u = {.port = 11434};

	if (str_eq(text, "ollama.com"))
		text = str_of("https://ollama.com");
	if (!take_ollama(text, &u)) {
		buf_adds(why, "is no address; give host, host:port or http://host:port");
		return false;
	}
	buf_adds(out, u.tls ? "https://" : "http://");
	url_add_hostport(&u, out);
	buf_add(out, u.path.ptr, u.path.len);
	return true;
}
