/* The routes under /sim/. */
#include "faults.h"
#include "node_impl.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/unit.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct count_name {
	const char *name;
	size_t offset;
};

#define ROW(field)                             \
	{                                          \
#field, offsetof(struct counts, field) \
	}

static const struct count_name count_names[] = {
    ROW(open),     ROW(running), ROW(waiting),      ROW(gated),   ROW(loading),   ROW(connections),
    ROW(requests), ROW(started), ROW(finished),     ROW(aborted), ROW(refused),   ROW(faulted),
    ROW(tokens),   ROW(loads),   ROW(failed_loads), ROW(unloads), ROW(most_open), ROW(most_running),
};

#undef ROW

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct watch {
	struct list link; /* in node.watches */
	struct visit *visit;
	size_t offset; /* of the counter */
	int64_t bound;
	bool at_most;
	struct timer timer;
};

static int64_t *
count_at(struct counts *c, size_t offset)
{
	return (int64_t *)(void *)((char *)c + offset);
}

/* Those that others keep. */
static void
refresh(struct node *n)
{
	struct counts *c = &n->counts;

	c->waiting = runners_waiting(&n->runners);
	c->gated = n->gates.held;
	c->loading = n->runners.loop == LOOP_LOADING;
	c->connections = front_connections(n->front);
	c->loads = (int64_t)n->runners.loads;
	c->failed_loads = (int64_t)n->runners.failed_loads;
	c->unloads = (int64_t)n->runners.unloads;
}

static struct flight *
find_flight(struct node *n, const char *model)
{
	struct flight *f = map_find(&n->flights, model);

	if (f == NULL) {
		f = NEW(struct flight);
		map_put(&n->flights, model, f);
	}
	return f;
}

static void
move(int64_t *now, int64_t *most, int change)
{
	*now += change;
	if (*now > *most)
		*most = *now;
}

void
control_count(struct node *n, const char *model, bool slot, int change)
{
	struct flight *f = find_flight(n, model);

	if (slot) {
		move(&n->counts.running, &n->counts.most_running, change);
		move(&f->running, &f->most_running, change);
	} else {
		move(&n->counts.open, &n->counts.most_open, change);
		move(&f->open, &f->most_open, change);
	}
}

void
control_finish(struct node *n)
{
	MAP_FOR_EACH (it, &n->flights)
		free(it.value);
	map_finish(&n->flights);
}

static void
add_counts(struct buf *out, struct node *n)
{
	refresh(n);
	buf_addc(out, '{');
	for (size_t i = 0; i < COUNT(count_names); i++)
		buf_addf(out, "%s\"%s\":%lld", i == 0 ? "" : ",", count_names[i].name,
		         (long long)*count_at(&n->counts, count_names[i].offset));
	buf_addc(out, '}');
}

static void
add_runners(struct buf *out, const struct node *n)
{
	const struct runner *r;
	int64_t now_ms = node_now_ms();
	bool first = true;

	buf_addc(out, '[');
	LIST_FOR_EACH (r, &n->runners.loaded, const struct runner, link) {
		int64_t expires_ms = runner_expires_ms(r, now_ms);

		buf_adds(out, first ? "{\"model\":" : ",{\"model\":");
		gojson_add_string(out, str_of(r->model->name));
		buf_addf(out, ",\"parallel\":%d,\"running\":%d,\"waiting\":%d,\"num_ctx\":%lld",
		         r->parallel, r->running, r->refs - r->running, (long long)r->opts.num_ctx);
		buf_addf(out, ",\"keep_ms\":%lld,\"expires_in_ms\":%lld}",
		         (long long)(r->keep_ms == KEEP_FOREVER ? -1 : r->keep_ms),
		         (long long)(expires_ms == KEEP_FOREVER ? -1 : expires_ms - now_ms));
		first = false;
	}
	buf_addc(out, ']');
}

static const char *
loop_name(enum loop_state s)
{
	switch (s) {
	case LOOP_FREE: return "free";
	case LOOP_LOADING: return "loading";
	case LOOP_EVICTING: return "evicting";
	case LOOP_UNLOADING: return "unloading";
	}
	abort();
}

