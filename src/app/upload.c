/*
 * Blobs to several nodes at once.
 *
 * The answer is the worst that a node gave: the first status of 400 or above, in
 * the order of the nodes, else the greatest (201 created over 200 present).
 *
 * Invariant: while attached, at least one leg has an exchange. A leg that failed
 * or answered early takes no more of the body.
 */
#include "app/upload.h"

#include "app/forward.h"
#include "app/gateway.h"
#include "app/manage.h"
#include "app/request.h"
#include "base/mem.h"
#include "io/exchange.h"

#include <stdlib.h>

enum { ANSWER_BYTES_MAX = 64 * 1024 };

struct leg {
	struct upload *upload;
	struct exchange *exchange; /* owned; NULL: over */
	const char *backend;
	enum exchange_end end;
	bool full; /* takes no more just now */
	int status;
	int64_t length; /* that the head stated, for HEAD; -1: none */
	struct buf headers;
	struct buf answer;
};

struct upload {
	struct work work; /* first */
	struct request *request;
	struct leg *legs; /* owned */
	size_t count;
	size_t waiting;
};

static void
upload_free(struct upload *u)
{
	for (size_t i = 0; i < u->count; i++) {
		exchange_cancel(&u->legs[i].exchange);
		buf_finish(&u->legs[i].headers);
		buf_finish(&u->legs[i].answer);
	}
	free(u->legs);
	free(u);
}

static void
abandon(struct work *w)
{
	upload_free((struct upload *)w);
}

static bool
any_full(const struct upload *u)
{
	for (size_t i = 0; i < u->count; i++)
		if (u->legs[i].exchange != NULL && u->legs[i].full)
			return true;
	return false;
}

static void
body(struct work *w, struct str piece)
{
	struct upload *u = (struct upload *)w;

	for (size_t i = 0; i < u->count; i++)
		if (u->legs[i].exchange != NULL && !exchange_send(u->legs[i].exchange, piece))
			u->legs[i].full = true;
	if (any_full(u))
		front_pause_body(u->request->client, true);
}

static void
body_end(struct work *w)
{
	struct upload *u = (struct upload *)w;

	for (size_t i = 0; i < u->count; i++)
		if (u->legs[i].exchange != NULL)
			exchange_send_end(u->legs[i].exchange);
}

static const struct work_ops work_ops = {
    .abandon = abandon,
    .body = body,
    .body_end = body_end,
};

static const struct leg *
worst(const struct upload *u)
{
	const struct leg *w = &u->legs[0];

	for (size_t i = 0; i < u->count; i++) {
		const struct leg *l = &u->legs[i];

		if (l->end != EXCHANGE_DONE || l->status >= 400)
			return l;
		if (l->status > w->status)
			w = l;
	}
	return w;
}

static void
upload_end(struct upload *u)
{
	struct request *r = u->request;
	const struct leg *l = worst(u);
	struct front_head head = {.status = l->status,
	                          .headers = {l->headers.data, l->headers.len},
	                          .length = (int64_t)l->answer.len};

	/* RFC 9110 8.6: HEAD says no other length than GET would. */
	if (r->method == HTTP_HEAD)
		head.length = l->length;
	r->work = NULL;
	r->backend = l->backend;
	if (l->end != EXCHANGE_DONE) {
		bool late = exchange_end_is_late(l->end);

		request_fail(r, late ? JOB_DEADLINE : JOB_BACKEND_ERROR, late ? 504 : 502, 0,
		             "backend '%s' failed: %s", l->backend, exchange_end_text(l->end));
	} else {
		r->status = l->status;
		r->bytes_out += l->answer.len;
		front_reply_head(r->client, &head);
		front_reply_body(r->client, (struct str){l->answer.data, l->answer.len});
		request_end(r, l->status < 500 ? JOB_DONE : JOB_BACKEND_ERROR);
	}
	upload_free(u);
}

static void
on_head(struct exchange *x, const struct http_head *head, void *arg)
{
	struct leg *l = arg;

	l->status = head->status;
	l->length = head->framing == HTTP_LENGTH ? (int64_t)head->length : -1;
	forward_answer_headers(l->upload->request, head, l->backend, &l->headers);
}

static void
on_flush(struct exchange *x, void *arg)
{
	/* Nothing goes to the client before all legs are over. */
}

static void
go_on(struct upload *u)
{
	if (!any_full(u))
		front_pause_body(u->request->client, false);
}

static void
on_drained(struct exchange *x, void *arg)
{
	struct leg *l = arg;

	l->full = false;
	go_on(l->upload);
}

static void
end_leg(struct leg *l, enum exchange_end end)
{
	l->exchange = NULL;
	l->end = end;
	if (--l->upload->waiting == 0)
		upload_end(l->upload);
	else
		go_on(l->upload);
}

static void
on_body(struct exchange *x, struct str piece, void *arg)
{
	struct leg *l = arg;

	if (piece.len <= ANSWER_BYTES_MAX - l->answer.len) {
		buf_add(&l->answer, piece.ptr, piece.len);
		return;
	}
	exchange_cancel(&l->exchange);
	end_leg(l, EXCHANGE_BAD_ANSWER);
}

static void
on_end(struct exchange *x, enum exchange_end end, const char *why, void *arg)
{
	end_leg(arg, end);
}

static const struct exchange_ops exchange_ops = {
    .on_head = on_head,
    .on_body = on_body,
    .on_flush = on_flush,
    .on_drained = on_drained,
    .on_end = on_end,
};

static int64_t
body_length(const struct http_head *head)
{
	if (head->framing == HTTP_CHUNKED)
		return -1;
	return head->framing == HTTP_LENGTH ? (int64_t)head->length : 0;
}

static void
start_leg(struct upload *u, struct server *s)
{
	struct request *r = u->request;
	const struct http_head *head = front_req_head(r->client);
	struct leg *l = &u->legs[u->count++];
	struct buf headers = {0};
	struct exchange_request req = {
	    .method = head->method,
	    .target = head->target,
	    .streamed = head->method != HTTP_HEAD,
	    .streamed_length = body_length(head),
	    .fresh = head->method != HTTP_HEAD, /* of what streams by nothing could be sent again */
	    .first_byte_ms = r->config->settings.timeouts.first_byte,
	    .idle_ms = r->config->settings.timeouts.idle,
	};

	l->upload = u;
	l->backend = backend_name(s->backend);
	forward_request_headers(r, &headers);
	req.headers = (struct str){headers.data, headers.len};
	l->exchange = exchange_start(s->upstream, &req, &exchange_ops, l);
	u->waiting++;
	buf_finish(&headers);
}

bool
upload_begin(struct request *r)
{
	struct gateway *g = r->gateway;
	struct server *chosen;
	struct upload *u;

	if (!manage_choose_server(r, &chosen))
		return false;
	for (size_t i = 0; i < g->server_count && chosen == NULL; i++)
		if (backend_state(g->servers[i]->backend) == BACKEND_DOWN) {
			request_fail(r, JOB_REFUSED, 503, g->settings->health.interval,
			             "backend '%s' is down; nothing was sent (X-Drover-Backend names one)",
			             backend_name(g->servers[i]->backend));
			return false;
		}
	u = NEW(struct upload);
	u->work.ops = &work_ops;
	u->request = r;
	u->legs = mem_zalloc(g->server_count, sizeof(u->legs[0]));
	r->work = &u->work;
	for (size_t i = 0; i < g->server_count; i++)
		if (chosen == NULL || chosen == g->servers[i])
			start_leg(u, g->servers[i]);
	return true;
}
