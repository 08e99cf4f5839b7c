/*
 * A simulated Ollama node: the front end's callbacks, and how visits end.
 */
#include "node_impl.h"

#include "faults.h"
#include "handlers.h"
#include "progress.h"
#include "run.h"
#include "run_faults.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "proto/zstd_body.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Ollama sets no limits; these keep a forgotten test from leaking connections. */
static const struct front_limits limits = {
    .connections = 100000,
    .head_ms = 600000,
    .body_ms = 600000,
    .idle_ms = 600000,
    .write_ms = 600000,
};

/* What Ollama takes of a body once it is decompressed. */
enum { ZSTD_BODY_MAX = 20 * 1024 * 1024 };

int64_t
node_now_ms(void)
{
	return clock_now_ms();
}

int64_t
node_wall_ns(void)
{
	return clock_wall_ms() * 1000000 + clock_now_us() % 1000 * 1000;
}

void
node_wake(struct node *n)
{
	waker_wake(&n->pump);
}

bool
visit_is_sim(const struct visit *v)
{
	return v->record == NULL;
}

static void
visit_free(void *arg)
{
	struct visit *v = arg;

	zstd_body_destroy(&v->zstd);
	buf_finish(&v->body);
	free(v->tail);
	free(v);
}

void
visit_end(struct visit *v, const char *end)
{
	struct node *n = v->node;

	if (v->run != NULL)
		run_cancel(&v->run);
	sha256_hasher_destroy(&v->hasher);
	watch_destroy(&v->watch);
	drip_destroy(&v->drip);
	progress_destroy(&v->progress);
	if (v->record != NULL)
		journal_end(&n->journal, v->record, end, node_now_ms());
	list_remove(&v->link);
	loop_bury(n->loop, v, visit_free);
	node_wake(n);
}

struct str
visit_headers(struct visit *v, const char *content_type, const char *more)
{
	struct buf *out = &v->node->headers;

	buf_clear(out);
	if (content_type != NULL) {
		buf_adds(out, "Content-Type: ");
		buf_adds(out, content_type);
		buf_adds(out, "\r\n");
	}
	if (v->origin[0] != '\0')
		buf_addf(out, "Access-Control-Allow-Origin: %s\r\nVary: Origin\r\n", v->origin);
	if (more != NULL)
		buf_adds(out, more);
	return (struct str){buf_text(out), out->len};
}

void
visit_note_head(struct visit *v, int status)
{
	if (v->record == NULL || v->record->status != 0)
		return;
	v->record->status = status;
	v->record->first_ms = node_now_ms();
	v->node->counts.refused += status >= 400;
}

void
visit_reply_with(struct visit *v, int status, const char *content_type, const char *headers,
                 struct str body)
{
	const struct front_head head = {
	    .status = status,
	    .headers = visit_headers(v, content_type, headers),
	    .length = (int64_t)body.len,
	};

	visit_note_head(v, status);
	if (v->has_fault && v->fault.kind == FAULT_SLOW) {
		drip_begin(v, &head, body);
		return;
	}
	front_reply_head(v->req, &head);
	front_reply_body(v->req, body);
	visit_finish(v, "finished");
}

void
visit_reply(struct visit *v, int status, const char *content_type, struct str body)
{
	visit_reply_with(v, status, content_type, NULL, body);
}

void
visit_reply_json(struct visit *v, int status, struct str body)
{
	visit_reply(v, status, "application/json; charset=utf-8", body);
}

/* `early`: said before the request was handed to the native handler, whose answers are rewritten.
 */
static void __attribute__((format(printf, 4, 0)))
reply_error(struct visit *v, int status, bool early, const char *fmt, va_list args)
{
	enum family family = v->route != NULL ? v->route->family : FAMILY_NATIVE;
	struct buf message = {0}, body = {0};

	buf_addv(&message, fmt, args);
	reply_add_error(&body, family, status, buf_text(&message), (uint64_t)v->node->counts.requests);
	if (family == FAMILY_NATIVE || early) {
		visit_reply_json(v, status, (struct str){body.data, body.len});
	} else {
		buf_addc(&body, '\n');
		visit_reply(v, status, "application/json", (struct str){body.data, body.len});
	}
	buf_finish(&message);
	buf_finish(&body);
}

void
visit_reply_error(struct visit *v, int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	reply_error(v, status, false, fmt, args);
	va_end(args);
}

void
visit_reply_early_error(struct visit *v, int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	reply_error(v, status, true, fmt, args);
	va_end(args);
}