static void
add_flights(struct buf *out, const struct node *n)
{
	bool first = true;

	buf_addc(out, '{');
	MAP_FOR_EACH (it, &n->flights) {
		const struct flight *f = it.value;

		buf_adds(out, first ? "" : ",");
		gojson_add_string(out, str_of(it.key));
		buf_addf(out, ":{\"open\":%lld,\"running\":%lld,\"most_open\":%lld,\"most_running\":%lld}",
		         (long long)f->open, (long long)f->running, (long long)f->most_open,
		         (long long)f->most_running);
		first = false;
	}
	buf_addc(out, '}');
}

static void
show_state(struct visit *v)
{
	struct node *n = v->node;
	const struct wish *hand = n->runners.in_hand;
	struct buf out = {0};

	buf_adds(&out, "{\"counts\":");
	add_counts(&out, n);
	buf_adds(&out, ",\"loaded\":");
	add_runners(&out, n);
	buf_addf(&out, ",\"loop\":\"%s\",\"queued\":%d,\"in_hand\":", loop_name(n->runners.loop),
	         n->runners.queued);
	if (hand == NULL)
		buf_adds(&out, "null");
	else
		gojson_add_string(&out, str_of(hand->model->name));
	buf_adds(&out, ",\"models\":");
	add_flights(&out, n);
	buf_adds(&out, "}\n");
	visit_reply(v, 200, "application/json", (struct str){out.data, out.len});
	buf_finish(&out);
}

/* The value of `key` in the query, or `fallback`. */
static struct str
query(const struct visit *v, const char *key, const char *fallback)
{
	struct str target = front_req_head(v->req)->target, part;
	const char *mark = memchr(target.ptr, '?', target.len);
	size_t len = strlen(key);

	if (mark == NULL)
		return str_of(fallback);
	target = (struct str){mark + 1, target.len - (size_t)(mark + 1 - target.ptr)};
	while (str_split(&target, '&', &part))
		if (part.len > len && memcmp(part.ptr, key, len) == 0 && part.ptr[len] == '=')
			return (struct str){part.ptr + len + 1, part.len - len - 1};
	return str_of(fallback);
}

static void
show_log(struct visit *v)
{
	struct buf out = {0};
	uint64_t after = 0;

	if (!str_to_u64(query(v, "after", "0"), &after)) {
		visit_reply_error(v, 400, "after is no number");
		return;
	}
	buf_adds(&out, "{\"requests\":");
	journal_add_json(&v->node->journal, after, &out);
	buf_adds(&out, "}\n");
	visit_reply(v, 200, "application/json", (struct str){out.data, out.len});
	buf_finish(&out);
}

static void
reply_ok(struct visit *v)
{
	visit_reply(v, 200, "application/json", str_of("{}\n"));
}

static void
add_fault(struct visit *v, const cJSON *body)
{
	struct buf why = {0};

	if (faults_add(&v->node->faults, body, &why))
		reply_ok(v);
	else
		visit_reply_error(v, 400, "%s", buf_text(&why));
	buf_finish(&why);
}

static void
close_gate(struct visit *v, const cJSON *body)
{
	const char *at = gojson_text(body, "at");

	if (gates_close(&v->node->gates, gojson_text(body, "name"),
	                at[0] == '\0' ? "before_first_token" : at))
		reply_ok(v);
	else
		visit_reply_error(v, 400, "a gate needs a name and one of the points that --help names");
}

static void
open_gate(struct visit *v, const cJSON *body)
{
	if (gates_open(&v->node->gates, gojson_text(body, "name"), gojson_int(body, "times", 0)))
		reply_ok(v);
	else
		visit_reply_error(v, 404, "there is no such gate");
}

static void
reset(struct visit *v, const cJSON *body)
{
	struct node *n = v->node;
	struct counts old = n->counts;

	gates_open_all(&n->gates);
	faults_clear(&n->faults);
	journal_clear(&n->journal);
	n->runners.loads = n->runners.failed_loads = n->runners.unloads = 0;
	n->counts = (struct counts){.open = old.open, .running = old.running};
	n->counts.most_open = old.open;
	n->counts.most_running = old.running;
	MAP_FOR_EACH (it, &n->flights) {
		struct flight *f = it.value;

		f->most_open = f->open;
		f->most_running = f->running;
	}
	reply_ok(v);
}

