/*
 * Requests that change nodes, one node after another.
 *
 * What the client gets: the answer of the last node; before it, of streams, the
 * progress of each node without its closing "success" line; and the answer of the
 * first node that fails, with which it ends.
 *
 * Invariant: while attached, exactly one exchange runs, with servers[at].
 */
#include "app/fanout.h"

#include "app/answers.h"
#include "app/forward.h"
#include "app/gateway.h"
#include "app/manage.h"
#include "app/request.h"
#include "app/shape.h"
#include "base/mem.h"
#include "io/exchange.h"

#include <stdlib.h>
#include <string.h>

enum {
	ANSWER_BYTES_MAX = 4 * 1024 * 1024,
	LINE_BYTES_MAX = 64 * 1024,
	FRESH_MS = 0,
	STALE_MAX = 1,
};

struct fanout {
	struct work work; /* first */
	struct request *request;
	struct exchange *exchange; /* owned */
	struct server **servers;   /* owned; those to be asked, in order */
	size_t count;
	size_t at;
	bool skip_missing; /* a node that answers 404 has nothing to do, if another has */
	bool streaming;    /* the client has the head of a stream */
	bool paused;
	/* Of the current node: */
	int stale; /* kept connections that turned out to be closed */
	int status;
	bool is_stream;
	bool refused;          /* its stream said so in a line */
	struct rename *rename; /* owned; NULL: the model goes by its own name */
	struct buf headers;    /* for the client */
	struct buf answer;     /* a whole answer, or the line of a stream that is not complete */
	/* Kept of the best one so far, for the end: */
	int kept_status;
	struct buf kept_headers;
	struct buf kept_answer;
};

static void ask(struct fanout *f);

static void
fanout_free(struct fanout *f)
{
	exchange_cancel(&f->exchange);
	rename_destroy(&f->rename);
	buf_finish(&f->headers);
	buf_finish(&f->answer);
	buf_finish(&f->kept_headers);
	buf_finish(&f->kept_answer);
	free(f->servers);
	free(f);
}

static void
abandon(struct work *w)
{
	fanout_free((struct fanout *)w);
}

static void
drained(struct work *w)
{
	struct fanout *f = (struct fanout *)w;

	if (f->paused && f->exchange != NULL)
		exchange_pause(f->exchange, false);
	f->paused = false;
}

static const struct work_ops work_ops = {.abandon = abandon, .drained = drained};

/* --- towards the client --- */

static void
finish(struct fanout *f, enum job_end end)
{
	struct request *r = f->request;

	r->work = NULL;
	request_end(r, end);
	for (size_t i = 0; i < f->count; i++)
		server_refresh(f->servers[i], FRESH_MS);
	fanout_free(f);
}

static void
begin_reply(struct fanout *f, int status, const struct buf *headers, int64_t length)
{
	struct front_head head = {
	    .status = status, .headers = {headers->data, headers->len}, .length = length};

	f->request->status = status;
	front_reply_head(f->request->client, &head);
}

static void
send(struct fanout *f, const char *bytes, size_t len)
{
	f->request->bytes_out += len;
	front_reply_body(f->request->client, (struct str){bytes, len});
}

static void
reply_kept(struct fanout *f)
{
	begin_reply(f, f->kept_status, &f->kept_headers, (int64_t)f->kept_answer.len);
	send(f, f->kept_answer.data, f->kept_answer.len);
	finish(f, f->kept_status < 400 ? JOB_DONE : JOB_BACKEND_ERROR);
}

/* A node failed after the client has seen progress of it or of another. */
static void
fail_stream(struct fanout *f, const char *message)
{
	struct buf line = {0};

	refusal_add_stream_error(&line, f->request->dialect, STREAM_NDJSON, true, 502, message,
	                         f->request->id);
	send(f, line.data, line.len);
	buf_finish(&line);
	finish(f, JOB_BACKEND_ERROR);
}

static void
fail(struct fanout *f, int status, const char *what)
{
	struct request *r = f->request;
	const char *backend = backend_name(f->servers[f->at]->backend);
	struct buf message = {0};

	buf_addf(&message, "backend '%s' failed: %s", backend, what);
	if (f->streaming) {
		fail_stream(f, buf_text(&message));
	} else {
		r->work = NULL;
		request_fail(r, JOB_BACKEND_ERROR, status, 0, "%s", buf_text(&message));
		fanout_free(f);
	}
	buf_finish(&message);
}

/* --- from the node --- */

