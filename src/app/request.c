/*
 * One request of a client. The only way out is request_end, which logs and frees;
 * it is reached once the client was answered, cut, or is gone.
 */
#include "app/request.h"

#include "app/accounts.h"
#include "app/answers.h"
#include "app/board.h"
#include "app/dispatch.h"
#include "app/gateway.h"
#include "app/limits.h"
#include "app/share.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/random.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All bodies together may take so many times the most of one: what arrives beyond it is told
 * to come back. */
enum { BODIES_BUDGET = 16, GENERATED_ID_LEN = 16, RETRY_SOON_MS = 1000 };

static struct pool requests = POOL_OF(struct request, 64);

static bool
is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* "." and ".." would be taken out of a path that names them (RFC 3986 5.2.4), escaped or not. */
static bool
is_fit_id(struct str id)
{
	if (id.ptr == NULL || id.len == 0 || id.len > REQUEST_ID_MAX)
		return false;
	if (str_eq(id, ".") || str_eq(id, ".."))
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (!is_token_char(id.ptr[i]))
			return false;
	return true;
}

static void
take_id(struct request *r, struct str given)
{
	if (!is_fit_id(given)) {
		random_hex(r->id, GENERATED_ID_LEN + 1);
		return;
	}
	memcpy(r->id, given.ptr, given.len);
	r->id[given.len] = '\0';
}

static void
take_address(struct request *r, const struct http_head *head)
{
	const char *peer = front_req_peer(r->client);
	struct buf text = {0};

	r->address = client_address_of(&r->config->trust, peer, head);
	if (r->address.is_forwarded)
		net_add(&r->address.net, &text);
	else
		buf_adds(&text, peer);
	assert(text.len < sizeof(r->peer));
	memcpy(r->peer, buf_text(&text), text.len + 1);
	buf_finish(&text);
}

struct request *
request_create(struct gateway *g, struct front_req *client)
{
	struct request *r = pool_take(&requests);
	const struct http_head *head = front_req_head(client);

	memset(r, 0, sizeof(*r));
	r->gateway = g;
	r->config = config_hold(g->config);
	r->client = client;
	r->began_ms = clock_now_ms();
	r->dialect = route_dialect(head->path);
	r->method = head->method;
	take_address(r, head);
	take_id(r, http_find_header(head, "X-Request-Id"));
	traceparent_read(http_find_header(head, "traceparent"), r->trace);
	list_add_last(&g->requests, &r->link);
	front_req_set_data(client, r);
	return r;
}

void
request_drop_body(struct request *r)
{
	r->gateway->body_bytes -= (int64_t)(r->body.len + r->sent.len);
	buf_finish(&r->body);
	buf_finish(&r->sent);
}

static bool
keep_piece(struct str piece, void *arg)
{
	buf_add(arg, piece.ptr, piece.len);
	return true;
}

struct str
request_plain_body(const struct request *r, struct buf *decoded)
{
	struct str body = {r->body.data, r->body.len};
	struct zstd_body *z;

	if (!r->is_zstd)
		return body;
	z = zstd_body_create(r->config->settings.max_body, keep_piece, decoded);
	/* It was read whole before, so that it is valid and not too large. */
	if (zstd_body_feed(z, body) != ZSTD_FED)
		abort();
	zstd_body_destroy(&z);
	return (struct str){decoded->data, decoded->len};
}

void
request_replace_body(struct request *r, struct buf *sent)
{
	r->gateway->body_bytes += (int64_t)sent->len;
	r->sent = *sent;
	*sent = (struct buf){0};
}

void
request_restore_body(struct request *r)
{
	r->gateway->body_bytes -= (int64_t)r->sent.len;
	buf_finish(&r->sent);
	buf_clear(&r->rewritten);
}

void
request_drop_readers(struct request *r)
{
	body_reader_destroy(&r->reader);
	zstd_body_destroy(&r->unzip);
}

bool
request_keep_body(struct request *r, struct str piece)
{
	struct gateway *g = r->gateway;

	if (g->body_bytes + (int64_t)piece.len > BODIES_BUDGET * g->settings->max_body)
		return false;
	g->body_bytes += (int64_t)piece.len;
	buf_add(&r->body, piece.ptr, piece.len);
	return true;
}

