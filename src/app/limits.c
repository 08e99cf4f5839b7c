/* The limits of who calls. */
#include "app/limits.h"

#include "app/gateway.h"
#include "app/request.h"
#include "base/clock.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

static void
refuse(struct request *r, enum limit_answer answer, int64_t retry_after_ms)
{
	const struct limit_conf *conf = limit_conf_of(r->caller->limit);
	struct buf when = {0}, what = {0};

	unit_add_go_duration_ms(&when, retry_after_ms);
	switch (answer) {
	case LIMIT_FREE: abort();
	case LIMIT_REQUESTS:
		r->refused_for = "requests_per_minute";
		buf_addf(&what, "%lld requests per minute", (long long)conf->requests_per_minute);
		break;
	case LIMIT_TOKENS:
		r->refused_for = "tokens_per_minute";
		buf_addf(&what, "%lld tokens per minute", (long long)conf->tokens_per_minute);
		break;
	case LIMIT_CONCURRENT:
		r->refused_for = "concurrent";
		buf_addf(&what, "%lld requests at once", (long long)conf->concurrent);
		break;
	}
	request_fail(r, JOB_REFUSED, 429, retry_after_ms,
	             "rate limit reached: %s for %s; please try again in %s", buf_text(&what),
	             r->caller->name, buf_text(&when));
	buf_finish(&what);
	buf_finish(&when);
}

bool
limits_enter(struct request *r, const struct job *j)
{
	int64_t retry_after_ms;
	enum limit_answer answer;

	if (r->stay.inside)
		return true;
	answer = limit_enter(r->caller->limit, &r->stay, j->prompt_tokens, j->most_output_tokens,
	                     clock_now_ms(), &retry_after_ms);

	if (answer != LIMIT_FREE)
		refuse(r, answer, retry_after_ms);
	return answer == LIMIT_FREE;
}

/* Answers of some routes bring no counts: the prompt was read all the same. */
static bool
is_uncounted(const struct request *r, enum job_end end)
{
	bool of_node = r->attempts > 0 && (r->cache == NULL || strcmp(r->cache, "stale") != 0);

	return end == JOB_DONE && r->status == 200 && of_node && !r->facts.load_only;
}

void
limits_leave(struct request *r, enum job_end end)
{
	bool was_given_up = end == JOB_CLIENT_GONE || end == JOB_DEADLINE;
	int64_t now = clock_now_ms();
	struct limit *l;

	if (r->caller == NULL)
		return;
	l = r->caller->limit;
	if (r->usage_known)
		limit_charge(l, &r->stay, r->usage.prompt, r->usage.output, now);
	else if (is_uncounted(r, end))
		limit_charge(l, &r->stay, r->stay.prompt, 0, now);
	else if (r->attempts == 0 || !was_given_up)
		limit_charge_nothing(l, &r->stay, now);
	limit_leave(l, &r->stay, now);
}

static void
add_figures(const char *what, struct limit_figures f, struct buf *out)
{
	if (f.limit == 0)
		return;
	buf_addf(out, "x-ratelimit-limit-%s: %lld\r\nx-ratelimit-remaining-%s: %lld\r\n", what,
	         (long long)f.limit, what, (long long)f.left);
	buf_addf(out, "x-ratelimit-reset-%s: ", what);
	unit_add_go_duration_ms(out, f.reset_ms);
	buf_adds(out, "\r\n");
}

void
limits_add_headers(const struct request *r, struct buf *out)
{
	int64_t now = clock_now_ms();

	if (r->caller == NULL || r->route == NULL || r->route->kind != ROUTE_RUN)
		return;
	add_figures("requests", limit_requests(r->caller->limit, now), out);
	add_figures("tokens", limit_tokens(r->caller->limit, now), out);
}

/* One of the rates; null where it has no bound. */
static void
add_rate(const char *name, struct limit_figures f, struct buf *json)
{
	if (f.limit == 0)
		buf_addf(json, "\"%s\":null", name);
	else
		buf_addf(json, "\"%s\":{\"limit\":%lld,\"remaining\":%lld,\"reset_ms\":%lld}", name,
		         (long long)f.limit, (long long)f.left, (long long)f.reset_ms);
}

void
limits_add_json(struct limit *l, struct buf *json)
{
	int64_t now = clock_now_ms(), concurrent = limit_conf_of(l)->concurrent;

	buf_adds(json, ",\"limits\":{");
	add_rate("requests_per_minute", limit_requests(l, now), json);
	buf_addc(json, ',');
	add_rate("tokens_per_minute", limit_tokens(l, now), json);
	buf_addc(json, ',');
	if (concurrent == 0)
		buf_adds(json, "\"concurrent\":null");
	else
		buf_addf(json, "\"concurrent\":{\"limit\":%lld,\"used\":%lld}", (long long)concurrent,
		         (long long)limit_inside(l));
	buf_addc(json, '}');
}
