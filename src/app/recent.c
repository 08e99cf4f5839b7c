/*
 * The last requests that an operator wants to see. A row is kept as the text that is shown.
 *
 * Invariant: of each kind, rows[added % ROWS] is the oldest once `added` >= ROWS, and the next to
 * be replaced.
 */
#include "app/recent.h"

#include "app/config.h"
#include "app/gateway.h"
#include "app/request.h"
#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum kind { FAILED, REFUSED, SLOW, KINDS };
enum { ROWS = 40 };

struct row {
	uint64_t number;
	char *json; /* owned; NULL: none yet */
};

struct recent {
	struct row rows[KINDS][ROWS];
	uint64_t added[KINDS];
	uint64_t next;
};

static const char *
kind_name(enum kind k)
{
	switch (k) {
	case FAILED: return "failed";
	case REFUSED: return "refused";
	case SLOW: return "slow";
	case KINDS: break;
	}
	abort();
}

static bool
is_slow(const struct request *r, int64_t took_ms)
{
	int64_t slow_ms = r->config->settings.log.slow;

	return slow_ms > 0 && took_ms >= slow_ms;
}

/* What a node answered counts too: its 500 is a failure, its 404 a refusal. Nobody is to blame for
 * a client that left. KINDS: of none. */
static enum kind
kind_of(const struct request *r, enum job_end end, int64_t took_ms)
{
	if (end == JOB_BACKEND_ERROR || end == JOB_DEADLINE ||
	    (r->status >= 500 && end != JOB_CLIENT_GONE))
		return FAILED;
	if (r->status >= 400 && end != JOB_CLIENT_GONE)
		return REFUSED;
	return is_slow(r, took_ms) ? SLOW : KINDS;
}

/* --- the text of a row --- */

static void
add_text(struct buf *json, const char *name, const char *text)
{
	buf_addf(json, ",\"%s\":", name);
	if (text == NULL || *text == '\0')
		buf_adds(json, "null");
	else
		buf_add_json(json, text, strlen(text));
}

static void
add_number(struct buf *json, const char *name, bool known, int64_t value)
{
	buf_addf(json, ",\"%s\":", name);
	if (known)
		buf_add_int(json, value);
	else
		buf_adds(json, "null");
}

static char *
make_text(const struct recent *t, const struct request *r, enum kind k, enum job_end end,
          int64_t took_ms)
{
	struct buf json = {0};

	buf_addf(&json, "{\"number\":%llu,\"at_ms\":%lld,\"kind\":\"%s\",\"status\":%d,\"end\":\"%s\"",
	         (unsigned long long)t->next, (long long)clock_wall_ms(), kind_name(k), r->status,
	         job_end_name(end));
	add_text(&json, "reason",
	         end == JOB_REFUSED ? meter_refusal_reason(r->gateway->meter, r) : NULL);
	add_text(&json, "id", r->id);
	add_text(&json, "key", request_key(r));
	add_text(&json, "model", r->facts.model);
	add_text(&json, "route", r->route == NULL ? NULL : r->route->path);
	add_text(&json, "backend", r->backend);
	add_number(&json, "waited_ms", true, r->waited_ms);
	add_number(&json, "took_ms", true, took_ms);
	add_number(&json, "tokens", r->usage_known, r->usage.output);
	buf_addc(&json, '}');
	return buf_take(&json);
}

/* --- rows --- */

void
recent_saw_end(struct recent *t, const struct request *r, enum job_end end)
{
	int64_t took_ms = clock_now_ms() - r->began_ms;
	enum kind k = kind_of(r, end, took_ms);
	struct row *row;

	if (k == KINDS)
		return;
	row = &t->rows[k][t->added[k]++ % ROWS];
	free(row->json);
	row->number = t->next;
	row->json = make_text(t, r, k, end, took_ms);
	t->next++;
}

uint64_t
recent_next(const struct recent *t)
{
	return t->next;
}

/* The row of least number, from `from` on; NULL: none. */
static const struct row *
find_from(const struct recent *t, uint64_t from)
{
	const struct row *found = NULL;

	for (int k = 0; k < KINDS; k++)
		for (int i = 0; i < ROWS; i++) {
			const struct row *row = &t->rows[k][i];

			if (row->json != NULL && row->number >= from &&
			    (found == NULL || row->number < found->number))
				found = row;
		}
	return found;
}

void
recent_add_json(const struct recent *t, uint64_t from, struct buf *json)
{
	const struct row *row;
	const char *between = "";

	while ((row = find_from(t, from)) != NULL) {
		buf_adds(json, between);
		buf_adds(json, row->json);
		between = ",";
		from = row->number + 1;
	}
}

struct recent *
recent_create(void)
{
	return NEW(struct recent);
}

void
recent_destroy(struct recent **tp)
{
	struct recent *t = *tp;

	*tp = NULL;
	if (t == NULL)
		return;
	for (int k = 0; k < KINDS; k++)
		for (int i = 0; i < ROWS; i++)
			free(t->rows[k][i].json);
	free(t);
}
