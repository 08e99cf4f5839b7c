/*
 * Where requests come in. Each step either answers and is done, or hands on to the
 * next: on_request -> admit -> route -> (body) -> begin.
 */
#include "app/intake.h"

#include "app/auth.h"
#include "app/fanout.h"
#include "app/gateway.h"
#include "app/gather.h"
#include "app/manage.h"
#include "app/own.h"
#include "app/proxy.h"
#include "app/request.h"
#include "app/share.h"
#include "app/upload.h"
#include "base/mem.h"
#include "base/random.h"
#include "proto/model_name.h"

#include <stdlib.h>

/* --- Host, Origin --- */

static bool
has_two(const struct http_head *head, const char *name)
{
	int seen = 0;

	if (http_find_header(head, name).ptr == NULL)
		return false;
	for (size_t i = 0; i < head->header_count; i++)
		seen += str_eq_nocase(head->headers[i].name, name);
	return seen > 1;
}

/* `headers` are the answer's own; takes them. */
static void
answer_without_body(struct request *r, struct buf *headers)
{
	struct front_head head = {.status = 204};

	request_add_headers(r, headers);
	head.headers = (struct str){headers->data, headers->len};
	r->status = 204;
	front_reply_head(r->client, &head);
	buf_finish(headers);
	request_end(r, JOB_DONE);
}

/* A preflight is answered here; the node never sees an Origin (it would refuse one that it does
 * not know). Max-Age and the lists are Ollama's. */
static void
answer_preflight(struct request *r)
{
	struct buf headers = {0};

	buf_adds(&headers,
	         "Access-Control-Allow-Methods: GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS\r\n"
	         "Access-Control-Allow-Headers: Authorization,Content-Type,User-Agent,Accept,"
	         "X-Requested-With,OpenAI-Beta,X-Stainless-Arch,X-Stainless-Async,"
	         "X-Stainless-Custom-Poll-Interval,X-Stainless-Helper-Method,X-Stainless-Lang,"
	         "X-Stainless-Os,X-Stainless-Package-Version,X-Stainless-Poll-Helper,"
	         "X-Stainless-Retry-Count,X-Stainless-Runtime,X-Stainless-Runtime-Version,"
	         "X-Stainless-Timeout,X-Api-Key,Anthropic-Version,X-Request-Id,X-Drover-Priority,"
	         "X-Drover-Backend,X-Drover-Timeout,X-Drover-Session\r\n"
	         "Access-Control-Max-Age: 43200\r\n");
	answer_without_body(r, &headers);
}

/* RFC 9110 9.3.7: what the server as a whole can do. */
static void
answer_asterisk(struct request *r)
{
	struct buf headers = {0};

	buf_adds(&headers, "Allow: GET, HEAD, POST, DELETE, OPTIONS\r\n");
	answer_without_body(r, &headers);
}

/* False: the request was answered. */
static bool
admit(struct request *r)
{
	const struct http_head *head = front_req_head(r->client);
	struct str host = http_host(head);
	struct str origin = http_find_header(head, "Origin");

	if (!host_is_allowed(&r->config->hosts, host)) {
		request_refuse(r, 403, "this Host is not allowed");
		return false;
	}
	if (has_two(head, "Authorization") || has_two(head, "X-Api-Key")) {
		request_refuse(r, 400, "more than one Authorization or X-Api-Key header");
		return false;
	}
	if (origin.len == 0)
		return true;
	if (!origin_is_allowed(&r->config->origins, origin, host)) {
		request_refuse(r, 403, "this Origin is not allowed");
		return false;
	}
	r->origin = origin;
	if (head->method == HTTP_OPTIONS) {
		answer_preflight(r);
		return false;
	}
	return true;
}

/* --- routes --- */

static bool
read_decoded(struct str piece, void *arg)
{
	struct request *r = arg;

	return body_reader_feed(r->reader, piece);
}

/* Collected while the reader looks at it; Ollama takes zstd on its /v1 routes only. */
static void
read_body(struct request *r)
{
	const struct http_head *head = front_req_head(r->client);
	struct str coding = http_find_header(head, "Content-Encoding");
	int64_t most = r->config->settings.max_body;

	if (r->route->model_key != NULL)
		r->reader = body_reader_create(r->route, http_find_header(head, "Content-Type"));
	if (r->reader != NULL && r->dialect != DIALECT_OLLAMA && coding.ptr != NULL &&
	    str_eq_nocase(coding, "zstd")) {
		r->is_zstd = true;
		r->unzip = zstd_body_create(most, read_decoded, r);
	}
	front_read_body(r->client, most);
}

