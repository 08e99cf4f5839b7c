/*
 * The board: notes the last hour, and tells those who watch.
 *
 * Invariants: the timer runs while the gateway lives; a watcher that does not need all has had
 * every event since it was told all; `state` is empty unless somebody watched in the last turn.
 */
#include "app/board.h"

#include "app/answers.h"
#include "app/board_text.h"
#include "app/gateway.h"
#include "app/recent.h"
#include "app/request.h"
#include "base/clock.h"
#include "base/mem.h"
#include "core/history.h"

#include <stdlib.h>
#include <string.h>

enum {
	TURN_MS = 1000,
	SOONEST_MS = 200, /* after a turn comes the next, whoever wants to see something */
	RETRY_MS = 1000,  /* how soon a watcher that lost its connection comes again */
	STEP_MS = 10000,
	STEPS = 360,
	SILENCE_TURNS = 5, /* without news there is a comment */
};

struct board {
	struct gateway *gateway; /* borrowed */
	struct history *history; /* owned */
	struct recent *recent;   /* owned */
	struct timer timer;
	int64_t turned_ms; /* the last turn */
	int64_t began_wall_ms;
	uint64_t asked, hits; /* of the answers, when they were read last */
	struct list watchers; /* of struct board_watcher, by link; the calls own them */
	int watcher_count;
	uint64_t sequence;  /* of the last event */
	struct buf state;   /* as it was told last */
	uint64_t points;    /* so many were told */
	uint64_t recents;   /* likewise */
	int silent_turns;   /* nothing was told */
	struct buf scratch; /* memory of the next state */
};

/* --- what is noted --- */

static int64_t
count_of(struct request *r)
{
	int64_t tokens = request_tokens(r);
	int64_t more = tokens < 0 ? 0 : tokens - r->tokens_noted;

	r->tokens_noted += more;
	return more;
}

static void
note_tokens(struct board *b)
{
	struct request *r;

	LIST_FOR_EACH (r, &b->gateway->requests, struct request, link)
		history_saw_tokens(b->history, count_of(r));
}

static void
note_cache(struct board *b)
{
	const struct answers *a = b->gateway->answers;
	uint64_t hits = a->hits + a->joined + a->stale, asked = hits + a->misses;

	history_saw_cache(b->history, (int)(asked - b->asked), (int)(hits - b->hits));
	b->asked = asked;
	b->hits = hits;
}

static void
note(struct board *b, int64_t now_ms)
{
	const struct sched *s = b->gateway->sched;

	note_tokens(b);
	note_cache(b);
	history_saw_load(b->history, sched_waiting(s), sched_running(s));
	history_advance(b->history, now_ms);
}

void
board_saw_first_token(struct board *b, int64_t after_ms)
{
	history_saw_first_token(b->history, after_ms);
}

void
board_saw_end(struct board *b, struct request *r, enum job_end end)
{
	history_saw_tokens(b->history, count_of(r));
	history_saw_end(b->history, end == JOB_BACKEND_ERROR || end == JOB_DEADLINE);
	recent_saw_end(b->recent, r, end);
}

/* --- events --- */

static void
begin_event(struct board *b, const char *name, struct buf *out)
{
	buf_addf(out, "event: %s\nid: %llu\ndata: ", name, (unsigned long long)++b->sequence);
}

static void
end_event(struct buf *out)
{
	buf_adds(out, "\n\n");
}

static void
add_state(struct board *b, struct buf *out)
{
	begin_event(b, "state", out);
	buf_add(out, b->state.data, b->state.len);
	end_event(out);
}

static void
add_history(struct board *b, uint64_t from, struct buf *out)
{
	begin_event(b, "history", out);
	board_add_history(b->history, from, out);
	end_event(out);
}

static void
add_recent(struct board *b, uint64_t from, struct buf *out)
{
	begin_event(b, "recent", out);
	buf_adds(out, "{\"rows\":[");
	recent_add_json(b->recent, from, out);
	buf_adds(out, "]}");
	end_event(out);
}