static void
log_slow(const struct request *r)
{
	int64_t slow_ms = r->config->settings.log.slow;
	int64_t took_ms = clock_now_ms() - r->began_ms;

	if (slow_ms > 0 && took_ms >= slow_ms)
		log_warn(r->id, "slow: %lld ms, of them %lld in the queue; %s, model %s, backend %s",
		         (long long)took_ms, (long long)r->waited_ms,
		         r->route == NULL ? "-" : r->route->path, r->facts.model,
		         r->backend == NULL ? "-" : r->backend);
}

/* Everything but the client, which may be gone already. */
static void
finish(struct request *r, enum job_end end)
{
	struct gateway *g = r->gateway;

	assert(r->work == NULL);
	access_log_add(g->access, r, job_end_name(end));
	meter_saw_end(g->meter, r, end);
	board_saw_end(g->board, r, end);
	log_slow(r);
	limits_leave(r, end);
	accounts_add(g->accounts, r);
	callers_release(g->callers, &r->caller);
	share_drop(r);
	answers_count(g->answers, r->cache);
	list_remove(&r->link);
	request_drop_body(r);
	request_drop_readers(r);
	buf_finish(&r->rewritten);
	buf_finish(&r->target);
	free(r->model);
	if (config_release(&r->config))
		dispatch_wake(g); /* nodes that left with it can go */
	pool_give(&requests, r);
}

void
request_end(struct request *r, enum job_end end)
{
	if (r->client != NULL) {
		struct front_req *client = r->client;

		front_req_set_data(client, NULL);
		finish(r, end);
		front_reply_end(client);
		return;
	}
	finish(r, end);
}

void
request_abandon(struct request *r)
{
	struct work *w = r->work;

	if (share_outlives_client(r))
		return;
	r->client = NULL;
	r->work = NULL;
	if (w != NULL)
		w->ops->abandon(w);
	r->status = 499;
	request_end(r, JOB_CLIENT_GONE);
}

/* 403: clients do not try that again by themselves. */
void
request_cancel(struct request *r, const char *why)
{
	enum { STATUS = 403 };
	struct work *w = r->work;

	if (share_cancel_client(r, why))
		return;
	if (w != NULL && w->ops->cancel != NULL) {
		w->ops->cancel(w, STATUS, why);
		return;
	}
	r->work = NULL;
	if (w != NULL)
		w->ops->abandon(w);
	if (r->status == 0 || (r->in_stream && r->first_byte_ms == 0)) {
		request_fail(r, JOB_REFUSED, STATUS, 0, "%s", why);
	} else {
		request_cut(r, STREAM_NONE, true, STATUS, why);
		request_end(r, JOB_REFUSED);
	}
}

const char *
request_key(const struct request *r)
{
	return r->caller == NULL ? NULL : r->caller->name;
}

struct str
request_body(const struct request *r)
{
	const struct buf *body = r->sent.len > 0 ? &r->sent : &r->body;

	return (struct str){body->data, body->len};
}

const char *
request_model(const struct request *r)
{
	return r->alias_for != NULL ? r->alias_for : r->facts.model;
}

int64_t
request_tokens(const struct request *r)
{
	const struct work *w = r->work;

	if (r->usage_known)
		return r->usage.output;
	return w == NULL || w->ops->tokens == NULL ? -1 : w->ops->tokens(w);
}

static void
add_number_or_null(struct buf *json, const char *name, int64_t value)
{
	buf_addf(json, ",\"%s\":", name);
	if (value < 0)
		buf_adds(json, "null");
	else
		buf_add_int(json, value);
}

void
request_describe(const struct request *r, struct buf *json)
{
	if (r->work != NULL && r->work->ops->describe != NULL)
		r->work->ops->describe(r->work, json);
	else
		buf_addf(
		    json,
		    "\"state\":\"%s\",\"class\":null,\"position\":null,\"eta_ms\":null,\"loading_on\":null,"
		    "\"waited_ms\":0",
		    r->work == NULL ? "receiving" : "running");
	add_number_or_null(json, "ttft_ms",
	                   r->first_byte_ms == 0 ? -1 : r->first_byte_ms - r->began_ms);
	add_number_or_null(json, "tokens", request_tokens(r));
}

const struct job *
request_job(const struct request *r)
{
	return r->work == NULL || r->work->ops->job == NULL ? NULL : r->work->ops->job(r->work);
}

