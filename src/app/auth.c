/* Who may do what. */
#include "app/auth.h"

#include "app/gateway.h"
#include "app/request.h"
#include "base/clock.h"

#include <string.h>

/* ---- the key ---- */

static bool
is_open(const struct route *route)
{
	switch (route->kind) {
	case ROUTE_ROOT:
	case ROUTE_HEALTHZ:
	case ROUTE_READYZ: return true;
	case ROUTE_RUN:
	case ROUTE_TAGS:
	case ROUTE_PS:
	case ROUTE_VERSION:
	case ROUTE_V1_MODELS:
	case ROUTE_SHOW:
	case ROUTE_V1_MODEL:
	case ROUTE_MANAGE:
	case ROUTE_BLOB:
	case ROUTE_ACCOUNT:
	case ROUTE_REQUEST:
	case ROUTE_ME: return false;
	}
	return false;
}

/* The token behind "Bearer"; ptr NULL: of another scheme, or none. */
static struct str
bearer_of(struct str authorization)
{
	static const char scheme[] = "Bearer ";
	size_t len = sizeof(scheme) - 1;

	if (authorization.ptr == NULL || !str_starts_nocase(authorization, scheme))
		return (struct str){0};
	return str_trim((struct str){authorization.ptr + len, authorization.len - len});
}

/* False: it brings two that differ. `key`: ptr NULL when there is none. */
static bool
read_key(const struct http_head *head, struct str *key)
{
	struct str api_key = http_find_header(head, "X-Api-Key");

	*key = bearer_of(http_find_header(head, "Authorization"));
	if (key->ptr == NULL)
		*key = api_key;
	else if (api_key.ptr != NULL)
		return api_key.len == key->len && memcmp(api_key.ptr, key->ptr, key->len) == 0;
	return true;
}

static bool
take_key(struct request *r)
{
	struct str key;

	if (!read_key(front_req_head(r->client), &key)) {
		request_refuse(r, 400, "Authorization and X-Api-Key bring different keys");
		return false;
	}
	if (key.ptr == NULL || key.len == 0) {
		request_refuse(r, 401, "this gateway needs a key: Authorization: Bearer KEY");
		return false;
	}
	r->caller = callers_find_key(r->gateway->callers, key);
	if (r->caller != NULL)
		return true;
	request_refuse(r, 401, "this key is not known");
	return false;
}

bool
auth_take(struct request *r)
{
	struct callers *callers = r->gateway->callers;

	if (is_open(r->route))
		return true;
	if (!callers_have_keys(callers))
		r->caller = callers_of_address(callers, r->address.is_socket ? NULL : &r->address.net,
		                               clock_coarse_ms());
	else if (!take_key(r))
		return false;
	callers_hold(callers, r->caller);
	return true;
}

bool
auth_admits_admin(struct callers *callers, const struct http_head *head)
{
	const struct caller *who;
	struct str key;

	if (!callers_have_admin(callers))
		return true;
	if (!read_key(head, &key) || key.ptr == NULL)
		return false;
	who = callers_find_key(callers, key);
	return who != NULL && who->key->admin;
}

/* ---- what it allows ---- */

bool
auth_may_use_model(const struct request *r, const char *model)
{
	const struct key_settings *k = r->caller->key;

	if (k == NULL || k->models.count == 0)
		return true;
	for (size_t i = 0; i < k->models.count; i++)
		if (str_glob_model(k->models.items[i], model))
			return true;
	return false;
}

bool
auth_allows_model(struct request *r, const char *model)
{
	if (auth_may_use_model(r, model))
		return true;
	request_refuse(r, 403, "this key may not use model '%s'", r->facts.model);
	return false;
}

bool
auth_is_admin(const struct request *r)
{
	return r->caller->key != NULL ? r->caller->key->admin : r->address.is_local;
}

enum job_class
auth_class(const struct request *r)
{
	static const enum job_class of_priority[] = {
	    [PRIORITY_HIGH] = CLASS_HIGH,
	    [PRIORITY_NORMAL] = CLASS_NORMAL,
	    [PRIORITY_LOW] = CLASS_LOW,
	};

	return r->caller->key == NULL ? CLASS_NORMAL : of_priority[r->caller->key->priority];
}
