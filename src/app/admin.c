/*
 * The admin listener: who may call, which route is meant, the answer's form.
 */
#include "app/admin.h"

#include "app/admin_impl.h"
#include "app/auth.h"
#include "app/gateway.h"
#include "app/listen.h"
#include "app/origin.h"
#include "base/mem.h"
#include "proto/route.h"

#include <stdlib.h>

enum { CONNECTIONS = 256, BODY_BYTES_MAX = 64 * 1024 };

struct admin {
	struct gateway *gateway; /* borrowed */
	struct front *front;     /* owned */
	struct list calls;       /* of struct admin_call, by link */
};

static const struct admin_route routes[] = {
    {HTTP_GET, "/", admin_show_page},
    {HTTP_GET, "/web/*", admin_show_file},
    {HTTP_GET, "/healthz", admin_show_health},
    {HTTP_GET, "/metrics", admin_show_metrics},
    {HTTP_GET, "/admin/v1/status", admin_show_status},
    {HTTP_GET, "/admin/v1/requests", admin_show_requests},
    {HTTP_GET, "/admin/v1/events", admin_show_events},
    {HTTP_GET, "/admin/v1/usage", admin_show_usage},
    {HTTP_DELETE, "/admin/v1/requests/*", admin_cancel_request},
    {HTTP_GET, "/admin/v1/config", admin_show_config},
    {HTTP_POST, "/admin/v1/reload", admin_reload},
    {HTTP_POST, "/admin/v1/cache/purge", admin_purge_cache},
    {HTTP_POST, "/admin/v1/warm", admin_warm_model},
    {HTTP_POST, "/admin/v1/backends/*/drain", admin_drain_backend},
    {HTTP_POST, "/admin/v1/backends/*/resume", admin_resume_backend},
};

enum { ROUTES = sizeof(routes) / sizeof(routes[0]) };

/* --- calls --- */

static void
call_free(struct admin_call *c)
{
	front_req_set_data(c->client, NULL);
	list_remove(&c->link);
	admin_forget_warm(&c->warm);
	reload_forget(&c->reload);
	board_forget(&c->watcher);
	buf_finish(&c->body);
	free(c);
}

static void
reply_head(struct admin_call *c, int status, const char *type, int64_t length,
           const struct buf *more, bool may_be_kept)
{
	struct buf headers = {0};
	struct front_head head = {.status = status, .length = length};

	buf_addf(&headers, "Content-Type: %s\r\nX-Content-Type-Options: nosniff\r\n", type);
	if (more != NULL)
		buf_add(&headers, more->data, more->len);
	if (!may_be_kept)
		buf_adds(&headers, "Cache-Control: no-store\r\n");
	head.headers = (struct str){headers.data, headers.len};
	front_reply_head(c->client, &head);
	buf_finish(&headers);
}

static void
reply(struct admin_call *c, int status, const char *type, struct str body, const struct buf *more)
{
	struct front_req *client = c->client;

	reply_head(c, status, type, (int64_t)body.len, more, false);
	front_reply_body(client, body);
	call_free(c);
	front_reply_end(client);
}

void
admin_reply_file(struct admin_call *c, int status, const char *type, struct str body,
                 const struct buf *more)
{
	struct front_req *client = c->client;

	reply_head(c, status, type, (int64_t)body.len, more, true);
	front_reply_body(client, body);
	call_free(c);
	front_reply_end(client);
}

static const char json_type[] = "application/json; charset=utf-8";

void
admin_reply(struct admin_call *c, int status, struct buf *json)
{
	buf_addc(json, '\n');
	reply(c, status, json_type, (struct str){json->data, json->len}, NULL);
	buf_finish(json);
}

void
admin_reply_text(struct admin_call *c, const char *type, struct buf *text)
{
	reply(c, 200, type, (struct str){text->data, text->len}, NULL);
	buf_finish(text);
}

void
admin_begin_stream(struct admin_call *c, const char *type)
{
	reply_head(c, 200, type, -1, NULL, false);
}

void
admin_begin_lines(struct admin_call *c)
{
	admin_begin_stream(c, "application/x-ndjson");
}

void
admin_add_line(struct admin_call *c, struct buf *json)
{
	buf_addc(json, '\n');
	front_reply_body(c->client, (struct str){json->data, json->len});
	front_reply_flush(c->client);
	buf_finish(json);
}

