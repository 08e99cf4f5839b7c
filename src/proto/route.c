/*
 * The table of routes. What is not in it does not exist: the search compares
 * whole paths with rows, and never a prefix that a node could read further.
 */
#include "proto/route.h"

#include "http_fields.h"

#include <stdlib.h>
#include <string.h>

#define RUN(p, d, ...)                                                               \
	{                                                                                \
		.path = (p), .method = HTTP_POST, .kind = ROUTE_RUN, .dialect = DIALECT_##d, \
		.model_key = "model", __VA_ARGS__                                            \
	}
#define NAMED(p, m, k, ...)                                                            \
	{                                                                                  \
		.path = (p), .method = HTTP_##m, .kind = ROUTE_##k, .dialect = DIALECT_OLLAMA, \
		.model_key = "model", __VA_ARGS__                                              \
	}
#define PLAIN(p, m, k, d)                                                          \
	{                                                                              \
		.path = (p), .method = HTTP_##m, .kind = ROUTE_##k, .dialect = DIALECT_##d \
	}

static const struct route routes[] = {
    RUN("/api/generate", OLLAMA, .streams = true, .content_key = "prompt"),
    RUN("/api/chat", OLLAMA, .streams = true, .content_key = "messages", .turns_key = "messages"),
    RUN("/api/embed", OLLAMA, .streams = false),
    RUN("/api/embeddings", OLLAMA, .streams = false),
    RUN("/v1/chat/completions", OPENAI, .streams = false, .events = true, .turns_key = "messages",
        .most_key = "max_tokens"),
    RUN("/v1/completions", OPENAI, .streams = false, .events = true, .most_key = "max_tokens"),
    RUN("/v1/embeddings", OPENAI, .streams = false),
    RUN("/v1/responses", OPENAI, .streams = false, .events = true, .turns_key = "input",
        .most_key = "max_output_tokens"),
    RUN("/v1/images/generations", OPENAI, .streams = false),
    RUN("/v1/images/edits", OPENAI, .streams = false),
    RUN("/v1/audio/transcriptions", OPENAI, .streams = false, .multipart = true),
    RUN("/v1/messages", ANTHROPIC, .streams = false, .events = true, .turns_key = "messages",
        .most_key = "max_tokens"),

    PLAIN("/", GET, ROOT, OLLAMA),
    PLAIN("/", HEAD, ROOT, OLLAMA),
    PLAIN("/api/version", GET, VERSION, OLLAMA),
    PLAIN("/api/version", HEAD, VERSION, OLLAMA),
    PLAIN("/api/tags", GET, TAGS, OLLAMA),
    PLAIN("/api/tags", HEAD, TAGS, OLLAMA),
    PLAIN("/api/ps", GET, PS, OLLAMA),
    PLAIN("/v1/models", GET, V1_MODELS, OPENAI),
    PLAIN("/v1/models/*", GET, V1_MODEL, OPENAI),
    NAMED("/api/show", POST, SHOW, .streams = false),

    NAMED("/api/pull", POST, MANAGE, .streams = true, .changes_model = true),
    NAMED("/api/push", POST, MANAGE, .streams = true),
    NAMED("/api/create", POST, MANAGE, .streams = true, .changes_model = true),
    NAMED("/api/delete", DELETE, MANAGE, .streams = false, .changes_model = true),
    {.path = "/api/copy",
     .method = HTTP_POST,
     .kind = ROUTE_MANAGE,
     .dialect = DIALECT_OLLAMA,
     .model_key = "source"},
    PLAIN("/api/blobs/*", POST, BLOB, OLLAMA),
    PLAIN("/api/blobs/*", HEAD, BLOB, OLLAMA),

    PLAIN("/api/me", POST, ACCOUNT, OLLAMA),
    PLAIN("/api/signout", POST, ACCOUNT, OLLAMA),
    PLAIN("/api/status", GET, ACCOUNT, OLLAMA),
    PLAIN("/api/experimental/*", GET, ACCOUNT, OLLAMA),
    PLAIN("/api/experimental/*", POST, ACCOUNT, OLLAMA),
    PLAIN("/api/user/keys/*", DELETE, ACCOUNT, OLLAMA),

    PLAIN("/healthz", GET, HEALTHZ, OLLAMA),
    PLAIN("/healthz", HEAD, HEALTHZ, OLLAMA),
    PLAIN("/readyz", GET, READYZ, OLLAMA),
    PLAIN("/readyz", HEAD, READYZ, OLLAMA),
    PLAIN("/drover/v1/requests/*", GET, REQUEST, OLLAMA),
    PLAIN("/drover/v1/me", GET, ME, OLLAMA),
};

enum { ROUTES = sizeof(routes) / sizeof(routes[0]) };