static void
add_cors(const struct request *r, struct buf *out)
{
	if (r->origin.ptr == NULL)
		return;
	/* With keys the answer says whom it is for, and a browser lets nobody else read it. */
	if (origin_any_allowed(&r->config->origins) && !callers_have_keys(r->gateway->callers))
		buf_adds(out, "Access-Control-Allow-Origin: *\r\n");
	else
		buf_addf(out, "Access-Control-Allow-Origin: %.*s\r\nVary: Origin\r\n", STR_ARG(r->origin));
	buf_adds(out, "Access-Control-Expose-Headers: X-Request-Id, X-Drover-Backend, "
	              "X-Drover-Queue-Ms, X-Drover-Rewrite, X-Drover-Cache, Age, Retry-After, "
	              "x-ratelimit-limit-requests, "
	              "x-ratelimit-remaining-requests, x-ratelimit-reset-requests, "
	              "x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, "
	              "x-ratelimit-reset-tokens\r\n");
}

void
request_add_headers(const struct request *r, struct buf *out)
{
	buf_adds(out, "X-Request-Id: ");
	buf_adds(out, r->id);
	buf_adds(out, "\r\n");
	add_cors(r, out);
	limits_add_headers(r, out);
}

static void
reply(struct request *r, int status, const char *content_type, struct str body, struct buf *headers,
      enum job_end end)
{
	struct front_head head = {.status = status, .length = (int64_t)body.len};

	buf_adds(headers, "Content-Type: ");
	buf_adds(headers, content_type);
	buf_adds(headers, "\r\n");
	request_add_headers(r, headers);
	head.headers = (struct str){headers->data, headers->len};
	r->status = status;
	front_reply_head(r->client, &head);
	front_reply_body(r->client, body);
	r->bytes_out += body.len;
	request_end(r, end);
}

void
request_reply(struct request *r, int status, const char *content_type, struct str body,
              enum job_end end)
{
	struct buf headers = {0};

	reply(r, status, content_type, body, &headers, end);
	buf_finish(&headers);
}

void
request_cut(struct request *r, enum stream_form form, bool at_line_start, int status,
            const char *why)
{
	struct front_req *client = r->client;
	struct buf record = {0};

	refusal_add_stream_error(&record, r->dialect, form, at_line_start, status, why, r->id);
	if (record.len > 0)
		front_reply_body(client, (struct str){record.data, record.len});
	r->bytes_out += record.len;
	front_req_set_data(client, NULL);
	r->client = NULL;
	front_reply_cut(client);
	buf_finish(&record);
}

static void
reply_error(struct request *r, enum job_end end, int status, int64_t retry_after_ms,
            const char *message)
{
	struct buf body = {0}, headers = {0};
	const char *allow = status == 405 ? route_allow(front_req_head(r->client)->path) : "";

	refusal_add_body(&body, r->dialect, status, message, r->id);
	if (*allow != '\0')
		buf_addf(&headers, "Allow: %s\r\n", allow);
	if (status == 401)
		buf_adds(&headers, "WWW-Authenticate: Bearer realm=\"drover\"\r\n");
	if (retry_after_ms > 0)
		buf_addf(&headers, "Retry-After: %lld\r\n", (long long)((retry_after_ms + 999) / 1000));
	/* What OpenAI's and Anthropic's clients read first; a limit is known to the millisecond. */
	if (status == 429)
		buf_addf(&headers, "Retry-After-Ms: %lld\r\n", (long long)retry_after_ms);
	reply(r, status, "application/json; charset=utf-8", (struct str){body.data, body.len}, &headers,
	      end);
	buf_finish(&headers);
	buf_finish(&body);
}

__attribute__((format(printf, 5, 0))) static void
fail(struct request *r, enum job_end end, int status, int64_t retry_after_ms, const char *fmt,
     va_list args)
{
	struct buf message = {0};

	buf_addv(&message, fmt, args);
	if (r->in_stream) {
		request_cut(r, STREAM_SSE, true, status, buf_text(&message));
		request_end(r, end);
	} else {
		reply_error(r, end, status, retry_after_ms, buf_text(&message));
	}
	buf_finish(&message);
}

void
request_refuse(struct request *r, int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail(r, JOB_REFUSED, status, status == 503 ? RETRY_SOON_MS : 0, fmt, args);
	va_end(args);
}

void
request_fail(struct request *r, enum job_end end, int status, int64_t retry_after_ms,
             const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail(r, end, status, retry_after_ms, fmt, args);
	va_end(args);
}