void
admin_end_lines(struct admin_call *c)
{
	struct front_req *client = c->client;

	call_free(c);
	front_reply_end(client);
}

static void
add_error(struct str message, struct buf *json)
{
	buf_adds(json, "{\"error\":");
	buf_add_json(json, message.ptr, message.len);
	buf_adds(json, "}\n");
}

__attribute__((format(printf, 4, 0))) static void
fail(struct admin_call *c, int status, const struct buf *more, const char *fmt, va_list args)
{
	struct buf message = {0}, json = {0};

	buf_addv(&message, fmt, args);
	add_error((struct str){message.data, message.len}, &json);
	reply(c, status, json_type, (struct str){json.data, json.len}, more);
	buf_finish(&json);
	buf_finish(&message);
}

void
admin_fail(struct admin_call *c, int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail(c, status, NULL, fmt, args);
	va_end(args);
}

void
admin_show_health(struct admin_call *c)
{
	reply(c, 200, "text/plain; charset=utf-8", str_of("ok\n"), NULL);
}

/* --- who may call --- */

/* A browser says where a request comes from; a page of another origin that could drive the
 * API by a form or a script is told apart by Origin, or by Sec-Fetch-Site where a browser leaves
 * Origin out. False: the call was refused. */
static bool
admit(struct admin_call *c)
{
	const struct http_head *head = front_req_head(c->client);
	struct str host = http_host(head);
	struct str origin = http_find_header(head, "Origin");
	struct str site = http_find_header(head, "Sec-Fetch-Site");
	bool reads = head->method == HTTP_GET || head->method == HTTP_HEAD;

	if (host_is_loopback(str_of(c->gateway->settings->admin)) && !host_is_loopback(host)) {
		admin_fail(c, 403, "the admin API answers to localhost, 127.0.0.1 and [::1] only");
		return false;
	}
	if (origin.len > 0 && !origin_is_same(origin, host)) {
		admin_fail(c, 403, "web pages of other origins may not call the admin API");
		return false;
	}
	if (!reads && site.len > 0 && !str_eq(site, "same-origin") && !str_eq(site, "none")) {
		admin_fail(c, 403, "web pages of other sites may not call the admin API");
		return false;
	}
	return true;
}

/* --- routes --- */

/* `tail` gets the segment that '*' stands for. */
static bool
path_matches(const char *pattern, struct str path, struct str *tail)
{
	struct str want = str_of(pattern), want_part, part;

	while (str_split(&want, '/', &want_part)) {
		if (!str_split(&path, '/', &part))
			return false;
		if (str_eq(want_part, "*"))
			*tail = part;
		else if (want_part.len != part.len || memcmp(want_part.ptr, part.ptr, part.len) != 0)
			return false;
	}
	return path.ptr == NULL;
}

static bool
method_matches(enum http_method wanted, enum http_method given)
{
	return wanted == given || (wanted == HTTP_GET && given == HTTP_HEAD);
}

/* The methods of a path as an Allow header; nothing for an unknown path. */
static void
add_allow(struct str path, struct buf *out)
{
	struct str tail;

	for (size_t i = 0; i < ROUTES; i++)
		if (path_matches(routes[i].path, path, &tail))
			buf_addf(out, "%s%s%s", out->len == 0 ? "Allow: " : ", ",
			         http_method_name(routes[i].method),
			         routes[i].method == HTTP_GET ? ", HEAD" : "");
	if (out->len > 0)
		buf_adds(out, "\r\n");
}

__attribute__((format(printf, 4, 5))) static void
fail_with(struct admin_call *c, int status, const struct buf *more, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail(c, status, more, fmt, args);
	va_end(args);
}

static void
refuse_unknown(struct admin_call *c)
{
	struct buf all = {0};

	for (size_t i = 0; i < ROUTES; i++)
		buf_addf(&all, "%s%s %s", i == 0 ? "" : ", ", http_method_name(routes[i].method),
		         routes[i].path);
	admin_fail(c, 404, "no such route; there are: %s", buf_text(&all));
	buf_finish(&all);
}

static void
refuse_path(struct admin_call *c)
{
	const struct http_head *head = front_req_head(c->client);
	struct buf allow = {0};

	add_allow(head->path, &allow);
	if (allow.len > 0)
		fail_with(c, 405, &allow, "%s is not for this path", http_method_name(head->method));
	else
		refuse_unknown(c);
	buf_finish(&allow);
}