/* Every set of methods that a path of the table takes. */
static const struct {
	unsigned methods;
	const char *text;
} allow_texts[] = {
    {0, ""},
    {1u << HTTP_GET, "GET"},
    {1u << HTTP_POST, "POST"},
    {1u << HTTP_DELETE, "DELETE"},
    {1u << HTTP_GET | 1u << HTTP_HEAD, "GET, HEAD"},
    {1u << HTTP_GET | 1u << HTTP_POST, "GET, POST"},
    {1u << HTTP_HEAD | 1u << HTTP_POST, "HEAD, POST"},
};

/* A segment that every reader takes for the same one. */
static bool
is_plain_segment(struct str s)
{
	return s.len > 0 && memchr(s.ptr, '/', s.len) == NULL && memchr(s.ptr, '%', s.len) == NULL &&
	       memchr(s.ptr, '\\', s.len) == NULL && !str_eq(s, ".") && !str_eq(s, "..");
}

/* The byte that an escape stands for; -1 where it is none, or NUL. */
static int
escaped_byte(struct str s)
{
	int high = s.len < 3 ? -1 : http_hex_digit(s.ptr[1]);
	int low = s.len < 3 ? -1 : http_hex_digit(s.ptr[2]);

	return high < 0 || low < 0 || high + low == 0 ? -1 : high * 16 + low;
}

bool
route_decode_name(struct str tail, char *out, size_t size)
{
	size_t len = 0, step;

	for (; tail.len > 0; tail = (struct str){tail.ptr + step, tail.len - step}) {
		int byte = *tail.ptr == '%' ? escaped_byte(tail) : (unsigned char)*tail.ptr;

		if (byte < 0 || len + 1 >= size)
			return false;
		out[len++] = (char)byte;
		step = *tail.ptr == '%' ? 3 : 1;
	}
	out[len] = '\0';
	return true;
}

/* A node decodes it once more: no byte may be left then that some readers part segments at. */
bool
route_decode_tail(struct str tail, char *out, size_t size)
{
	if (!route_decode_name(tail, out, size))
		return false;
	for (const char *p = out; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return false;
	return is_plain_segment(str_of(out));
}

/* Names of models have colons, which many clients escape, and ids whatever their clients gave. */
static bool
is_segment(struct str s, const struct route *route)
{
	char decoded[HTTP_TARGET_BYTES_MAX];

	if (route->kind == ROUTE_V1_MODEL)
		return route_decode_tail(s, decoded, sizeof(decoded));
	if (route->kind == ROUTE_REQUEST)
		return memchr(s.ptr, '/', s.len) == NULL && route_decode_name(s, decoded, sizeof(decoded));
	return is_plain_segment(s);
}

static bool
matches(const struct route *route, struct str path, struct str *tail)
{
	const char *pattern = route->path;
	size_t fixed = strlen(pattern) - 1;

	if (pattern[fixed] != '*') {
		*tail = (struct str){path.ptr + path.len, 0};
		return str_eq(path, pattern);
	}
	if (path.len <= fixed || memcmp(path.ptr, pattern, fixed) != 0)
		return false;
	*tail = (struct str){path.ptr + fixed, path.len - fixed};
	return is_segment(*tail, route);
}

enum route_match
route_find(enum http_method method, struct str path, const struct route **out, struct str *tail)
{
	enum route_match result = ROUTE_NOT_FOUND;
	struct str rest;

	for (size_t i = 0; i < ROUTES; i++) {
		if (!matches(&routes[i], path, &rest))
			continue;
		result = ROUTE_WRONG_METHOD;
		if (routes[i].method == method) {
			*out = &routes[i];
			*tail = rest;
			return ROUTE_FOUND;
		}
	}
	return result;
}

const struct route *
route_table(size_t *count)
{
	*count = ROUTES;
	return routes;
}

const char *
route_allow(struct str path)
{
	unsigned methods = 0;
	struct str tail;

	for (size_t i = 0; i < ROUTES; i++)
		if (matches(&routes[i], path, &tail))
			methods |= 1u << routes[i].method;
	for (size_t i = 0; i < sizeof(allow_texts) / sizeof(allow_texts[0]); i++)
		if (allow_texts[i].methods == methods)
			return allow_texts[i].text;
	abort();
}

static bool
is_under(struct str path, const char *folder)
{
	size_t n = strlen(folder);

	return path.len >= n && memcmp(path.ptr, folder, n) == 0 &&
	       (path.len == n || path.ptr[n] == '/');
}

enum dialect
route_dialect(struct str path)
{
	if (is_under(path, "/v1/messages"))
		return DIALECT_ANTHROPIC;
	return is_under(path, "/v1") ? DIALECT_OPENAI : DIALECT_OLLAMA;
}
