/*
 * Who may ask: Ollama's rules on Host and Origin, and a bearer token where the
 * node was started with one.
 */
#include "node_impl.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static bool
ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n > m && strcasecmp(text + n - m, end) == 0;
}

/* Loopback, private or unspecified. */
static bool
is_near_address(const char *host)
{
	struct in6_addr v6;
	struct in_addr v4;
	uint32_t a;

	if (inet_pton(AF_INET6, host, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_UNSPECIFIED(&v6) ||
		       (v6.s6_addr[0] & 0xfe) == 0xfc;
	if (inet_pton(AF_INET, host, &v4) != 1)
		return false;
	a = ntohl(v4.s_addr);
	return a == 0 || a >> 24 == 127 || a >> 24 == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8;
}

static bool
is_own_name(const char *host)
{
	char name[256];

	return gethostname(name, sizeof(name)) == 0 && strcasecmp(host, name) == 0;
}

/* Without the port and the brackets. */
static void
copy_host(char out[256], struct str value)
{
	size_t n = value.len < 255 ? value.len : 255;
	char *colon;

	memcpy(out, value.ptr == NULL ? "" : value.ptr, n);
	out[n] = '\0';
	if (out[0] == '[') {
		memmove(out, out + 1, strlen(out));
		out[strcspn(out, "]")] = '\0';
		return;
	}
	colon = strchr(out, ':');
	if (colon != NULL && strchr(colon + 1, ':') == NULL)
		*colon = '\0';
}

static bool
is_allowed_host(struct str value)
{
	char host[256];

	copy_host(host, value);
	return host[0] == '\0' || is_near_address(host) || strcasecmp(host, "localhost") == 0 ||
	       is_own_name(host) || ends_with(host, ".localhost") || ends_with(host, ".local") ||
	       ends_with(host, ".internal");
}

static bool
is_allowed_origin(const char *origin)
{
	static const char *const patterns[] = {
	    "http://localhost", "https://localhost", "http://localhost:*", "https://localhost:*",
	    "http://127.0.0.1", "https://127.0.0.1", "http://127.0.0.1:*", "https://127.0.0.1:*",
	    "http://0.0.0.0",   "https://0.0.0.0",   "http://0.0.0.0:*",   "https://0.0.0.0:*",
	    "app://*",          "file://*",          "tauri://*",          "vscode-webview://*",
	    "vscode-file://*",
	};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		if (str_glob(patterns[i], origin))
			return true;
	return false;
}

/* "http://" and "https://" before its own Host is no other origin. */
static bool
is_same_origin(const char *origin, struct str host)
{
	const char *at = strstr(origin, "://");

	return at != NULL && host.ptr != NULL && str_eq(host, at + 3);
}

static void
reply_empty(struct visit *v, int status, const char *headers)
{
	visit_reply_with(v, status, NULL, headers, (struct str){"", 0});
}

/* False when it answered. */
static bool
check_origin(struct visit *v, const struct http_head *head)
{
	struct str value = http_find_header(head, "Origin");
	bool preflight = head->method == HTTP_OPTIONS;

	if (value.ptr == NULL || value.len == 0 || value.len >= sizeof(v->origin))
		return true;
	memcpy(v->origin, value.ptr, value.len);
	if (is_same_origin(v->origin, http_find_header(head, "Host"))) {
		v->origin[0] = '\0';
		return true;
	}
	if (!is_allowed_origin(v->origin)) {
		v->origin[0] = '\0';
		reply_empty(v, 403, NULL);
		return false;
	}
	if (preflight)
		reply_empty(v, 204,
		            "Access-Control-Allow-Methods: GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS\r\n"
		            "Access-Control-Allow-Headers: Authorization,Content-Type,User-Agent,Accept,"
		            "X-Requested-With\r\nAccess-Control-Max-Age: 43200\r\n");
	return !preflight;
}

static bool
check_host(struct visit *v, const struct http_head *head)
{
	bool allowed = !v->node->on_loopback || is_allowed_host(http_find_header(head, "Host"));

	if (!allowed)
		reply_empty(v, 403, NULL);
	return allowed;
}

static bool
check_key(struct visit *v, const struct http_head *head)
{
	static const char bearer[] = "Bearer ";
	struct str value = http_find_header(head, "Authorization");
	size_t n = strlen(bearer);

	if (v->node->api_key == NULL)
		return true;
	if (value.len > n && str_starts_nocase(value, bearer) &&
	    str_eq((struct str){value.ptr + n, value.len - n}, v->node->api_key))
		return true;
	visit_reply_error(v, 401, "unauthorized");
	return false;
}

bool
access_check(struct visit *v)
{
	const struct http_head *head = front_req_head(v->req);

	return check_origin(v, head) && check_host(v, head) && check_key(v, head);
}
