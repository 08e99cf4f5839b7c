/* What an operator may do by the admin API. Each act is logged, with who asked for it. */
#include "app/admin_impl.h"
#include "app/dispatch.h"
#include "app/gateway.h"
#include "app/request.h"
#include "base/log.h"

#include <string.h>

static void
reply_backend(struct admin_call *c, const struct backend *b)
{
	struct buf json = {0};

	buf_adds(&json, "{\"name\":");
	buf_add_json(&json, backend_name(b), strlen(backend_name(b)));
	buf_addf(&json, ",\"state\":\"%s\",\"draining\":%s,\"busy\":%d}",
	         backend_state_name(backend_state(b)), backend_is_draining(b) ? "true" : "false",
	         backend_busy(b));
	admin_reply(c, 200, &json);
}

void
admin_refuse_backend(struct admin_call *c, const char *name)
{
	const struct gateway *g = c->gateway;
	struct buf names = {0};

	for (size_t i = 0; i < g->server_count; i++)
		buf_addf(&names, "%s%s", i == 0 ? "" : ", ", backend_name(g->servers[i]->backend));
	admin_fail(c, 404, "no backend is named '%s'; there are: %s", name, buf_text(&names));
	buf_finish(&names);
}

static void
set_draining(struct admin_call *c, bool draining)
{
	struct gateway *g = c->gateway;
	struct server *s = gateway_find_server(g, str_of(c->tail));

	if (s == NULL) {
		admin_refuse_backend(c, c->tail);
		return;
	}
	backend_set_draining(s->backend, draining);
	log_info(backend_name(s->backend), "%s, by %s", draining ? "drains" : "is back in use",
	         front_req_peer(c->client));
	dispatch_wake(g);
	reply_backend(c, s->backend);
}

void
admin_drain_backend(struct admin_call *c)
{
	set_draining(c, true);
}

void
admin_resume_backend(struct admin_call *c)
{
	set_draining(c, false);
}

void
admin_cancel_request(struct admin_call *c)
{
	struct gateway *g = c->gateway;
	struct request *r;
	struct buf json = {0};
	int cancelled = 0;

	LIST_FOR_EACH (r, &g->requests, struct request, link) {
		if (strcmp(r->id, c->tail) != 0)
			continue;
		log_info(r->id, "cancelled by %s", front_req_peer(c->client));
		request_cancel(r, "the request was cancelled by an administrator");
		cancelled++;
	}
	if (cancelled == 0) {
		admin_fail(c, 404, "no request with this id is under way; see GET /admin/v1/requests");
		return;
	}
	buf_adds(&json, "{\"id\":");
	buf_add_json(&json, c->tail, strlen(c->tail));
	buf_addf(&json, ",\"cancelled\":%d}", cancelled);
	admin_reply(c, 200, &json);
}