static bool
is_last(const struct fanout *f)
{
	return f->at + 1 == f->count;
}

/* "success" must be said once, by the last node. */
static bool
is_success_line(struct str line)
{
	static const char word[] = "\"status\":\"success\"";

	return memmem(line.ptr, line.len, word, sizeof(word) - 1) != NULL;
}

/* Ollama ends a pull that failed with such a line, under status 200. */
static bool
is_error_line(struct str line)
{
	return str_starts_nocase(line, "{\"error\":");
}

static void
send_line(struct fanout *f, struct str line)
{
	f->refused |= is_error_line(line);
	if (!f->streaming) {
		f->streaming = true;
		begin_reply(f, 200, &f->headers, -1);
	}
	if (is_last(f) || !is_success_line(line))
		send(f, line.ptr, line.len);
}

static void
take_stream(struct fanout *f, struct str piece)
{
	const char *newline;

	while ((newline = memchr(piece.ptr, '\n', piece.len)) != NULL) {
		size_t len = (size_t)(newline + 1 - piece.ptr);

		buf_add(&f->answer, piece.ptr, len);
		send_line(f, (struct str){f->answer.data, f->answer.len});
		buf_clear(&f->answer);
		piece = (struct str){piece.ptr + len, piece.len - len};
	}
	buf_add(&f->answer, piece.ptr, piece.len);
}

static void
on_head(struct exchange *x, const struct http_head *head, void *arg)
{
	struct fanout *f = arg;

	f->status = head->status;
	f->is_stream = head->status == 200 && http_find_header(head, "Content-Encoding").ptr == NULL &&
	               stream_form_of(http_find_header(head, "Content-Type")) == STREAM_NDJSON;
	buf_clear(&f->headers);
	forward_answer_headers(f->request, head, backend_name(f->servers[f->at]->backend), &f->headers);
	rename_destroy(&f->rename);
	f->rename = forward_begin_rename(f->request, head);
}

static void
take_piece(struct fanout *f, struct str piece)
{
	if (f->is_stream)
		take_stream(f, piece);
	else
		buf_add(&f->answer, piece.ptr, piece.len);
}

static void
on_body(struct exchange *x, struct str piece, void *arg)
{
	struct fanout *f = arg;
	struct buf renamed = {0};

	if (f->rename != NULL) {
		rename_feed(f->rename, piece, &renamed);
		piece = (struct str){buf_text(&renamed), renamed.len};
	}
	take_piece(f, piece);
	buf_finish(&renamed);
	if (f->answer.len > (f->is_stream ? LINE_BYTES_MAX : ANSWER_BYTES_MAX)) {
		exchange_cancel(&f->exchange);
		fail(f, 502, "its answer is too large");
	}
}

static void
on_flush(struct exchange *x, void *arg)
{
	struct fanout *f = arg;

	if (!f->streaming)
		return;
	front_reply_flush(f->request->client);
	if (front_reply_is_full(f->request->client) && !f->paused) {
		f->paused = true;
		exchange_pause(x, true);
	}
}

static void
keep(struct fanout *f)
{
	struct buf headers = f->kept_headers, answer = f->kept_answer;

	f->kept_status = f->status;
	f->kept_headers = f->headers;
	f->kept_answer = f->answer;
	f->headers = headers;
	f->answer = answer;
	buf_clear(&f->headers);
	buf_clear(&f->answer);
}

/* What the node has done is taken for granted before it shows. */
static void
tell_scheduler(const struct fanout *f)
{
	const struct request *r = f->request;
	struct backend *b = f->servers[f->at]->backend;

	if (f->status >= 300 || r->model == NULL)
		return;
	if (r->route->kind == ROUTE_RUN)
		backend_saw_unload(b, r->model);
	else if (r->route->changes_model) {
		backend_saw_change(b, r->model);
		answers_forget(r->gateway->answers, r->model);
	}
}

static void
next(struct fanout *f)
{
	tell_scheduler(f);
	f->at++;
	f->stale = 0;
	if (f->at < f->count)
		ask(f);
	else if (f->streaming)
		finish(f, JOB_DONE);
	else
		reply_kept(f);
}