void
visit_finish(struct visit *v, const char *end)
{
	if (v->record != NULL) {
		v->node->counts.finished++;
		v->record->bytes_out = front_req_bytes_out(v->req);
	}
	front_reply_end(v->req);
	visit_end(v, end);
}

void
visit_cut(struct visit *v, const char *end)
{
	if (v->record != NULL)
		v->record->bytes_out = front_req_bytes_out(v->req);
	front_reply_cut(v->req);
	visit_end(v, end);
}

static bool
is_under(const struct http_head *head, const char *prefix)
{
	return head->path.len >= strlen(prefix) && memcmp(head->path.ptr, prefix, strlen(prefix)) == 0;
}

static bool
take_zstd(struct str piece, void *arg)
{
	struct visit *v = arg;

	buf_add(&v->body, piece.ptr, piece.len);
	return true;
}

/* Ollama decompresses bodies under /v1 only. */
static void
prepare_body(struct visit *v, const struct http_head *head)
{
	struct str coding = http_find_header(head, "Content-Encoding");

	if (coding.ptr != NULL && str_eq(coding, "zstd") && is_under(head, "/v1/"))
		v->zstd = zstd_body_create(ZSTD_BODY_MAX, take_zstd, v);
	if (v->record != NULL) {
		v->hasher = sha256_hasher_create();
		sha256_begin(v->hasher);
	}
}

static void
reply_not_routed(struct visit *v, const char *allow)
{
	struct buf more = {0};

	if (allow == NULL) {
		visit_reply(v, 404, "text/plain", str_of("404 page not found"));
		return;
	}
	buf_addf(&more, "Allow: %s\r\n", allow);
	visit_reply_with(v, 405, "text/plain", buf_text(&more), str_of("405 method not allowed"));
	buf_finish(&more);
}

static void
on_request(struct front_req *req, void *arg)
{
	const struct http_head *head = front_req_head(req);
	struct node *n = arg;
	struct visit *v = NEW(struct visit);
	const char *allow = NULL;

	v->node = n;
	v->req = req;
	list_add_last(&n->visits, &v->link);
	front_req_set_data(req, v);
	if (!is_under(head, "/sim/")) {
		v->record = journal_add(&n->journal, head, node_now_ms());
		n->counts.requests++;
		v->route = node_find_route(head->method, head->path, &v->tail, &allow);
		if (!access_check(v))
			return;
		if (v->route == NULL) {
			reply_not_routed(v, allow);
			return;
		}
		if (v->route->handle == blobs_end && !blobs_begin(v))
			return;
	}
	prepare_body(v, head);
	front_read_body(req, INT64_MAX);
}

static void
on_body(struct front_req *req, struct str piece, void *arg)
{
	struct visit *v = front_req_data(req);

	if (v->record != NULL)
		v->record->body_bytes += piece.len;
	if (v->hasher != NULL)
		sha256_add(v->hasher, piece);
	if (v->step == VISIT_UPLOADING)
		return;
	if (v->zstd == NULL)
		buf_add(&v->body, piece.ptr, piece.len);
	else if (zstd_body_feed(v->zstd, piece) != ZSTD_FED)
		visit_reply_error(v, 400, "failed to decompress zstd body");
}

static void
on_body_end(struct front_req *req, void *arg)
{
	struct visit *v = front_req_data(req);

	if (v->hasher != NULL) {
		struct sha256 digest = sha256_end(v->hasher);

		sha256_write_hex(&digest, v->record->body_sha256);
	}
	if (visit_is_sim(v))
		control_handle(v);
	else if (!faults_strike(v))
		v->route->handle(v);
}

static void
on_bad_body(struct front_req *req, int status, const char *why, void *arg)
{
	struct visit *v = front_req_data(req);

	visit_reply(v, status, "text/plain", str_of(why));
}

static void
on_drained(struct front_req *req, void *arg)
{
	struct visit *v = front_req_data(req);

	if (v->run != NULL)
		run_drained(v->run);
	if (v->progress != NULL)
		progress_drained(v);
}

static void
on_gone(struct front_req *req, enum front_gone why, void *arg)
{
	struct visit *v = front_req_data(req);

	if (v->record != NULL) {
		v->node->counts.aborted++;
		v->record->bytes_out = front_req_bytes_out(req);
	}
	visit_end(v, why == FRONT_CLIENT_CLOSED   ? "aborted"
	             : why == FRONT_WRITE_STALLED ? "stalled"
	                                          : "shut down");
}

