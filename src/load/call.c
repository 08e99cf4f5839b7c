/*
 * One request. A connection that the server had closed while it was idle is no
 * failure: the request is sent again on another, and its time goes on.
 */
#include "call.h"

#include "base/clock.h"
#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STALE_TRIES = 8 };

static void send_it(struct call *c);

static void
end(struct call *c, enum outcome_end how, const char *why)
{
	struct outcome *o = &c->outcome;

	timer_stop(&c->limit);
	c->exchange = NULL;
	o->end = how;
	o->why = why;
	o->end_us = clock_now_us();
	o->first_us = c->world->plan->stream ? c->answer.first_us : 0;
	o->tokens = c->answer.tokens;
	o->facts = &c->answer.facts;
	o->gaps_us = c->answer.gaps.us;
	o->gap_count = c->world->plan->stream ? c->answer.gaps.count : 0;
	c->world->ops->on_end(c, o, c->world->arg);
}

/* --- what the head says --- */

static enum cache_word
read_cache_word(struct str text)
{
	static const struct {
		const char *text;
		enum cache_word word;
	} words[] = {
	    {"hit", CACHE_HIT},     {"miss", CACHE_MISS},     {"joined", CACHE_JOINED},
	    {"stale", CACHE_STALE}, {"bypass", CACHE_BYPASS},
	};

	for (size_t i = 0; text.ptr != NULL && i < sizeof(words) / sizeof(words[0]); i++)
		if (str_eq_nocase(text, words[i].text))
			return words[i].word;
	return CACHE_NOT_SAID;
}

static void
on_head(struct exchange *x, const struct http_head *head, void *arg)
{
	struct call *c = arg;
	struct str queue = http_find_header(head, "X-Drover-Queue-Ms");
	struct str type = http_find_header(head, "Content-Type");
	uint64_t ms;

	c->outcome.status = head->status;
	c->outcome.cache = read_cache_word(http_find_header(head, "X-Drover-Cache"));
	if (queue.ptr != NULL && str_to_u64(queue, &ms))
		c->outcome.queue_ms = (int64_t)ms;
	answer_begin(&c->answer, type.ptr == NULL ? (struct str){"", 0} : type);
}

static void
on_body(struct exchange *x, struct str piece, void *arg)
{
	struct call *c = arg;
	int64_t before = c->answer.tokens, now_us = clock_now_us();

	answer_feed(&c->answer, piece, now_us);
	if (c->answer.tokens > before)
		c->world->ops->on_tokens(c, c->answer.tokens - before, now_us, c->world->arg);
}

static void
on_flush(struct exchange *x, void *arg)
{
}

/* --- how it ends --- */

/* An error's text where the body has one, else the body's kind. */
static void
end_refused(struct call *c)
{
	const char *said = c->answer.facts.error;

	answer_end(&c->answer, false, clock_now_us());
	snprintf(c->why, sizeof(c->why), "%s",
	         c->answer.bad || said[0] == '\0' ? http_reason(c->outcome.status) : said);
	end(c, OUTCOME_REFUSED, c->why);
}

static void
end_answered(struct call *c)
{
	if (c->outcome.status >= 400) {
		end_refused(c);
	} else if (c->outcome.status >= 300) {
		snprintf(c->why, sizeof(c->why), "redirected (%d): give the address that it leads to",
		         c->outcome.status);
		end(c, OUTCOME_BROKEN, c->why);
	} else if (answer_end(&c->answer, c->world->plan->stream, clock_now_us())) {
		end(c, OUTCOME_WHOLE, NULL);
	} else {
		end(c, OUTCOME_BROKEN, c->answer.facts.error);
	}
}

static void
end_failed(struct call *c, enum exchange_end how, const char *why)
{
	const char *detail = exchange_end_detail(how, why);

	snprintf(c->why, sizeof(c->why), "%s%s%s", exchange_end_text(how), detail == NULL ? "" : ": ",
	         detail == NULL ? "" : detail);
	end(c, c->outcome.status > 0 ? OUTCOME_BROKEN : OUTCOME_NO_ANSWER, c->why);
}

static void
on_end(struct exchange *x, enum exchange_end how, const char *why, void *arg)
{
	struct call *c = arg;

	c->exchange = NULL;
	if (how == EXCHANGE_DONE)
		end_answered(c);
	else if (how == EXCHANGE_STALE && ++c->tries < STALE_TRIES)
		send_it(c);
	else
		end_failed(c, how, why);
}

static void
on_limit(void *arg)
{
	call_cancel(arg, OUTCOME_TOO_LATE);
}

/* --- life --- */

static const struct exchange_ops exchange_ops = {
    .on_head = on_head, .on_body = on_body, .on_flush = on_flush, .on_end = on_end};

static void
send_it(struct call *c)
{
	const struct plan *plan = c->world->plan;
	struct exchange_request req = {
	    .method = HTTP_POST,
	    .target = str_of(plan->api->target),
	    .headers = c->headers,
	    .body = {c->body.data, c->body.len},
	};

	c->exchange = exchange_start(c->world->upstream, &req, &exchange_ops, c);
}

struct call *
call_create(const struct call_world *world)
{
	struct call *c = NEW(struct call);

	c->world = world;
	answer_init(&c->answer);
	timer_init(&c->limit, world->loop, on_limit, c);
	list_init(&c->link);
	return c;
}

void
call_destroy(struct call **cp)
{
	struct call *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	assert(c->exchange == NULL);
	timer_finish(&c->limit);
	answer_finish(&c->answer);
	buf_finish(&c->body);
	free(c);
}

void
call_begin(struct call *c, const struct shot *shot, struct str headers, int64_t due_us)
{
	answer_restart(&c->answer);
	c->outcome = (struct outcome){
	    .shot = *shot,
	    .due_us = due_us,
	    .queue_ms = -1,
	};
	c->headers = headers;
	c->tries = 0;
	timer_start(&c->limit, c->world->plan->timeout_ms);
	send_it(c);
}

void
call_cancel(struct call *c, enum outcome_end how)
{
	exchange_cancel(&c->exchange);
	end(c, how, how == OUTCOME_TOO_LATE ? "no whole answer within --timeout" : NULL);
}
