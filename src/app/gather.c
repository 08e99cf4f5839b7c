/*
 * Answers made of what all nodes say.
 *
 * Invariant: while it is attached to its request, at least one fetch is under way.
 */
#include "app/gather.h"

#include "app/auth.h"
#include "app/config.h"
#include "app/gateway.h"
#include "app/request.h"
#include "base/mem.h"
#include "io/fetch.h"
#include "proto/listing.h"

#include <stdlib.h>

enum { LISTING_BYTES_MAX = 8 * 1024 * 1024 };

struct part {
	struct gather *gather;
	struct fetch *fetch; /* owned; NULL: over */
	const struct backend *backend;
	struct buf body; /* empty: it did not answer */
};

struct gather {
	struct work work; /* first */
	struct request *request;
	size_t waiting;
	size_t count;
	struct part *parts; /* owned */
};

static void
gather_free(struct gather *t)
{
	for (size_t i = 0; i < t->count; i++) {
		fetch_cancel(&t->parts[i].fetch);
		buf_finish(&t->parts[i].body);
	}
	free(t->parts);
	free(t);
}

static void
abandon(struct work *w)
{
	gather_free((struct gather *)w);
}

static const struct work_ops work_ops = {.abandon = abandon};

/* A key sees what it may use. */
static bool
shows_to(const struct listing_part *part, const char *model, void *arg)
{
	return auth_may_use_model(arg, model);
}

/* And no model where no request for it would go. */
static bool
offers_to(const struct listing_part *part, const char *model, void *arg)
{
	return backend_allows(part->source, model) && auth_may_use_model(arg, model);
}

static void
merge(struct gather *t, const struct listing_part *parts, size_t count, struct buf *out)
{
	struct request *r = t->request;
	const struct aliases *a = &r->config->aliases;
	const struct listing_view offered = {offers_to, r, a->listed, a->count};
	const struct listing_view running = {.shows = shows_to, .arg = r};

	switch ((int)r->route->kind) {
	case ROUTE_TAGS: listing_merge_tags(parts, count, &offered, out); return;
	case ROUTE_PS: listing_merge_ps(parts, count, &running, out); return;
	case ROUTE_V1_MODELS: listing_merge_v1_models(parts, count, &offered, out); return;
	}
	abort();
}

static void
gather_end(struct gather *t)
{
	struct request *r = t->request;
	struct listing_part *parts = mem_zalloc(t->count, sizeof(parts[0]));
	struct buf body = {0};
	size_t count = 0;

	for (size_t i = 0; i < t->count; i++)
		if (t->parts[i].body.len > 0)
			parts[count++] = (struct listing_part){backend_name(t->parts[i].backend),
			                                       {t->parts[i].body.data, t->parts[i].body.len},
			                                       t->parts[i].backend};
	r->work = NULL;
	if (count == 0) {
		request_fail(r, JOB_BACKEND_ERROR, 502, 0, "no backend answered");
	} else {
		merge(t, parts, count, &body);
		request_reply(r, 200,
		              r->route->kind == ROUTE_V1_MODELS ? "application/json"
		                                                : "application/json; charset=utf-8",
		              (struct str){body.data, body.len}, JOB_DONE);
	}
	buf_finish(&body);
	free(parts);
	gather_free(t);
}

static void
on_answer(struct fetch *f, enum exchange_end end, int status, struct str content_type,
          struct str body, void *arg)
{
	struct part *p = arg;

	p->fetch = NULL;
	if (end == EXCHANGE_DONE && status == 200)
		buf_add(&p->body, body.ptr, body.len);
	if (--p->gather->waiting == 0)
		gather_end(p->gather);
}

void
gather_begin(struct request *r)
{
	struct gateway *g = r->gateway;
	struct gather *t = NEW(struct gather);
	struct exchange_request req = {
	    .method = HTTP_GET,
	    .target = str_of(r->route->path),
	    .headers = str_of("Accept: application/json\r\n"),
	    .first_byte_ms = g->settings->health.timeout,
	    .idle_ms = g->settings->health.timeout,
	};

	t->work.ops = &work_ops;
	t->request = r;
	t->parts = mem_zalloc(g->server_count, sizeof(t->parts[0]));
	for (size_t i = 0; i < g->server_count; i++) {
		struct part *p = &t->parts[t->count];

		if (backend_state(g->servers[i]->backend) == BACKEND_DOWN)
			continue;
		p->gather = t;
		p->backend = g->servers[i]->backend;
		p->fetch = fetch_start(g->servers[i]->upstream, &req, LISTING_BYTES_MAX, on_answer, p);
		t->count++;
	}
	if (t->count == 0) {
		gather_free(t);
		request_fail(r, JOB_REFUSED, 503, g->settings->health.interval, "no backend is up");
		return;
	}
	t->waiting = t->count;
	r->work = &t->work;
}

void
gather_reply_version(struct request *r)
{
	const struct gateway *g = r->gateway;
	const char *lowest = "";
	struct buf body = {0};

	for (size_t i = 0; i < g->server_count; i++) {
		const char *version = probe_version(g->servers[i]->probe);

		if (backend_state(g->servers[i]->backend) == BACKEND_DOWN || *version == '\0')
			continue;
		if (*lowest == '\0' || listing_compare_versions(version, lowest) < 0)
			lowest = version;
	}
	if (*lowest == '\0') {
		request_fail(r, JOB_REFUSED, 503, g->settings->health.interval, "no backend is up");
		return;
	}
	buf_adds(&body, "{\"version\":");
	buf_add_json(&body, lowest, str_of(lowest).len);
	buf_addc(&body, '}');
	request_reply(r, 200, "application/json; charset=utf-8", (struct str){body.data, body.len},
	              JOB_DONE);
	buf_finish(&body);
}
