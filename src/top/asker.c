/*
 * One round: status, requests, metrics, one after another on a connection that is kept. A round
 * begins an interval after the one before began, at the earliest when that is over.
 *
 * Invariants: `round` is there exactly while a round is under way, but for the timer that starts
 * it; `action` is a fetch of its own.
 */
#include "asker.h"

#include "base/clock.h"
#include "base/mem.h"
#include "io/admin_client.h"
#include "io/fetch.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 5000 };

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

struct asker {
	struct loop *loop; /* borrowed */
	struct admin_client client;
	const struct asker_ops *ops;
	void *arg;
	int64_t interval_ms;
	int64_t began_ms; /* the round */
	struct timer again;
	bool paused;
	struct fetch *round; /* owned; NULL: none is under way */
	size_t step;
	struct picture *next;  /* owned; of the round under way; NULL: none */
	struct picture *shown; /* owned; NULL: none yet */
	struct fetch *action;  /* owned; NULL: none is under way */
	struct buf what;       /* it does */
};

/* --- the round --- */

static void ask(struct asker *a);

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
on_answer(struct fetch *f, enum exchange_end end, int status, struct str type, struct str body,
          void *arg)
{
	struct asker *a = arg;
	struct buf why = {0};

	a->round = NULL;
	if (end != EXCHANGE_DONE || status != 200)
		admin_client_explain(&a->client, end, status, body, &why);
	else if (!steps[a->step].take(a->next, body.ptr))
		buf_addf(&why, "what %s answers makes no sense; is that drover's admin API?",
		         a->client.url);
	if (why.len > 0)
		fail_round(a, end == EXCHANGE_DONE, buf_text(&why));
	else if (++a->step < STEPS)
		ask(a);
	else
		show(a);
	buf_finish(&why);
}

static struct fetch *
start(struct asker *a, enum http_method method, struct str target, fetch_callback cb)
{
	struct exchange_request req = admin_client_request(&a->client, method, target, ANSWER_MS);

	return fetch_start(a->client.upstream, &req, ADMIN_CLIENT_ANSWER_MAX, cb, a);
}

static void
ask(struct asker *a)
{
	a->round = start(a, HTTP_GET, str_of(steps[a->step].target), on_answer);
}

static void
begin_round(void *arg)
{
	struct asker *a = arg;

	a->began_ms = clock_now_ms();
	a->step = 0;
	a->next = picture_create();
	ask(a);
}

static void
ask_soon(struct asker *a)
{
	if (a->round == NULL && !a->paused)
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
on_acted(struct fetch *f, enum exchange_end end, int status, struct str type, struct str body,
         void *arg)
{
	struct asker *a = arg;
	bool done = end == EXCHANGE_DONE && status == 200;
	struct buf why = {0};

	a->action = NULL;
	if (!done)
		admin_client_explain(&a->client, end, status, body, &why);
	a->ops->on_acted(done, done ? buf_text(&a->what) : buf_text(&why), a->arg);
	buf_finish(&why);
	ask_soon(a);
}

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
	struct buf target = {0};

	if (a->action != NULL)
		return false;
	buf_add(&target, path, (size_t)(star - path));
	add_segment(&target, name);
	buf_adds(&target, star + 1);
	buf_clear(&a->what);
	buf_adds(&a->what, what);
	a->action = start(a, method, (struct str){target.data, target.len}, on_acted);
	buf_finish(&target);
	return true;
}

/* --- its life --- */

struct asker *
asker_create(struct loop *l, const struct top_conf *conf, int64_t interval_ms,
             const struct asker_ops *ops, void *arg, struct buf *why)
{
	struct asker *a = NEW(struct asker);

	a->loop = l;
	a->ops = ops;
	a->arg = arg;
	a->interval_ms = interval_ms;
	timer_init(&a->again, l, begin_round, a);
	if (admin_client_init(&a->client, l, conf->url, conf->admin_key, why))
		timer_start(&a->again, 1);
	else
		asker_destroy(&a);
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
	fetch_cancel(&a->round);
	fetch_cancel(&a->action);
	admin_client_finish(&a->client);
	picture_destroy(&a->next);
	picture_destroy(&a->shown);
	buf_finish(&a->what);
	free(a);
}