static void
on_end(struct exchange *x, enum exchange_end end, const char *why, void *arg)
{
	struct fanout *f = arg;
	bool missing = f->skip_missing && f->status == 404;

	f->exchange = NULL;
	if (f->rename != NULL)
		rename_end(f->rename, &f->answer);
	if (end == EXCHANGE_STALE && f->stale++ < STALE_MAX) {
		ask(f);
	} else if (end != EXCHANGE_DONE) {
		fail(f, exchange_end_is_late(end) ? 504 : 502, exchange_end_text(end));
	} else if (f->is_stream) {
		if (f->answer.len > 0)
			fail(f, 502, "its answer broke off");
		else if (f->refused)
			finish(f, JOB_BACKEND_ERROR);
		else
			next(f);
	} else if (f->status >= 300 && !missing) {
		if (f->streaming) {
			fail(f, 502, "it refused");
			return;
		}
		keep(f);
		reply_kept(f);
	} else {
		if (!missing || f->kept_status == 0 || f->kept_status == 404)
			keep(f);
		next(f);
	}
}

static const struct exchange_ops exchange_ops = {
    .on_head = on_head,
    .on_body = on_body,
    .on_flush = on_flush,
    .on_end = on_end,
};

static void
ask(struct fanout *f)
{
	struct request *r = f->request;
	const struct http_head *head = front_req_head(r->client);
	struct buf headers = {0};
	struct exchange_request req = {
	    .method = head->method,
	    .target = head->target,
	    .body = request_body(r),
	    .fresh = f->stale > 0,
	    .first_byte_ms = r->config->settings.timeouts.first_byte,
	    .idle_ms = r->config->settings.timeouts.idle,
	};

	f->status = 0;
	f->is_stream = false;
	f->refused = false;
	buf_clear(&f->answer);
	r->backend = backend_name(f->servers[f->at]->backend);
	r->attempts++;
	forward_request_headers(r, &headers);
	req.headers = (struct str){headers.data, headers.len};
	f->exchange = exchange_start(f->servers[f->at]->upstream, &req, &exchange_ops, f);
	buf_finish(&headers);
}

static struct fanout *
fanout_create(struct request *r)
{
	struct fanout *f = NEW(struct fanout);

	f->work.ops = &work_ops;
	f->request = r;
	f->servers = mem_zalloc(r->gateway->server_count, sizeof(f->servers[0]));
	return f;
}

static void
start(struct fanout *f)
{
	f->request->work = &f->work;
	ask(f);
}

/* An account belongs to one node: the first that is up. */
static bool
wants_one(const struct request *r)
{
	return r->route->kind == ROUTE_ACCOUNT;
}

/* The name of a node that is needed and down; NULL: all are up. */
static const char *
choose_all(struct fanout *f, const struct gateway *g)
{
	for (size_t i = 0; i < g->server_count; i++) {
		if (backend_state(g->servers[i]->backend) != BACKEND_DOWN)
			f->servers[f->count++] = g->servers[i];
		else if (!wants_one(f->request))
			return backend_name(g->servers[i]->backend);
		if (f->count == 1 && wants_one(f->request))
			break;
	}
	return f->count == 0 ? "every one" : NULL;
}

void
fanout_begin(struct request *r)
{
	struct fanout *f = fanout_create(r);
	struct server *chosen;
	const char *down;

	if (!manage_choose_server(r, &chosen)) {
		fanout_free(f);
		return;
	}
	f->skip_missing = r->method == HTTP_DELETE;
	if (chosen != NULL) {
		f->servers[f->count++] = chosen;
	} else if ((down = choose_all(f, r->gateway)) != NULL) {
		fanout_free(f);
		request_fail(r, JOB_REFUSED, 503, r->config->settings.health.interval,
		             "backend '%s' is down; nothing was changed (X-Drover-Backend names one)",
		             down);
		return;
	}
	start(f);
}

void
fanout_unload(struct request *r)
{
	struct fanout *f = fanout_create(r);
	struct gateway *g = r->gateway;

	if (r->model == NULL) {
		fanout_free(f);
		request_refuse(r, 400, "model is required");
		return;
	}
	for (int pass = 0; pass < 2 && f->count == 0; pass++)
		for (size_t i = 0; i < g->server_count; i++) {
			struct backend *b = g->servers[i]->backend;

			if (backend_state(b) == BACKEND_DOWN)
				continue;
			if (pass == 0 ? backend_holds_model(b, r->model) : backend_has_model(b, r->model))
				f->servers[f->count++] = g->servers[i];
			if (pass == 1 && f->count == 1)
				break;
		}
	if (f->count == 0) {
		fanout_free(f);
		request_refuse(r, 404, "model '%s' not found", r->facts.model);
		return;
	}
	f->skip_missing = true;
	r->model_sent = r->alias_for;
	shape_model(r);
	start(f);
}