/* net/http's own words. */
static void
refuse_head(int status, const char *why, struct str path, const char *peer, struct buf *headers,
            struct buf *body, void *arg)
{
	buf_adds(headers, "Content-Type: text/plain; charset=utf-8\r\n");
	buf_addf(body, "%d %s: %s", status, http_reason(status), why);
}

static const struct front_ops ops = {
    .on_request = on_request,
    .on_body = on_body,
    .on_body_end = on_body_end,
    .on_bad_body = on_bad_body,
    .on_drained = on_drained,
    .on_gone = on_gone,
    .refuse = refuse_head,
};

static void
arm_runners_timer(struct node *n)
{
	int64_t next_ms = runners_next_ms(&n->runners), now_ms = node_now_ms();

	if (next_ms == INT64_MAX)
		timer_stop(&n->runners_timer);
	else
		timer_start(&n->runners_timer, next_ms > now_ms ? next_ms - now_ms : 0);
}

static void
on_runners_timer(void *arg)
{
	struct node *n = arg;

	runners_tick(&n->runners, node_now_ms());
	node_wake(n);
}

static void
on_pump(void *arg)
{
	struct node *n = arg;
	struct wish *w;

	while ((w = runners_take_ready(&n->runners)) != NULL)
		run_ready(w->arg);
	arm_runners_timer(n);
	if (!list_empty(&n->watches))
		control_look(n);
}

void
node_options_init(struct node_options *o)
{
	*o = (struct node_options){
	    .listen = "127.0.0.1:11434",
	    .parallel = 1,
	    .max_loaded = 0,
	    .max_queue = 512,
	    .keep_alive_ms = 300000,
	    .version = "0.33.0",
	};
}

static bool
is_loopback(const char *listen)
{
	return str_starts_nocase(str_of(listen), "127.") ||
	       str_starts_nocase(str_of(listen), "[::1]") ||
	       str_starts_nocase(str_of(listen), "localhost");
}

/* The first one described is the first one listed. */
static bool
add_models(struct node *n, const struct node_options *o, struct buf *why)
{
	int64_t now_ms = o->seeded ? INT64_C(1700000000000) : clock_wall_ms();

	for (size_t i = o->model_count; i > 0; i--)
		if (!catalog_add(&n->catalog, str_of(o->models[i - 1]), now_ms, why))
			return false;
	return true;
}

static bool
open_node(struct node *n, const struct node_options *o, struct buf *why)
{
	if (!add_models(n, o, why))
		return false;
	if (o->log_path != NULL && !journal_open(&n->journal, o->log_path)) {
		buf_addf(why, "%s: %s", o->log_path, strerror(errno));
		return false;
	}
	return front_listen(n->front, o->listen, why);
}

struct node *
node_create(struct loop *l, const struct node_options *o, struct buf *why)
{
	struct node *n = NEW(struct node);

	n->loop = l;
	n->seeded = o->seeded;
	n->seed = o->seed;
	n->on_loopback = is_loopback(o->listen);
	n->api_key = o->api_key == NULL ? NULL : mem_strdup(o->api_key);
	n->version = mem_strdup(o->version);
	random_bytes(&n->last_id, sizeof(n->last_id));
	list_init(&n->visits);
	list_init(&n->watches);
	list_init(&n->faults);
	gates_init(&n->gates);
	catalog_init(&n->catalog);
	journal_init(&n->journal);
	runners_init(&n->runners, o->parallel, o->max_loaded, o->max_queue, o->keep_alive_ms);
	timer_init(&n->runners_timer, l, on_runners_timer, n);
	waker_init(&n->pump, l, on_pump, n);
	n->front = front_create(l, &limits, &ops, n);
	if (!open_node(n, o, why))
		node_destroy(&n);
	return n;
}

void
node_address(const struct node *n, struct buf *out)
{
	front_addresses(n->front, out);
}

void
node_destroy(struct node **np)
{
	struct node *n = *np;

	*np = NULL;
	if (n == NULL)
		return;
	front_destroy(&n->front);
	timer_finish(&n->runners_timer);
	waker_finish(&n->pump);
	faults_clear(&n->faults);
	gates_finish(&n->gates);
	runners_finish(&n->runners);
	catalog_finish(&n->catalog);
	journal_finish(&n->journal);
	control_finish(n);
	map_finish(&n->blobs);
	buf_finish(&n->out);
	buf_finish(&n->headers);
	free(n->api_key);
	free(n->version);
	free(n);
}