static void
begin_upload(struct request *r)
{
	struct front_req *client = r->client;
	bool has_body = r->method != HTTP_HEAD;

	if (upload_begin(r) && has_body)
		front_read_body(client, INT64_MAX);
}

/* A name that is none is refused later. False: refused. */
static bool
take_model(struct request *r)
{
	char canonical[MODEL_NAME_MAX];

	if (!model_name_canonical(str_of(request_model(r)), canonical))
		return true;
	r->model = mem_strdup(canonical);
	return auth_allows_model(r, canonical);
}

static void
begin_model_read(struct request *r)
{
	char *model = r->facts.model;

	if (!route_decode_tail(r->tail, model, sizeof(r->facts.model))) {
		request_refuse(r, 404, "model '%.*s' not found", STR_ARG(r->tail));
		return;
	}
	r->alias_for = aliases_find(&r->config->aliases, model);
	if (take_model(r))
		proxy_begin(r);
}

static bool
needs_body(const struct route *route)
{
	return route->model_key != NULL || (route->kind == ROUTE_BLOB && route->method == HTTP_POST);
}

/* A request that says no length has no body (RFC 9112 6.3), but whoever sends one to such a route
 * meant one: what follows it is not read as a request. False: refused. */
static bool
says_length(struct request *r)
{
	if (!needs_body(r->route) || front_req_head(r->client)->framing != HTTP_NO_BODY)
		return true;
	front_reply_close_after(r->client);
	request_refuse(r, 411, "missing request body: no Content-Length, and not chunked");
	return false;
}

static void
take_route(struct request *r)
{
	bool manages = r->route->kind == ROUTE_MANAGE || r->route->kind == ROUTE_ACCOUNT ||
	               r->route->kind == ROUTE_BLOB;

	if (manages && !manage_is_allowed(r)) {
		request_refuse(r, 403, "managing models is not allowed from here (setting `manage`)");
		return;
	}
	if (!says_length(r))
		return;
	switch (r->route->kind) {
	case ROUTE_ROOT: own_reply_root(r); return;
	case ROUTE_HEALTHZ: own_reply_health(r); return;
	case ROUTE_READYZ: own_reply_ready(r); return;
	case ROUTE_REQUEST: own_reply_request(r); return;
	case ROUTE_ME: own_reply_me(r); return;
	case ROUTE_VERSION: gather_reply_version(r); return;
	case ROUTE_TAGS:
	case ROUTE_PS:
	case ROUTE_V1_MODELS: gather_begin(r); return;
	case ROUTE_V1_MODEL: begin_model_read(r); return;
	case ROUTE_BLOB: begin_upload(r); return;
	case ROUTE_RUN:
	case ROUTE_SHOW:
	case ROUTE_MANAGE:
	case ROUTE_ACCOUNT: read_body(r); return;
	}
	abort();
}

static void
on_request(struct front_req *client, void *arg)
{
	struct request *r = request_create(arg, client);
	const struct http_head *head = front_req_head(client);

	if (!admit(r))
		return;
	if (str_eq(head->path, "*")) {
		answer_asterisk(r);
		return;
	}
	switch (route_find(head->method, head->path, &r->route, &r->tail)) {
	case ROUTE_FOUND: break;
	case ROUTE_NOT_FOUND: request_refuse(r, 404, "404 page not found"); return;
	case ROUTE_WRONG_METHOD: request_refuse(r, 405, "405 method not allowed"); return;
	}
	r->dialect = r->route->dialect;
	if (!auth_take(r))
		return;
	if (r->gateway->draining && r->route->kind != ROUTE_HEALTHZ && r->route->kind != ROUTE_READYZ) {
		front_reply_close_after(client);
		request_refuse(r, 503, "the gateway is shutting down");
		return;
	}
	take_route(r);
}

/* --- the body --- */

