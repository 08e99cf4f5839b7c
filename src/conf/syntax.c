/* What a text of each key must look like. */
#include "syntax.h"

#include "base/net.h"
#include "base/sha256.h"
#include "base/unit.h"
#include "url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <sys/un.h>

static bool
refuse(struct buf *why, const char *reason)
{
	buf_adds(why, reason);
	return false;
}

/* Printable ASCII without blanks and without any of `others`. */
static bool
is_plain(struct str text, const char *others)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f || strchr(others, text.ptr[i]) != NULL)
			return false;
	return text.len > 0;
}

/* It stands in headers, log lines, metric labels and paths. */
bool
syntax_name(struct str text, struct buf *why)
{
	if (text.len <= 128 && is_plain(text, "/\\\"',;{}"))
		return true;
	return refuse(why, "is no name; give at most 128 letters, digits and . - _ : [ ]");
}

bool
syntax_url(struct str text, struct buf *why)
{
	struct url url;

	return url_parse(text, &url, why);
}

bool
syntax_glob(struct str text, struct buf *why)
{
	if (text.len <= 512 && is_plain(text, "\"\\"))
		return true;
	return refuse(why, "is no model name or glob; give one like qwen2.5:7b or qwen2.5:*");
}

bool
syntax_model(struct str text, struct buf *why)
{
	if (text.len <= 400 && is_plain(text, "\"\\*?,="))
		return true;
	return refuse(why, "is no model name; give one like qwen2.5:7b");
}

bool
syntax_keep_alive(struct str text, struct buf *why)
{
	int64_t seconds;

	if (unit_parse_keep_alive_s(text, &seconds))
		return true;
	return refuse(why, "is no time to keep a model; give one like 30m or 24h, or -1 for ever");
}

/* It goes into a header. */
bool
syntax_key(struct str text, struct buf *why)
{
	if (text.len <= 4096 && is_plain(text, ""))
		return true;
	return refuse(why, "is no key; give printable ASCII without blanks");
}

bool
syntax_sha256(struct str text, struct buf *why)
{
	bool is_hex = text.len == SHA256_HEX_SIZE - 1;

	for (size_t i = 0; i < text.len && is_hex; i++)
		is_hex = isxdigit((unsigned char)text.ptr[i]) != 0;
	return is_hex || refuse(why, "is no SHA-256; give 64 hex digits, as drover key prints them");
}

bool
syntax_net(struct str text, struct buf *why)
{
	struct net net;

	if (str_eq(text, "unix:") || net_parse(text, &net))
		return true;
	return refuse(why, "is no address and no network; give one like 10.0.0.5, 10.0.0.0/8 or "
	                   "fd00::/8, or unix:");
}

bool
syntax_path(struct str text, struct buf *why)
{
	if (text.len > 0 && text.len < 4096)
		return true;
	return refuse(why, "is no path of a file");
}

static bool
check_socket_path(struct str path, struct buf *why)
{
	if (path.len == 0 || path.ptr[0] != '/')
		return refuse(why, "has no absolute path; give unix:/path");
	if (path.len >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return refuse(why,
		              "is too long for a unix socket; give at most 107 characters after unix:");
	return true;
}

bool
syntax_listen(struct str text, struct buf *why)
{
	static const char form[] = "is no address to listen on; give host:port, :port or unix:/path";
	struct str host = text;
	size_t colon = text.len;
	int port;

	if (text.len >= 5 && memcmp(text.ptr, "unix:", 5) == 0)
		return check_socket_path((struct str){text.ptr + 5, text.len - 5}, why);
	while (colon > 0 && text.ptr[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return refuse(why, form);
	host.len = colon - 1;
	if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']') {
		if (!url_is_ipv6((struct str){host.ptr + 1, host.len - 2}))
			return refuse(why, form);
	} else if (host.len > 0 && !url_is_host(host)) {
		return refuse(why, form);
	}
	if (!url_parse_port((struct str){text.ptr + colon, text.len - colon}, 0, &port))
		return refuse(why, "has no valid port; give 0 to 65535, 0 for a free one");
	return true;
}

/* The host of an address that syntax_listen lets pass. */
static bool
is_loopback_host(struct str host)
{
	char name[INET6_ADDRSTRLEN];
	struct in_addr v4;
	struct in6_addr v6;

	if (str_eq_nocase(host, "localhost"))
		return true;
	if (host.len > 2 && host.ptr[0] == '[')
		host = (struct str){host.ptr + 1, host.len - 2};
	if (host.len >= sizeof(name))
		return false;
	memcpy(name, host.ptr, host.len);
	name[host.len] = '\0';
	if (inet_pton(AF_INET, name, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, name, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool
syntax_is_on_loopback(const char *address)
{
	const char *port = strrchr(address, ':');

	return strncmp(address, "unix:", 5) == 0 ||
	       (port != NULL && is_loopback_host((struct str){address, (size_t)(port - address)}));
}

bool
syntax_admin(struct str text, struct buf *why)
{
	return str_eq(text, "off") || syntax_listen(text, why);
}

static bool
is_host_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("-._*?", c) != NULL);
}

/* A glob over what stands in Host before its port. */
bool
syntax_host(struct str text, struct buf *why)
{
	bool is_glob = text.len > 0 && text.len <= 253;

	for (size_t i = 0; i < text.len && is_glob; i++)
		is_glob = is_host_char(text.ptr[i]);
	if (is_glob || url_is_ipv6(text))
		return true;
	return refuse(why, "is no host; give a name or an address without port; * is any text");
}

bool
syntax_origin(struct str text, struct buf *why)
{
	static const char no_origin[] =
	    "is no origin; give one like https://app.example.org or http://10.0.0.*:*";
	struct str host = text;
	const char *scheme;

	if (text.ptr == NULL || !is_plain(text, ",\"\\"))
		return refuse(why, no_origin);
	scheme = memmem(text.ptr, text.len, "://", strlen("://"));
	if (scheme == NULL)
		return memchr(text.ptr, '*', text.len) != NULL || refuse(why, no_origin);
	host.ptr = scheme + strlen("://");
	host.len = (size_t)(text.ptr + text.len - host.ptr);
	/* RFC 6454 7: no browser says a path. */
	if (memchr(host.ptr, '/', host.len) != NULL)
		return refuse(why, "has a path, which no origin has; leave away what is behind the host");
	return true;
}

bool
syntax_access(struct str text, struct buf *why)
{
	if (str_eq(text, "stdout") || str_eq(text, "off"))
		return true;
	if (text.len < 4096 && memchr(text.ptr, '/', text.len) != NULL)
		return true;
	return refuse(why, "is no place for it; give stdout, off or the path of a file");
}

bool
syntax_state(struct str text, struct buf *why)
{
	if (str_eq(text, "none") || (text.len > 0 && text.len < 3800 && text.ptr[0] == '/'))
		return true;
	return refuse(why, "is no place for it; give none or the absolute path of a folder");
}
