/* GET /admin/v1/config, and POST /admin/v1/reload. */
#include "app/admin_impl.h"
#include "app/gateway.h"

void
admin_show_config(struct admin_call *c)
{
	struct buf yaml = {0};

	settings_add_yaml(c->gateway->settings, &yaml);
	admin_reply_text(c, "application/yaml; charset=utf-8", &yaml);
}

/* Lines as the members of an array. */
static void
add_lines(const struct buf *lines, struct buf *json)
{
	struct str rest = {lines->data, lines->len}, line;
	bool first = true;

	buf_addc(json, '[');
	while (rest.len > 0 && str_split(&rest, '\n', &line)) {
		if (line.len == 0)
			continue;
		if (!first)
			buf_addc(json, ',');
		first = false;
		buf_add_json(json, line.ptr, line.len);
	}
	buf_addc(json, ']');
}

/* 422: there is nothing wrong with the request itself. */
static void
reply_reloaded(bool ok, const struct buf *said, void *arg)
{
	struct buf json = {0};

	buf_adds(&json, ok ? "{\"result\":\"ok\",\"changes\":"
	                   : "{\"result\":\"failed\",\"error\":\"refused, nothing was changed\","
	                     "\"errors\":");
	add_lines(said, &json);
	buf_addc(&json, '}');
	admin_reply(arg, ok ? 200 : 422, &json);
}

void
admin_reload(struct admin_call *c)
{
	c->reload.told = reply_reloaded;
	c->reload.arg = c;
	reload_ask(c->gateway->reloader, front_req_peer(c->client), &c->reload);
}