/* False: the request was refused. */
static bool
read_piece(struct request *r, struct str piece)
{
	if (r->reader == NULL)
		return true;
	if (r->unzip == NULL) {
		if (body_reader_feed(r->reader, piece))
			return true;
		request_refuse(r, 400, "%s", body_reader_why(r->reader));
		return false;
	}
	switch (zstd_body_feed(r->unzip, piece)) {
	case ZSTD_FED: return true;
	case ZSTD_BROKEN: request_refuse(r, 400, "the body is not valid zstd"); return false;
	case ZSTD_TOO_LARGE: request_refuse(r, 413, "the decoded body is too large"); return false;
	case ZSTD_STOPPED: request_refuse(r, 400, "%s", body_reader_why(r->reader)); return false;
	}
	abort();
}

static void
on_body(struct front_req *client, struct str piece, void *arg)
{
	struct request *r = front_req_data(client);

	r->bytes_in += piece.len;
	if (r->work != NULL)
		r->work->ops->body(r->work, piece);
	else if (read_piece(r, piece) && !request_keep_body(r, piece))
		request_refuse(r, 503, "too many large requests at once, please try again");
}

/* Management is of what is there under its own name. */
static void
resolve_alias(struct request *r)
{
	if (r->route->kind != ROUTE_RUN && r->route->kind != ROUTE_SHOW)
		return;
	r->alias_for = aliases_find(&r->config->aliases, r->facts.model);
}

static void
begin_run(struct request *r)
{
	if (r->route->kind == ROUTE_RUN && r->facts.unload)
		fanout_unload(r);
	else if (!share_begin(r))
		proxy_begin(r);
}

static void
begin(struct request *r)
{
	resolve_alias(r);
	if (!take_model(r))
		return;
	switch ((int)r->route->kind) {
	case ROUTE_RUN:
	case ROUTE_SHOW: begin_run(r); return;
	case ROUTE_MANAGE:
	case ROUTE_ACCOUNT: fanout_begin(r); return;
	}
	abort();
}

/* False: the request was refused. */
static bool
end_reading(struct request *r)
{
	if (r->reader == NULL)
		return true;
	if (r->body.len == 0)
		request_refuse(r, 400, "missing request body");
	else if (r->unzip != NULL && !zstd_body_is_whole(r->unzip))
		request_refuse(r, 400, "the body is not valid zstd");
	else if (!body_reader_end(r->reader, &r->facts))
		request_refuse(r, 400, "%s", body_reader_why(r->reader));
	else
		return true;
	return false;
}

static void
on_body_end(struct front_req *client, void *arg)
{
	struct request *r = front_req_data(client);

	if (r->work != NULL) {
		r->work->ops->body_end(r->work);
	} else if (end_reading(r)) {
		request_drop_readers(r);
		begin(r);
	}
}

static void
on_bad_body(struct front_req *client, int status, const char *why, void *arg)
{
	struct request *r = front_req_data(client);
	struct work *w = r->work;

	r->work = NULL;
	if (w != NULL)
		w->ops->abandon(w);
	request_refuse(r, status, "%s", why);
}

/* --- the client --- */

static void
on_drained(struct front_req *client, void *arg)
{
	struct request *r = front_req_data(client);

	if (r->work != NULL && r->work->ops->drained != NULL)
		r->work->ops->drained(r->work);
}

static void
on_gone(struct front_req *client, enum front_gone why, void *arg)
{
	request_abandon(front_req_data(client));
}

static void
refuse(int status, const char *why, struct str path, const char *peer, struct buf *headers,
       struct buf *body, void *arg)
{
	struct gateway *g = arg;
	char id[17];

	random_hex(id, sizeof(id));
	refusal_add_body(body, route_dialect(path), status, why, id);
	buf_addf(headers, "Content-Type: application/json; charset=utf-8\r\nX-Request-Id: %s\r\n", id);
	if (status == 503)
		buf_adds(headers, "Retry-After: 1\r\n");
	access_log_add_refusal(g->access, id, peer, path, status);
	meter_saw_refusal(g->meter, status);
}

const struct front_ops intake_ops = {
    .on_request = on_request,
    .on_body = on_body,
    .on_body_end = on_body_end,
    .on_bad_body = on_bad_body,
    .on_drained = on_drained,
    .on_gone = on_gone,
    .refuse = refuse,
};
