/* Names of HTTP: methods, statuses, headers. */
#include "proto/http.h"

#include <stdlib.h>
#include <strings.h>

const char *
http_method_name(enum http_method m)
{
	switch (m) {
	case HTTP_GET: return "GET";
	case HTTP_HEAD: return "HEAD";
	case HTTP_POST: return "POST";
	case HTTP_PUT: return "PUT";
	case HTTP_PATCH: return "PATCH";
	case HTTP_DELETE: return "DELETE";
	case HTTP_OPTIONS: return "OPTIONS";
	case HTTP_METHODS: break;
	}
	abort();
}

static const struct {
	int status;
	const char *text;
} reasons[] = {
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
    {529, "Overloaded"},
};

const char *
http_reason(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "Unknown";
}

struct str
http_find_named(const struct http_head *h, const char *name, size_t len)
{
	for (size_t i = 0; i < h->header_count; i++)
		if (h->headers[i].name.len == len && strncasecmp(h->headers[i].name.ptr, name, len) == 0)
			return h->headers[i].value;
	return (struct str){NULL, 0};
}

struct str
http_host(const struct http_head *h)
{
	struct str host = http_find_header(h, "Host");

	return host.ptr == NULL ? h->authority : host;
}

/* Whether a Connection header names it. */
static bool
is_named(const struct http_head *h, struct str name)
{
	for (size_t i = 0; i < h->header_count; i++) {
		struct str rest = h->headers[i].value, part;

		if (!str_eq_nocase(h->headers[i].name, "Connection"))
			continue;
		while (str_split(&rest, ',', &part)) {
			part = str_trim(part);
			if (part.len == name.len && strncasecmp(part.ptr, name.ptr, name.len) == 0)
				return true;
		}
	}
	return false;
}

bool
http_is_hop_by_hop(const struct http_head *h, struct str name)
{
	bool fixed = false;

	switch (name.len) {
	case 2: fixed = str_eq_nocase(name, "TE"); break;
	case 7: fixed = str_eq_nocase(name, "Trailer") || str_eq_nocase(name, "Upgrade"); break;
	case 10: fixed = str_eq_nocase(name, "Connection") || str_eq_nocase(name, "Keep-Alive"); break;
	case 14: fixed = str_eq_nocase(name, "Content-Length"); break;
	case 16: fixed = str_eq_nocase(name, "Proxy-Connection"); break;
	case 17: fixed = str_eq_nocase(name, "Transfer-Encoding"); break;
	}
	return fixed || (h->connection_names && is_named(h, name));
}
