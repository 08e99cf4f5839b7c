/* The data of a board's events. */
#include "app/board_text.h"

#include "app/admin_show.h"
#include "app/gateway.h"
#include "app/limits.h"
#include "app/request.h"
#include "core/history.h"

#include <string.h>

/* An array that is written: how many it has, and how many it left out. */
struct rows {
	struct buf *json;
	int most;
	int count;
	int left_out;
};

static bool
begin_row(struct rows *rows)
{
	if (rows->count == rows->most) {
		rows->left_out++;
		return false;
	}
	if (rows->count++ > 0)
		buf_addc(rows->json, ',');
	return true;
}

/* --- requests --- */

static bool
waits(const struct request *r)
{
	const struct job *j = request_job(r);

	return j != NULL && j->state == JOB_QUEUED;
}

static void
add_requests(const struct gateway *g, bool waiting, int most, int64_t now_ms, struct buf *json)
{
	const char *name = waiting ? "waiting" : "running";
	struct rows rows = {.json = json, .most = most};
	const struct request *r;

	buf_addf(json, "\"%s\":[", name);
	LIST_FOR_EACH (r, &g->requests, struct request, link)
		if (waits(r) == waiting && begin_row(&rows))
			admin_add_request(r, now_ms, json);
	buf_addf(json, "],\"%s_left_out\":%d", name, rows.left_out);
}

/* --- keys --- */

static void
add_caller(struct caller *who, void *arg)
{
	struct rows *rows = arg;
	const struct limit_conf *conf = limit_conf_of(who->limit);

	/* Addresses are remembered for long: those that nobody calls from are of no interest. */
	if ((who->key == NULL && who->requests == 0) || !begin_row(rows))
		return;
	buf_adds(rows->json, "{\"name\":");
	buf_add_json(rows->json, who->name, strlen(who->name));
	/* Requests may come by `burst` at once, and tokens by a minute's worth. */
	buf_addf(rows->json, ",\"is_key\":%s,\"admin\":%s,\"requests\":%d,\"burst\":%lld",
	         who->key != NULL ? "true" : "false",
	         who->key != NULL && who->key->admin ? "true" : "false", who->requests,
	         (long long)(conf->burst == 0 ? 1 : conf->burst));
	limits_add_json(who->limit, rows->json);
	buf_addc(rows->json, '}');
}

static void
add_keys(const struct gateway *g, struct buf *json)
{
	struct rows rows = {.json = json, .most = BOARD_KEYS_MOST};

	buf_adds(json, ",\"keys\":[");
	callers_each(g->callers, add_caller, &rows);
	buf_addf(json, "],\"keys_left_out\":%d", rows.left_out);
}

void
board_add_state(const struct gateway *g, int64_t began_wall_ms, int64_t now_ms, struct buf *json)
{
	buf_addf(json, "{\"version\":\"%s\",\"began_at_ms\":%lld,", DROVER_VERSION,
	         (long long)began_wall_ms);
	admin_add_state(g, now_ms, json);
	buf_adds(json, ",\"requests\":{");
	add_requests(g, true, BOARD_WAITING_MOST, now_ms, json);
	buf_addc(json, ',');
	add_requests(g, false, BOARD_RUNNING_MOST, now_ms, json);
	buf_addc(json, '}');
	add_keys(g, json);
	buf_addc(json, '}');
}

/* --- the last hour --- */

static int64_t
tokens(const struct history_point *p)
{
	return p->tokens;
}

static int64_t
first_p50(const struct history_point *p)
{
	return p->first_p50_ms;
}

static int64_t
first_p95(const struct history_point *p)
{
	return p->first_p95_ms;
}

static int64_t
waiting(const struct history_point *p)
{
	return p->waiting;
}

static int64_t
running(const struct history_point *p)
{
	return p->running;
}

static int64_t
asked(const struct history_point *p)
{
	return p->asked;
}

static int64_t
hits(const struct history_point *p)
{
	return p->hits;
}

static int64_t
ended(const struct history_point *p)
{
	return p->ended;
}

static int64_t
failed(const struct history_point *p)
{
	return p->failed;
}

static const struct {
	const char *name;
	int64_t (*read)(const struct history_point *p);
} columns[] = {
    {"tokens", tokens},          {"first_p50_ms", first_p50},
    {"first_p95_ms", first_p95}, {"waiting", waiting},
    {"running", running},        {"cache_asked", asked},
    {"cache_hits", hits},        {"ended", ended},
    {"failed", failed},
};

/* Below 0 stands for: not known. */
static void
add_column(const struct history *h, uint64_t from, int64_t (*read)(const struct history_point *p),
           struct buf *json)
{
	for (uint64_t n = from; n < history_now(h); n++) {
		int64_t value = read(history_point(h, n));

		if (n > from)
			buf_addc(json, ',');
		if (value < 0)
			buf_adds(json, "null");
		else
			buf_add_int(json, value);
	}
}

void
board_add_history(const struct history *h, uint64_t from, struct buf *json)
{
	if (from < history_first(h))
		from = history_first(h);
	buf_addf(json, "{\"step_ms\":%lld,\"first\":%llu", (long long)history_step_ms(h),
	         (unsigned long long)from);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		buf_addf(json, ",\"%s\":[", columns[i].name);
		add_column(h, from, columns[i].read, json);
		buf_addc(json, ']');
	}
	buf_addc(json, '}');
}