static bool
is_reached(const struct watch *w)
{
	int64_t value = *count_at(&w->visit->node->counts, w->offset);

	return w->at_most ? value <= w->bound : value >= w->bound;
}

static void
reply_counts(struct visit *v, int status)
{
	struct buf out = {0};

	add_counts(&out, v->node);
	buf_addc(&out, '\n');
	visit_reply(v, status, "application/json", (struct str){out.data, out.len});
	buf_finish(&out);
}

void
watch_destroy(struct watch **wp)
{
	struct watch *w = *wp;

	*wp = NULL;
	if (w == NULL)
		return;
	list_remove(&w->link);
	timer_finish(&w->timer);
	free(w);
}

static void
on_watch_timeout(void *arg)
{
	struct watch *w = arg;

	reply_counts(w->visit, 408);
}

void
control_look(struct node *n)
{
	struct watch *w;

	refresh(n);
	LIST_FOR_EACH (w, &n->watches, struct watch, link)
		if (is_reached(w))
			reply_counts(w->visit, 200);
}

static const struct count_name *
find_count(struct str name)
{
	for (size_t i = 0; i < COUNT(count_names); i++)
		if (str_eq(name, count_names[i].name))
			return &count_names[i];
	return NULL;
}

static void
begin_watch(struct visit *v)
{
	const struct count_name *count = find_count(query(v, "event", ""));
	struct str most = query(v, "most", "");
	uint64_t bound;
	int64_t timeout_ms;
	struct watch *w;

	if (count == NULL || !str_to_u64(most.len > 0 ? most : query(v, "count", "1"), &bound) ||
	    !unit_parse_duration_ms(query(v, "timeout", "30s"), &timeout_ms)) {
		visit_reply_error(v, 400, "needs event=COUNTER and count=N or most=N, timeout=30s");
		return;
	}
	w = NEW(struct watch);
	w->visit = v;
	w->offset = count->offset;
	w->bound = (int64_t)bound;
	w->at_most = most.len > 0;
	list_add_last(&v->node->watches, &w->link);
	timer_init(&w->timer, v->node->loop, on_watch_timeout, w);
	timer_start(&w->timer, timeout_ms);
	v->watch = w;
	v->step = VISIT_WAITING;
	node_wake(v->node);
}

struct control_row {
	enum http_method method;
	const char *path;
	void (*get)(struct visit *v);
	void (*post)(struct visit *v, const cJSON *body);
};

static const struct control_row rows[] = {
    {HTTP_GET, "/sim/state", show_state, NULL}, {HTTP_GET, "/sim/log", show_log, NULL},
    {HTTP_GET, "/sim/wait", begin_watch, NULL}, {HTTP_POST, "/sim/fault", NULL, add_fault},
    {HTTP_POST, "/sim/gate", NULL, close_gate}, {HTTP_POST, "/sim/gate/open", NULL, open_gate},
    {HTTP_POST, "/sim/reset", NULL, reset},
};

static void
handle_post(struct visit *v, const struct control_row *row)
{
	struct buf why = {0};
	struct str text = {buf_text(&v->body), v->body.len};
	cJSON *body = text.len == 0 ? cJSON_CreateObject() : gojson_parse(text, &why);

	if (body == NULL)
		visit_reply_error(v, 400, "%s", buf_text(&why));
	else
		row->post(v, body);
	cJSON_Delete(body);
	buf_finish(&why);
}

void
control_handle(struct visit *v)
{
	const struct http_head *head = front_req_head(v->req);

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].method != head->method || !str_eq(head->path, rows[i].path))
			continue;
		if (rows[i].get != NULL)
			rows[i].get(v);
		else
			handle_post(v, &rows[i]);
		return;
	}
	visit_reply_error(v, 404, "there is no such control");
}
