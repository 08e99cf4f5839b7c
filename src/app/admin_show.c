/* What the admin API shows: the state of everything, and each request under way. */
#include "app/admin_show.h"

#include "app/admin_impl.h"
#include "app/answers.h"
#include "app/gateway.h"
#include "app/request.h"
#include "base/clock.h"

#include <string.h>

static void
add_text(struct buf *json, const char *text)
{
	buf_add_json(json, text, strlen(text));
}

/* --- status --- */

static void
add_queue(const struct gateway *g, int64_t now_ms, struct buf *json)
{
	const struct sched *s = g->sched;

	buf_addf(json, "{\"size\":%lld,\"waiting\":%d,\"by_class\":{",
	         (long long)g->settings->queue.size, sched_waiting(s));
	for (int c = 0; c < CLASSES; c++)
		buf_addf(json, "%s\"%s\":%d", c == 0 ? "" : ",", job_class_name((enum job_class)c),
		         sched_waiting_in(s, (enum job_class)c));
	buf_addf(json, "},\"oldest_ms\":%lld}", (long long)sched_oldest_ms(s, now_ms));
}

struct held_rows {
	struct buf *json;
	int64_t now_ms;
};

static void
add_held(const struct held *h, void *arg)
{
	const struct held_rows *rows = arg;
	struct buf *json = rows->json;

	buf_adds(json, json->data[json->len - 1] == '[' ? "{\"name\":" : ",{\"name\":");
	add_text(json, h->model);
	buf_addf(json, ",\"state\":\"%s\",\"slots\":%d,\"busy\":%d", held_state_name(h->state),
	         h->slots, h->busy);
	for (int o = 0; o < VARIANT_OPTIONS; o++)
		if (variant_options_has(h->options, (enum variant_option)o))
			buf_addf(json, ",\"%s\":%d", variant_option_name((enum variant_option)o),
			         h->options->values[o]);
	if (h->load_began_ms != 0)
		buf_addf(json, ",\"loading_ms\":%lld,\"load_expected_ms\":%lld",
		         (long long)(rows->now_ms - h->load_began_ms), (long long)h->load_expected_ms);
	buf_addc(json, '}');
}

/* One that was not asked yet is not up; one that left ends what runs there. */
static const char *
state_of(const struct server *server)
{
	enum backend_state s = backend_state(server->backend);

	if (server->left)
		return backend_state_name(BACKEND_DRAINING);

	return backend_state_name(s == BACKEND_UNKNOWN ? BACKEND_DOWN : s);
}

static void
add_trouble(const struct server *s, struct buf *json)
{
	struct buf trouble = {0};

	server_add_trouble(s, &trouble);
	buf_adds(json, ",\"trouble\":");
	if (trouble.len == 0)
		buf_adds(json, "null");
	else
		add_text(json, buf_text(&trouble));
	buf_finish(&trouble);
}

static void
add_server(const struct server *s, int64_t now_ms, struct buf *json)
{
	struct held_rows rows = {.json = json, .now_ms = now_ms};
	const struct backend *b = s->backend;

	buf_adds(json, "{\"name\":");
	add_text(json, backend_name(b));
	buf_adds(json, ",\"url\":");
	add_text(json, s->url);
	buf_addf(json,
	         ",\"state\":\"%s\",\"draining\":%s,\"weight\":%d,\"slots\":%d,\"busy\":%d,\"breaker\":"
	         "\"%s\","
	         "\"version\":",
	         state_of(s), backend_is_draining(b) ? "true" : "false", backend_weight(b),
	         backend_slots(b), backend_busy(b), breaker_state_name(backend_breaker(b)));
	if (*server_version(s) == '\0')
		buf_adds(json, "null");
	else
		add_text(json, server_version(s));
	add_trouble(s, json);
	buf_adds(json, ",\"models\":[");
	backend_each_held(b, add_held, &rows);
	buf_adds(json, "]}");
}

static void
add_cache(const struct answers *a, struct buf *json)
{
	struct cache_stats s = cache_stats(a->cache);

	buf_addf(json,
	         "{\"entries\":%zu,\"bytes\":%zu,\"hits\":%llu,\"misses\":%llu,\"joined\":%llu,"
	         "\"stale\":%llu,\"evicted\":%llu}",
	         s.entries, s.bytes, (unsigned long long)a->hits, (unsigned long long)a->misses,
	         (unsigned long long)a->joined, (unsigned long long)a->stale,
	         (unsigned long long)s.evicted);
}

void
admin_add_state(const struct gateway *g, int64_t now_ms, struct buf *json)
{
	const struct server *s;

	buf_addf(json, "\"draining\":%s,\"queue\":", g->draining ? "true" : "false");
	add_queue(g, now_ms, json);
	buf_addf(json, ",\"running\":%d,\"backends\":[", sched_running(g->sched));
	for (size_t i = 0; i < g->server_count; i++) {
		if (i > 0)
			buf_addc(json, ',');
		add_server(g->servers[i], now_ms, json);
	}
	LIST_FOR_EACH (s, &g->leaving, const struct server, link)
		if (!s->gone) {
			if (json->data[json->len - 1] != '[')
				buf_addc(json, ',');
			add_server(s, now_ms, json);
		}
	buf_adds(json, "],\"cache\":");
	add_cache(g->answers, json);
}

void
admin_show_status(struct admin_call *c)
{
	const struct gateway *g = c->gateway;
	int64_t now_ms = clock_now_ms();
	struct buf json = {0};

	buf_addf(&json, "{\"version\":\"%s\",\"uptime_s\":%lld,", DROVER_VERSION,
	         (long long)(now_ms - g->began_ms) / 1000);
	admin_add_state(g, now_ms, &json);
	buf_addc(&json, '}');
	admin_reply(c, 200, &json);
}

/* --- metrics --- */

void
admin_show_metrics(struct admin_call *c)
{
	struct buf text = {0};

	meter_add_text(c->gateway->meter, &text);
	admin_reply_text(c, "text/plain; version=0.0.4; charset=utf-8", &text);
}

/* --- requests --- */

static void
add_text_or_null(struct buf *json, const char *name, const char *text)
{
	buf_addf(json, ",\"%s\":", name);
	if (text == NULL || *text == '\0')
		buf_adds(json, "null");
	else
		add_text(json, text);
}

void
admin_add_request(const struct request *r, int64_t now_ms, struct buf *json)
{
	buf_adds(json, "{\"id\":");
	add_text(json, r->id);
	add_text_or_null(json, "key", request_key(r));
	add_text_or_null(json, "model", r->facts.model);
	add_text_or_null(json, "route", r->route == NULL ? NULL : r->route->path);
	buf_addc(json, ',');
	request_describe(r, json);
	buf_addf(json, ",\"age_ms\":%lld", (long long)(now_ms - r->began_ms));
	add_text_or_null(json, "backend", r->backend);
	buf_addc(json, '}');
}

void
admin_show_requests(struct admin_call *c)
{
	const struct gateway *g = c->gateway;
	int64_t now_ms = clock_now_ms();
	const struct request *r;
	struct buf json = {0};

	buf_addc(&json, '[');
	LIST_FOR_EACH (r, &g->requests, struct request, link) {
		if (json.len > 1)
			buf_addc(&json, ',');
		admin_add_request(r, now_ms, &json);
	}
	buf_addc(&json, ']');
	admin_reply(c, 200, &json);
}
