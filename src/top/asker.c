/*
 * One round: status, requests, metrics, one after another on a connection that is kept. A round
 * begins an interval after the one before began, at the earliest when that is over.
 *
 * Invariants: `exchange` runs exactly while a round is under way, but for the timer that starts
 * it; `action` is an exchange of its own.
 */
#include "asker.h"

#include "base/clock.h"
#include "base/mem.h"
#include "io/exchange.h"
#include "proto/refusal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 5000, ANSWER_MS = 5000, ANSWER_BYTES_MOST = 64 * 1024 * 1024 };

/* What is asked in a round, in this order. */
static const struct {
	const char *target;
	bool (*take)(struct picture *p, const char *text);
} steps[] = {
    {"/admin/v1/status", picture_take_status},
    {"/admin/v1/requests", picture_take_requests},
    {"/metrics", picture_take_metrics},
};

enum { STEPS = sizeof(steps) / sizeof(steps[0]) };

/* An exchange and its answer. */
struct call {
	struct asker *asker;
	struct exchange *exchange; /* owned; NULL: none runs */
	struct buf answer;
	int status;
};

struct asker {
	struct loop *loop;         /* borrowed */
	struct upstream *upstream; /* owned */
	const struct asker_ops *ops;
	void *arg;
	const char *url;
	struct buf headers;
	int64_t interval_ms;
	int64_t began_ms; /* the round */
	struct timer again;
	bool paused;
	struct call round;
	size_t step;
	struct picture *next;  /* owned; of the round under way; NULL: none */
	struct picture *shown; /* owned; NULL: none yet */
	struct call action;
	struct buf target; /* of the action */
	struct buf what;   /* it does */
};

/* --- exchanges --- */

static void
on_head(struct exchange *x, const struct http_head *head, void *arg)
{
	((struct call *)arg)->status = head->status;
}

static void
on_body(struct exchange *x, struct str piece, void *arg)
{
	struct call *c = arg;

	if (c->answer.len + piece.len <= ANSWER_BYTES_MOST)
		buf_add(&c->answer, piece.ptr, piece.len);
}

static void
on_flush(struct exchange *x, void *arg)
{
	/* An answer is looked at when it is whole. */
}

static void
start(struct asker *a, struct call *c, enum http_method method, struct str target, bool fresh,
      const struct exchange_ops *ops)
{
	struct exchange_request req = {
	    .method = method,
	    .target = target,
	    .headers = {a->headers.data, a->headers.len},
	    .fresh = fresh,
	    .first_byte_ms = ANSWER_MS,
	    .idle_ms = ANSWER_MS,
	};

	c->asker = a;
	c->status = 0;
	buf_clear(&c->answer);
	c->exchange = exchange_start(a->upstream, &req, ops, c);
}

static void
explain(const struct call *c, enum exchange_end end, struct buf *out)
{
	const char *url = c->asker->url;

	if (exchange_end_is_connect(end)) {
		buf_addf(out, "no admin API at %s: %s", url, exchange_end_text(end));
	} else if (end != EXCHANGE_DONE) {
		buf_addf(out, "%s: %s", url, exchange_end_text(end));
	} else {
		if (!refusal_read_message((struct str){c->answer.data, c->answer.len}, out))
			buf_addf(out, "%s answered %d", url, c->status);
		if (c->status == 404)
			buf_adds(out, "; is that drover's admin API, and not where clients come in?");
		if (c->status == 401)
			buf_adds(out, "; set DROVER_ADMIN_KEY");
	}
}

/* --- the round --- */

static void ask(struct asker *a, bool fresh);

static void
end_round(struct asker *a)
{
	int64_t left_ms = a->began_ms + a->interval_ms - clock_now_ms();

	if (!a->paused)
		timer_start(&a->again, left_ms > 0 ? left_ms : 1);
}

static void
fail_round(struct asker *a, bool reached, const char *why)
{
	picture_destroy(&a->next);
	end_round(a);
	a->ops->on_failure(reached, why, a->arg);
}

static void
show(struct asker *a)
{
	picture_settle(a->next, a->shown, clock_now_ms());
	picture_destroy(&a->shown);
	a->shown = a->next;
	a->next = NULL;
	end_round(a);
	a->ops->on_picture(a->shown, a->arg);
}