/* False: the same as before. */
static bool
renew_state(struct board *b, int64_t now_ms)
{
	struct buf old = b->state;
	bool same;

	b->state = b->scratch;
	buf_clear(&b->state);
	board_add_state(b->gateway, b->began_wall_ms, now_ms, &b->state);
	same = old.len == b->state.len && memcmp(old.data, b->state.data, old.len) == 0;
	b->scratch = old;
	return !same;
}

/* What all have to be told; empty: nothing. */
static void
add_news(struct board *b, bool state_changed, struct buf *out)
{
	if (state_changed)
		add_state(b, out);
	if (b->points < history_now(b->history))
		add_history(b, b->points, out);
	if (b->recents < recent_next(b->recent))
		add_recent(b, b->recents, out);
	b->silent_turns = out->len == 0 ? b->silent_turns + 1 : 0;
	if (b->silent_turns < SILENCE_TURNS)
		return;
	buf_adds(out, ": nothing new\n\n");
	b->silent_turns = 0;
}

static void
add_all(struct board *b, struct buf *out)
{
	buf_addf(out, "retry: %d\n\n", RETRY_MS);
	add_state(b, out);
	add_history(b, 0, out);
	add_recent(b, 0, out);
}

static void
tell(struct board_watcher *w, const struct buf *text)
{
	if (text->len == 0)
		return;
	front_reply_body(w->client, (struct str){text->data, text->len});
	front_reply_flush(w->client);
}

/* What is written now may find that its client is gone; it is told so later. */
static void
tell_all(struct board *b, const struct buf *news)
{
	struct buf all = {0};
	struct board_watcher *w;

	LIST_FOR_EACH (w, &b->watchers, struct board_watcher, link) {
		if (front_reply_is_full(w->client)) {
			w->needs_all = true;
			continue;
		}
		if (w->needs_all && all.len == 0)
			add_all(b, &all);
		tell(w, w->needs_all ? &all : news);
		w->needs_all = false;
	}
	buf_finish(&all);
}

static void
on_turn(void *arg)
{
	struct board *b = arg;
	struct buf news = {0};

	timer_start(&b->timer, TURN_MS);
	b->turned_ms = clock_now_ms();
	note(b, b->turned_ms);
	if (b->watcher_count > 0) {
		add_news(b, renew_state(b, b->turned_ms), &news);
		tell_all(b, &news);
	} else {
		buf_finish(&b->state);
		buf_finish(&b->scratch);
	}
	b->points = history_now(b->history);
	b->recents = recent_next(b->recent);
	buf_finish(&news);
}

/* --- who watches --- */

bool
board_is_full(const struct board *b)
{
	return b->watcher_count >= BOARD_WATCHERS_MAX;
}

void
board_watch(struct board *b, struct board_watcher *w)
{
	int64_t since_ms = clock_now_ms() - b->turned_ms;

	w->board = b;
	w->needs_all = true;
	list_add_last(&b->watchers, &w->link);
	b->watcher_count++;
	timer_start(&b->timer, since_ms < SOONEST_MS ? SOONEST_MS - since_ms : 1);
}

void
board_dismiss(struct board *b)
{
	struct board_watcher *w;

	LIST_FOR_EACH (w, &b->watchers, struct board_watcher, link)
		w->dismiss(w);
}

void
board_forget(struct board_watcher *w)
{
	if (!list_linked(&w->link))
		return;
	list_remove(&w->link);
	w->board->watcher_count--;
}

/* --- its life --- */

struct board *
board_create(struct gateway *g)
{
	struct board *b = NEW(struct board);

	b->gateway = g;
	b->began_wall_ms = clock_wall_ms();
	b->history = history_create(clock_now_ms(), STEP_MS, STEPS);
	b->recent = recent_create();
	list_init(&b->watchers);
	timer_init(&b->timer, g->loop, on_turn, b);
	timer_start(&b->timer, TURN_MS);
	return b;
}

void
board_destroy(struct board **bp)
{
	struct board *b = *bp;

	*bp = NULL;
	if (b == NULL)
		return;
	timer_finish(&b->timer);
	recent_destroy(&b->recent);
	history_destroy(&b->history);
	buf_finish(&b->state);
	buf_finish(&b->scratch);
	free(b);
}
