/* The URL of a node, read strictly: a typing error must be told at the start, not at 3 a.m. */
#include "upstream_url.h"

#include "base/mem.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_BYTES_MAX = 253 };

static bool
refuse(struct buf *why, struct str url, const char *what)
{
	buf_addf(why, "\"%.*s\": %s", STR_ARG(url), what);
	return false;
}

static struct str
skip(struct str s, size_t n)
{
	return (struct str){s.ptr + n, s.len - n};
}

static const char *
read_scheme(struct str *rest, bool *tls)
{
	*tls = str_starts_nocase(*rest, "https://");
	if (!*tls && !str_starts_nocase(*rest, "http://"))
		return "must begin with http:// or https://";
	*rest = skip(*rest, strlen(*tls ? "https://" : "http://"));
	return NULL;
}

static bool
is_name(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!isalnum((unsigned char)s.ptr[i]) && strchr("-._", s.ptr[i]) == NULL)
			return false;
	return true;
}

/* 10.0.0.256 would be looked up as a name. */
static bool
looks_like_ipv4(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!isdigit((unsigned char)s.ptr[i]) && s.ptr[i] != '.')
			return false;
	return true;
}

static const char *
check_host(struct str host, bool bracketed)
{
	unsigned char address[sizeof(struct in6_addr)];
	char text[HOST_BYTES_MAX + 1];

	if (host.len == 0)
		return "the host is missing";
	if (host.len > HOST_BYTES_MAX)
		return "the host's name is too long";
	memcpy(text, host.ptr, host.len);
	text[host.len] = '\0';
	if (bracketed)
		return inet_pton(AF_INET6, text, address) == 1 ? NULL : "invalid IPv6 address";
	if (looks_like_ipv4(host))
		return inet_pton(AF_INET, text, address) == 1 ? NULL : "invalid IPv4 address";
	return is_name(host) ? NULL : "invalid character in the host's name";
}

static const char *
read_port(struct str text, uint16_t *port)
{
	uint64_t value;

	if (!str_to_u64(text, &value) || value < 1 || value > 65535)
		return "the port must be a number from 1 to 65535";
	*port = (uint16_t)value;
	return NULL;
}

/* host, host:port, [address] or [address]:port */
static const char *
read_authority(struct str text, struct upstream_url *out, struct str *host, bool *bracketed)
{
	const char *end, *wrong;

	*bracketed = text.len > 0 && text.ptr[0] == '[';
	if (memchr(text.ptr, '@', text.len) != NULL)
		return "must not hold a user or password; set api_key instead";
	end = memchr(text.ptr, ':', text.len);
	if (!*bracketed && end != NULL && end != memrchr(text.ptr, ':', text.len))
		return "an IPv6 address must stand in brackets";
	if (*bracketed)
		end = memchr(text.ptr, ']', text.len);
	if (*bracketed && end == NULL)
		return "a bracket is not closed";
	*host = end == NULL ? text : (struct str){text.ptr, (size_t)(end - text.ptr)};
	text = skip(text, host->len);
	if (*bracketed) {
		*host = skip(*host, 1);
		text = skip(text, 1);
	}
	wrong = check_host(*host, *bracketed);
	out->port = out->tls ? 443 : 80;
	if (wrong != NULL || text.len == 0)
		return wrong;
	if (text.ptr[0] != ':')
		return "only a port may follow the host";
	return read_port(skip(text, 1), &out->port);
}

static const char *
check_prefix(struct str prefix)
{
	if (prefix.len > 1024)
		return "the path is too long";
	for (size_t i = 0; i < prefix.len; i++) {
		unsigned char c = (unsigned char)prefix.ptr[i];

		if (c == '?' || c == '#')
			return "must not hold a query or a fragment";
		if (c <= ' ' || c >= 0x7f)
			return "invalid character in the path";
	}
	return NULL;
}

static char *
write_authority(const struct upstream_url *u, bool bracketed)
{
	struct buf text = {0};

	buf_addf(&text, bracketed ? "[%s]" : "%s", u->host);
	if (u->port != (u->tls ? 443 : 80))
		buf_addf(&text, ":%d", u->port);
	return buf_take(&text);
}

bool
upstream_url_parse(const char *text, struct upstream_url *out, struct buf *why)
{
	struct str url = str_of(text), rest = url, host, authority;
	const char *wrong;
	bool bracketed;
	size_t n = 0;

	wrong = read_scheme(&rest, &out->tls);
	if (wrong != NULL)
		return refuse(why, url, wrong);
	while (n < rest.len && strchr("/?#", rest.ptr[n]) == NULL)
		n++;
	authority = (struct str){rest.ptr, n};
	rest = skip(rest, n);
	wrong = read_authority(authority, out, &host, &bracketed);
	if (wrong == NULL)
		wrong = check_prefix(rest);
	if (wrong != NULL)
		return refuse(why, url, wrong);
	while (rest.len > 0 && rest.ptr[rest.len - 1] == '/')
		rest.len--;
	out->host = mem_strndup(host.ptr, host.len);
	out->prefix = mem_strndup(rest.ptr, rest.len);
	out->authority = write_authority(out, bracketed);
	return true;
}

void
upstream_url_finish(struct upstream_url *u)
{
	free(u->host);
	free(u->prefix);
	free(u->authority);
	*u = (struct upstream_url){0};
}
