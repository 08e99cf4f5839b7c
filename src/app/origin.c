/* The rules for Host and Origin. */
#include "app/origin.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 256 };

/* Without port and brackets; false when it does not fit a name. */
static bool
host_name(struct str host, char out[NAME_MAX_BYTES])
{
	const char *end;

	if (host.len > 0 && host.ptr[0] == '[') {
		end = memchr(host.ptr, ']', host.len);
		if (end == NULL)
			return false;
		host = (struct str){host.ptr + 1, (size_t)(end - host.ptr - 1)};
	} else {
		end = memchr(host.ptr, ':', host.len);
		if (end != NULL)
			host.len = (size_t)(end - host.ptr);
	}
	if (host.len >= NAME_MAX_BYTES)
		return false;
	memcpy(out, host.ptr, host.len);
	out[host.len] = '\0';
	return true;
}

static bool
is_local_ipv4(uint32_t a)
{
	return a == 0 || a >> 24 == 127 || a >> 24 == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8;
}

/* Loopback, private or unspecified, as Ollama takes them. */
static bool
is_local_address(const char *name)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, name, &v4) == 1)
		return is_local_ipv4(ntohl(v4.s_addr));
	if (inet_pton(AF_INET6, name, &v6) != 1)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&v6)) {
		memcpy(&v4, &v6.s6_addr[12], sizeof(v4));
		return is_local_ipv4(ntohl(v4.s_addr));
	}
	return IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_UNSPECIFIED(&v6) ||
	       (v6.s6_addr[0] & 0xfe) == 0xfc;
}

static bool
is_local_name(const char *name)
{
	static const char *const patterns[] = {"localhost", "*.localhost", "*.local", "*.internal"};
	char own[NAME_MAX_BYTES];

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		if (str_glob(patterns[i], name))
			return true;
	return gethostname(own, sizeof(own)) == 0 && str_eq_nocase(str_of(name), own);
}

bool
host_is_allowed(const struct host_rule *rule, struct str host)
{
	char name[NAME_MAX_BYTES];

	if (rule->allowed->count == 0 && !rule->loopback_only)
		return true;
	if (host.ptr == NULL || host.len == 0)
		return true;
	if (!host_name(host, name))
		return false;
	for (size_t i = 0; i < rule->allowed->count; i++)
		if (str_glob(rule->allowed->items[i], name))
			return true;
	return rule->allowed->count == 0 && (is_local_address(name) || is_local_name(name));
}

bool
host_is_loopback(struct str host)
{
	char name[NAME_MAX_BYTES];
	struct in_addr v4;
	struct in6_addr v6;

	if (host.len == 0)
		return true;
	if (!host_name(host, name))
		return false;
	if (inet_pton(AF_INET, name, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, name, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	return str_eq_nocase(str_of(name), "localhost");
}

bool
origin_is_same(struct str origin, struct str host)
{
	size_t scheme = str_starts_nocase(origin, "http://")    ? 7
	                : str_starts_nocase(origin, "https://") ? 8
	                                                        : 0;

	return scheme > 0 && host.ptr != NULL && origin.len - scheme == host.len &&
	       memcmp(origin.ptr + scheme, host.ptr, host.len) == 0;
}

bool
origin_is_allowed(const struct origin_rule *rule, struct str origin, struct str host)
{
	char text[NAME_MAX_BYTES];

	if (origin_is_same(origin, host))
		return true;
	if (origin.len >= sizeof(text))
		return false;
	memcpy(text, origin.ptr, origin.len);
	text[origin.len] = '\0';
	for (size_t i = 0; i < rule->origins->count; i++)
		if (str_glob(rule->origins->items[i], text))
			return true;
	return false;
}

bool
origin_any_allowed(const struct origin_rule *rule)
{
	for (size_t i = 0; i < rule->origins->count; i++)
		if (strcmp(rule->origins->items[i], "*") == 0)
			return true;
	return false;
}
