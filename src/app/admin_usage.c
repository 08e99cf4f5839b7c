/* Who used what, as the admin API tells it: JSON, or CSV for a spreadsheet. */
#include "app/accounts.h"
#include "app/admin_impl.h"
#include "app/gateway.h"
#include "base/clock.h"
#include "base/unit.h"
#include "core/tally.h"

#include <string.h>
#include <time.h>

enum { DAY_MS = 24 * 3600 * 1000 };

struct query {
	unsigned by; /* of enum tally_by */
	int64_t since_ms;
	bool csv;
};

/* ---- what is asked for ---- */

static const struct {
	const char *name;
	enum tally_by by;
} parts[] = {{"hour", TALLY_BY_HOUR}, {"key", TALLY_BY_KEY}, {"model", TALLY_BY_MODEL}};

enum { PARTS = sizeof(parts) / sizeof(parts[0]) };

static bool
read_by(struct str text, unsigned *by)
{
	struct str part;

	*by = 0;
	/* Nothing: one row of all. */
	while (text.len > 0 && str_split(&text, ',', &part)) {
		size_t i = 0;

		while (i < PARTS && !str_eq(part, parts[i].name))
			i++;
		if (i == PARTS)
			return false;
		*by |= (unsigned)parts[i].by;
	}
	return true;
}

static bool
read_parameter(struct str name, struct str value, struct query *q)
{
	if (str_eq(name, "by"))
		return read_by(value, &q->by);
	if (str_eq(name, "since"))
		return unit_parse_duration_ms(value, &q->since_ms) && q->since_ms > 0;
	if (!str_eq(name, "format"))
		return false;
	q->csv = str_eq(value, "csv");
	return q->csv || str_eq(value, "json");
}

/* False: the call was refused. */
static bool
read_query(struct admin_call *c, struct query *q)
{
	struct str target = front_req_head(c->client)->target, path, pair, name;

	*q = (struct query){.by = TALLY_BY_KEY | TALLY_BY_MODEL, .since_ms = DAY_MS};
	(void)str_split(&target, '?', &path);
	while (target.ptr != NULL && str_split(&target, '&', &pair)) {
		if (pair.len == 0)
			continue;
		(void)str_split(&pair, '=', &name);
		if (pair.ptr == NULL || !read_parameter(name, pair, q)) {
			admin_fail(c, 400,
			           "%.*s: give by=hour,key,model (or some of them), since=24h, "
			           "format=json or csv",
			           STR_ARG(name));
			return false;
		}
	}
	return true;
}

/* ---- rows ---- */

struct writer {
	unsigned by;
	struct buf *out;
	bool began;
};

static void
add_hour(int64_t hour, struct buf *out)
{
	time_t seconds = (time_t)(hour * (TALLY_HOUR_MS / 1000));
	char text[32];
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:00:00Z", &utc);
	buf_adds(out, text);
}

static void
add_seconds(int64_t ms, struct buf *out)
{
	buf_addf(out, "%lld.%03lld", (long long)(ms / 1000), (long long)(ms % 1000));
}

static void
add_member(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, "\"%s\":", name);
	buf_add_json(out, value, strlen(value));
	buf_addc(out, ',');
}

static void
add_json_row(const struct tally_row *row, void *arg)
{
	struct writer *w = arg;
	const struct tally_count *n = &row->count;

	buf_adds(w->out, w->began ? ",{" : "{");
	w->began = true;
	if (w->by & TALLY_BY_HOUR) {
		buf_adds(w->out, "\"hour\":\"");
		add_hour(row->hour, w->out);
		buf_adds(w->out, "\",");
	}
	if (w->by & TALLY_BY_KEY)
		add_member(w->out, "key", row->key);
	if (w->by & TALLY_BY_MODEL)
		add_member(w->out, "model", row->model);
	buf_addf(w->out, "\"requests\":%lld,\"prompt_tokens\":%lld,\"output_tokens\":%lld,\"seconds\":",
	         (long long)n->requests, (long long)n->prompt_tokens, (long long)n->output_tokens);
	add_seconds(n->slot_ms, w->out);
	buf_adds(w->out, ",\"waited_seconds\":");
	add_seconds(n->waited_ms, w->out);
	buf_addf(w->out, ",\"cached\":%lld,\"refused\":{", (long long)n->cached);
	for (int r = 0; r < TALLY_REFUSALS; r++)
		buf_addf(w->out, "%s\"%s\":%lld", r == 0 ? "" : ",",
		         tally_refusal_name((enum tally_refusal)r), (long long)n->refused[r]);
	buf_adds(w->out, "}}");
}

/* Names of keys and models have no comma that is not quoted, and no line feed. */
static void
add_csv_text(const char *text, struct buf *out)
{
	buf_addc(out, '"');
	for (; *text != '\0'; text++)
		buf_addf(out, *text == '"' ? "\"\"" : "%c", *text);
	buf_adds(out, "\",");
}

static void
add_csv_row(const struct tally_row *row, void *arg)
{
	struct writer *w = arg;
	const struct tally_count *n = &row->count;

	if (w->by & TALLY_BY_HOUR) {
		add_hour(row->hour, w->out);
		buf_addc(w->out, ',');
	}
	if (w->by & TALLY_BY_KEY)
		add_csv_text(row->key, w->out);
	if (w->by & TALLY_BY_MODEL)
		add_csv_text(row->model, w->out);
	buf_addf(w->out, "%lld,%lld,%lld,", (long long)n->requests, (long long)n->prompt_tokens,
	         (long long)n->output_tokens);
	add_seconds(n->slot_ms, w->out);
	buf_addc(w->out, ',');
	add_seconds(n->waited_ms, w->out);
	buf_addf(w->out, ",%lld", (long long)n->cached);
	for (int r = 0; r < TALLY_REFUSALS; r++)
		buf_addf(w->out, ",%lld", (long long)n->refused[r]);
	buf_adds(w->out, "\r\n");
}

static void
add_csv_head(unsigned by, struct buf *out)
{
	for (int i = 0; i < PARTS; i++)
		if (by & (unsigned)parts[i].by)
			buf_addf(out, "%s,", parts[i].name);
	buf_adds(out, "requests,prompt_tokens,output_tokens,seconds,waited_seconds,cached");
	for (int r = 0; r < TALLY_REFUSALS; r++)
		buf_addf(out, ",refused_%s", tally_refusal_name((enum tally_refusal)r));
	buf_adds(out, "\r\n");
}

void
admin_show_usage(struct admin_call *c)
{
	const struct tally *t = accounts_tally(c->gateway->accounts);
	struct buf text = {0};
	struct writer w = {.out = &text};
	struct query q;
	int64_t since;

	if (!read_query(c, &q))
		return;
	w.by = q.by;
	since = clock_wall_ms() - q.since_ms;
	if (q.csv) {
		add_csv_head(q.by, &text);
		tally_sum(t, since, q.by, add_csv_row, &w);
		admin_reply_text(c, "text/csv; charset=utf-8", &text);
		return;
	}
	buf_adds(&text, "{\"since\":\"");
	add_hour((since > 0 ? since : 0) / TALLY_HOUR_MS, &text);
	buf_adds(&text, "\",\"rows\":[");
	tally_sum(t, since, q.by, add_json_row, &w);
	buf_adds(&text, "]}");
	admin_reply(c, 200, &text);
}