/* False: the call was refused. */
static bool
find_route(struct admin_call *c)
{
	const struct http_head *head = front_req_head(c->client);

	for (size_t i = 0; i < ROUTES; i++) {
		struct str tail = {"", 0};

		if (!method_matches(routes[i].method, head->method) ||
		    !path_matches(routes[i].path, head->path, &tail))
			continue;
		if (tail.len > 0 && !route_decode_name(tail, c->tail, sizeof(c->tail)))
			break;
		c->route = &routes[i];
		return true;
	}
	refuse_path(c);
	return false;
}

/* What tells nothing of the gateway but that it is there. */
static bool
needs_no_key(const struct admin_route *r)
{
	return r->take == admin_show_health || r->take == admin_show_page || r->take == admin_show_file;
}

/* False: the call was refused. */
static bool
check_key(struct admin_call *c)
{
	static const char challenge[] = "WWW-Authenticate: Bearer realm=\"drover admin\"\r\n";
	struct buf headers = {0};

	if (needs_no_key(c->route) || auth_admits_admin(c->gateway->callers, front_req_head(c->client)))
		return true;
	buf_adds(&headers, challenge);
	fail_with(c, 401, &headers, "this needs an administrator's key: Authorization: Bearer KEY");
	buf_finish(&headers);
	return false;
}

/* --- the front's callbacks --- */

static void
on_request(struct front_req *client, void *arg)
{
	struct admin *a = arg;
	struct admin_call *c = NEW(struct admin_call);

	c->gateway = a->gateway;
	c->client = client;
	list_init(&c->watcher.link);
	list_init(&c->reload.link);
	list_add_last(&a->calls, &c->link);
	front_req_set_data(client, c);
	if (admit(c) && find_route(c) && check_key(c))
		front_read_body(client, BODY_BYTES_MAX);
}

static void
on_body(struct front_req *client, struct str piece, void *arg)
{
	struct admin_call *c = front_req_data(client);

	buf_add(&c->body, piece.ptr, piece.len);
}

static void
on_body_end(struct front_req *client, void *arg)
{
	struct admin_call *c = front_req_data(client);

	c->route->take(c);
}

static void
on_bad_body(struct front_req *client, int status, const char *why, void *arg)
{
	admin_fail(front_req_data(client), status, "%s", why);
}

static void
on_drained(struct front_req *client, void *arg)
{
	/* Answers here are short, and watchers are skipped: there is nothing to stop. */
}

static void
on_gone(struct front_req *client, enum front_gone why, void *arg)
{
	call_free(front_req_data(client));
}

static void
refuse(int status, const char *why, struct str path, const char *peer, struct buf *headers,
       struct buf *body, void *arg)
{
	buf_addf(headers, "Content-Type: %s\r\n", json_type);
	add_error(str_of(why), body);
}

static const struct front_ops ops = {
    .on_request = on_request,
    .on_body = on_body,
    .on_body_end = on_body_end,
    .on_bad_body = on_bad_body,
    .on_drained = on_drained,
    .on_gone = on_gone,
    .refuse = refuse,
};

/* --- its life --- */

struct admin *
admin_create(struct gateway *g, struct buf *why)
{
	const struct settings *s = g->settings;
	struct front_limits limits = gateway_front_limits(s, CONNECTIONS);
	struct admin *a = NEW(struct admin);

	a->gateway = g;
	list_init(&a->calls);
	a->front = front_create(g->loop, &limits, &ops, a);
	if (listen_at(a->front, g->given, SOCKETS_ADMIN, s->admin, why))
		return a;
	buf_adds(why, ", for the admin API. Does another drover run here? Give this one an address of "
	              "its own (--admin ADDR, DROVER_ADMIN, or admin: in the file), or \"off\"");
	admin_destroy(&a);
	return NULL;
}

void
admin_destroy(struct admin **ap)
{
	struct admin *a = *ap;

	*ap = NULL;
	if (a == NULL)
		return;
	front_destroy(&a->front); /* on_gone for each call */
	free(a);
}

struct front *
admin_front(struct admin *a)
{
	return a->front;
}

void
admin_apply(struct admin *a)
{
	struct front_limits limits = gateway_front_limits(a->gateway->settings, CONNECTIONS);

	front_set_limits(a->front, &limits);
}

void
admin_addresses(const struct admin *a, struct buf *out)
{
	front_addresses(a->front, out);
}
