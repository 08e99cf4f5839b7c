/* Who may change nodes, and which node is meant. */
#include "app/manage.h"

#include "app/auth.h"
#include "app/gateway.h"
#include "app/request.h"

#include <stdlib.h>

bool
manage_is_allowed(const struct request *r)
{
	switch (r->config->settings.manage) {
	case MANAGE_ALL: return true;
	case MANAGE_NONE: return false;
	case MANAGE_ADMIN: return auth_is_admin(r);
	}
	abort();
}

bool
manage_choose_server(struct request *r, struct server **out)
{
	struct str name = http_find_header(front_req_head(r->client), "X-Drover-Backend");

	*out = NULL;
	if (name.ptr == NULL)
		return true;
	if (!auth_is_admin(r)) {
		request_refuse(r, 403, "X-Drover-Backend is for administrators");
		return false;
	}
	*out = gateway_find_server(r->gateway, name);
	if (*out == NULL) {
		request_refuse(r, 400, "X-Drover-Backend: no backend is named '%.*s'", STR_ARG(name));
		return false;
	}
	return true;
}
