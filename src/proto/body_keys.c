/* The top-level keys of a body. */
#include "body_keys.h"

#include "json_fold.h"
#include "proto/body.h"

#include <assert.h>
#include <stdlib.h>

enum { ROUTES_MAX = 64 };

static const char *
fitting(const struct route *route, enum body_member m)
{
	return body_member_fits(route, m) ? body_member_name(m) : NULL;
}

/* How a routing key is written on this route; NULL where it means nothing. */
static const char *
key_name(const struct route *route, enum body_key key)
{
	bool native_run = route->kind == ROUTE_RUN && route->dialect == DIALECT_OLLAMA;
	bool has_old_name =
	    (route->kind == ROUTE_SHOW || route->kind == ROUTE_MANAGE) && route->model_key != NULL;

	switch (key) {
	case KEY_OTHER: return NULL;
	case KEY_MODEL: return route->model_key;
	case KEY_NAME: return has_old_name && strcmp(route->model_key, "model") == 0 ? "name" : NULL;
	case KEY_STREAM: return "stream";
	case KEY_KEEP_ALIVE: return native_run ? "keep_alive" : NULL;
	case KEY_OPTIONS: return native_run ? "options" : NULL;
	case KEY_CONTENT: return route->content_key != NULL ? route->content_key : route->turns_key;
	case KEY_MAX_TOKENS: return fitting(route, BODY_MAX_TOKENS);
	case KEY_MAX_COMPLETION_TOKENS: return fitting(route, BODY_MAX_COMPLETION_TOKENS);
	case KEY_MAX_OUTPUT_TOKENS: return fitting(route, BODY_MAX_OUTPUT_TOKENS);
	case KEYS: break;
	}
	abort();
}

static void
init(struct body_keys *ks, const struct route *route)
{
	for (int k = KEY_OTHER; k < KEYS; k++) {
		ks->names[k] = key_name(route, (enum body_key)k);
		if (ks->names[k] != NULL)
			ks->initials |= 1u << (*ks->names[k] & 0x1f);
	}
}

const struct body_keys *
body_keys_of(const struct route *route)
{
	static struct body_keys of_routes[ROUTES_MAX]; /* made when the first body comes */
	size_t count, at = (size_t)(route - route_table(&count));

	assert(at < count && count <= ROUTES_MAX);
	if (of_routes[at].initials == 0)
		init(&of_routes[at], route);
	return &of_routes[at];
}

/* Most keys are told by their first letter; what is not ASCII may fold to any. */
static bool
may_be_known(const struct body_keys *ks, struct str written)
{
	unsigned char c = written.len == 0 ? 0 : (unsigned char)*written.ptr;

	return c >= 0x80 || (c >= '@' && (ks->initials >> (c & 0x1f) & 1) != 0);
}

enum body_key
body_keys_find(const struct body_keys *ks, struct str written)
{
	if (!may_be_known(ks, written))
		return KEY_OTHER;
	for (int k = KEY_OTHER + 1; k < KEYS; k++) {
		const char *name = ks->names[k];

		if (name != NULL && (str_eq(written, name) || json_folds_to(written, name)))
			return (enum body_key)k;
	}
	return KEY_OTHER;
}