static void
on_answer(struct exchange *x, enum exchange_end end, const char *detail, void *arg)
{
	struct call *c = arg;
	struct asker *a = c->asker;
	struct buf why = {0};

	c->exchange = NULL;
	if (end == EXCHANGE_STALE) { /* it was closed just now; that says nothing */
		ask(a, true);
		return;
	}
	if (end != EXCHANGE_DONE || c->status != 200)
		explain(c, end, &why);
	else if (!steps[a->step].take(a->next, buf_text(&c->answer)))
		buf_addf(&why, "what %s answers makes no sense; is that drover's admin API?", a->url);
	if (why.len > 0)
		fail_round(a, end == EXCHANGE_DONE, buf_text(&why));
	else if (++a->step < STEPS)
		ask(a, false);
	else
		show(a);
	buf_finish(&why);
}

static const struct exchange_ops round_ops = {
    .on_head = on_head,
    .on_body = on_body,
    .on_flush = on_flush,
    .on_end = on_answer,
};

static void
ask(struct asker *a, bool fresh)
{
	start(a, &a->round, HTTP_GET, str_of(steps[a->step].target), fresh, &round_ops);
}

static void
begin_round(void *arg)
{
	struct asker *a = arg;

	a->began_ms = clock_now_ms();
	a->step = 0;
	a->next = picture_create();
	ask(a, false);
}

static void
ask_soon(struct asker *a)
{
	if (a->round.exchange == NULL && !a->paused)
		timer_start(&a->again, 1);
}

void
asker_pause(struct asker *a, bool paused)
{
	a->paused = paused;
	if (paused)
		timer_stop(&a->again);
	else
		ask_soon(a);
}

/* --- actions --- */

static void
on_acted(struct exchange *x, enum exchange_end end, const char *detail, void *arg)
{
	struct call *c = arg;
	struct asker *a = c->asker;
	bool done = end == EXCHANGE_DONE && c->status == 200;
	struct buf why = {0};

	c->exchange = NULL;
	if (!done)
		explain(c, end, &why);
	a->ops->on_acted(done, done ? buf_text(&a->what) : buf_text(&why), a->arg);
	buf_finish(&why);
	ask_soon(a);
}

static const struct exchange_ops action_ops = {
    .on_head = on_head,
    .on_body = on_body,
    .on_flush = on_flush,
    .on_end = on_acted,
};

static void
add_segment(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		if (isalnum((unsigned char)*text) || strchr("-._~", *text) != NULL)
			buf_addc(out, *text);
		else
			buf_addf(out, "%%%02X", (unsigned char)*text);
}

bool
asker_act(struct asker *a, enum http_method method, const char *path, const char *name,
          const char *what)
{
	const char *star = strchr(path, '*');

	if (a->action.exchange != NULL)
		return false;
	buf_clear(&a->target);
	buf_add(&a->target, path, (size_t)(star - path));
	add_segment(&a->target, name);
	buf_adds(&a->target, star + 1);
	buf_clear(&a->what);
	buf_adds(&a->what, what);
	/* On a new connection: what was done once must not be sent again. */
	start(a, &a->action, method, (struct str){a->target.data, a->target.len}, true, &action_ops);
	return true;
}

/* --- its life --- */

struct asker *
asker_create(struct loop *l, const struct top_conf *conf, int64_t interval_ms,
             const struct asker_ops *ops, void *arg, struct buf *why)
{
	struct upstream_conf to = {
	    .url = conf->url, .tls_verify = true, .connect_ms = CONNECT_MS, .idle_max = 1};
	struct asker *a = NEW(struct asker);

	a->loop = l;
	a->ops = ops;
	a->arg = arg;
	a->url = conf->url;
	a->interval_ms = interval_ms;
	buf_adds(&a->headers, "User-Agent: drover\r\n");
	if (conf->admin_key != NULL)
		buf_addf(&a->headers, "Authorization: Bearer %s\r\n", conf->admin_key);
	timer_init(&a->again, l, begin_round, a);
	a->upstream = upstream_create(l, &to, why);
	if (a->upstream == NULL)
		asker_destroy(&a);
	else
		timer_start(&a->again, 1);
	return a;
}

void
asker_destroy(struct asker **ap)
{
	struct asker *a = *ap;

	*ap = NULL;
	if (a == NULL)
		return;
	timer_finish(&a->again);
	exchange_cancel(&a->round.exchange);
	exchange_cancel(&a->action.exchange);
	upstream_destroy(&a->upstream);
	picture_destroy(&a->next);
	picture_destroy(&a->shown);
	buf_finish(&a->round.answer);
	buf_finish(&a->action.answer);
	buf_finish(&a->headers);
	buf_finish(&a->target);
	buf_finish(&a->what);
	free(a);
}
