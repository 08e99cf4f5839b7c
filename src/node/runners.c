/*
 * Ollama's own scheduler, without its threads.
 *
 * Invariants: a runner in `loaded` is usable; refs = running + waiting + wishes
 * that are ready without a slot. A wish is in exactly one place: the queue, in
 * hand, a runner's waiting list, the ready list, or with its maker.
 */
#include "runners.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void
runners_init(struct runners *rs, int parallel, int max_loaded, int max_queue, int64_t keep_ms)
{
	*rs = (struct runners){
	    .parallel = parallel,
	    .max_loaded = max_loaded > 0 ? max_loaded : 3,
	    .max_queue = max_queue,
	    .keep_ms = keep_ms < 0 ? KEEP_FOREVER : keep_ms,
	};
	list_init(&rs->loaded);
	list_init(&rs->queue);
	list_init(&rs->ready);
}

static void
runner_destroy(struct runner *r)
{
	list_remove(&r->link);
	model_release(&r->model);
	free(r);
}

static void
wish_destroy(struct wish *w)
{
	list_remove(&w->link);
	model_release(&w->model);
	free(w);
}

void
runners_finish(struct runners *rs)
{
	struct runner *r;
	struct wish *w;

	if (rs->in_hand != NULL) {
		assert(rs->in_hand->state == WISH_GONE);
		wish_destroy(rs->in_hand);
		rs->in_hand = NULL;
	}
	LIST_FOR_EACH (w, &rs->queue, struct wish, link) {
		assert(w->state == WISH_GONE);
		wish_destroy(w);
	}
	LIST_FOR_EACH (r, &rs->loaded, struct runner, link) {
		assert(r->refs == 0);
		runner_destroy(r);
	}
}

/* Names that share their weights share a runner. */
static struct runner *
find_runner(const struct runners *rs, const struct model *m)
{
	struct runner *r;

	LIST_FOR_EACH (r, &rs->loaded, struct runner, link)
		if (strcmp(r->model->weights, m->weights) == 0)
			return r;
	return NULL;
}

static bool
needs_reload(const struct runner *r, const struct runner_options *want)
{
	const struct runner_options *have = &r->opts;
	int64_t num_ctx = want->num_ctx > MODEL_TRAINED_CONTEXT ? MODEL_TRAINED_CONTEXT : want->num_ctx;

	if (have->num_ctx != num_ctx && !(have->num_ctx_auto && want->num_ctx_auto))
		return true;
	if (have->num_batch != want->num_batch && !(have->num_batch_auto && want->num_batch_auto))
		return true;
	if (want->num_gpu >= 0 && have->num_gpu != want->num_gpu)
		return true;
	return have->main_gpu != want->main_gpu || have->num_thread != want->num_thread ||
	       have->use_mmap != want->use_mmap;
}

/* The maker of `w` is told through the ready list, unless it is asking just now. */
static void
set_ready(struct runners *rs, struct wish *w, bool asking)
{
	w->state = WISH_READY;
	if (!asking)
		list_add_last(&rs->ready, &w->link);
}

static void
give_slot(struct runners *rs, struct wish *w, bool asking)
{
	w->runner->running++;
	set_ready(rs, w, asking);
}

static void
use_runner(struct runners *rs, struct wish *w, struct runner *r, bool asking)
{
	r->refs++;
	r->idle_at_ms = 0;
	if (w->keep_ms != KEEP_DEFAULT)
		r->keep_ms = w->keep_ms;
	w->runner = r;
	if (!w->needs_slot) {
		set_ready(rs, w, asking);
	} else if (r->running < r->parallel) {
		give_slot(rs, w, asking);
	} else {
		w->state = WISH_WAITING;
		list_add_last(&r->waiting, &w->link);
	}
}

/* Any runner that goes lets a loop that evicts look again. */
static void
unload(struct runners *rs, struct runner *r, int64_t now_ms)
{
	assert(r->refs == 0);
	rs->unloads++;
	rs->loaded_count--;
	if (rs->loop == LOOP_EVICTING) {
		rs->loop = LOOP_UNLOADING;
		rs->loop_due_ms = now_ms + r->model->unload_ms;
	}
	runner_destroy(r);
}

/* Idle ones first, then the one that would be kept the shortest; ties by name. */
static struct runner *
choose_victim(const struct runners *rs)
{
	struct runner *r, *best = NULL;

	LIST_FOR_EACH (r, &rs->loaded, struct runner, link) {
		bool idle = r->refs == 0, best_idle = best != NULL && best->refs == 0;

		if (best == NULL || idle > best_idle ||
		    (idle == best_idle &&
		     (r->keep_ms < best->keep_ms ||
		      (r->keep_ms == best->keep_ms && strcmp(r->model->key, best->model->key) < 0))))
			best = r;
	}
	assert(best != NULL);
	return best;
}

static void
evict(struct runners *rs, struct runner *victim, int64_t now_ms)
{
	rs->loop = LOOP_EVICTING;
	victim->idle_at_ms = 0;
	victim->keep_ms = 0;
	if (victim->refs == 0)
		unload(rs, victim, now_ms);
}

static void
start_load(struct runners *rs, struct wish *w, int64_t now_ms)
{
	w->state = w->holds_load ? WISH_HELD : WISH_LOADING;
	rs->loop = LOOP_LOADING;
	rs->loop_due_ms = now_ms + w->model->load_ms;
}

/* A model without prompts, and so an embedding model, is always run with one slot. */
static struct runner *
runner_create(const struct runners *rs, const struct wish *w)
{
	struct runner *r = NEW(struct runner);

	r->model = model_keep(w->model);
	r->opts = w->opts;
	if (r->opts.num_ctx > MODEL_TRAINED_CONTEXT)
		r->opts.num_ctx = MODEL_TRAINED_CONTEXT;
	r->keep_ms = rs->keep_ms;
	r->parallel = w->model->embeds ? 1 : rs->parallel;
	list_init(&r->waiting);
	return r;
}

static void
finish_load(struct runners *rs, bool asking)
{
	struct wish *w = rs->in_hand;
	struct runner *r = runner_create(rs, w);

	rs->in_hand = NULL;
	rs->loop = LOOP_FREE;
	rs->loads++;
	rs->loaded_count++;
	list_add_last(&rs->loaded, &r->link);
	w->loaded = true;
	use_runner(rs, w, r, asking);
}

static void
take_next(struct runners *rs)
{
	struct wish *w = LIST_FIRST(&rs->queue, struct wish, link);

	list_remove(&w->link);
	rs->queued--;
	if (w->state == WISH_GONE) {
		wish_destroy(w);
		return;
	}
	w->state = WISH_IN_HAND;
	rs->in_hand = w;
}

/* Serves the wish in hand, or begins what must happen first. */
static void
place(struct runners *rs, const struct wish *asker, int64_t now_ms)
{
	struct wish *w = rs->in_hand;
	struct runner *r = find_runner(rs, w->model);
	bool usable = r != NULL && !needs_reload(r, &w->opts);
	bool room = r == NULL && rs->loaded_count < rs->max_loaded;

	if (!usable && !room) {
		evict(rs, r != NULL ? r : choose_victim(rs), now_ms);
	} else if (w->state == WISH_GONE) {
		/* Only now does the loop see that nobody waits for it any more. */
		rs->failed_loads += room;
		rs->in_hand = NULL;
		wish_destroy(w);
	} else if (usable) {
		rs->in_hand = NULL;
		use_runner(rs, w, r, w == asker);
	} else {
		start_load(rs, w, now_ms);
	}
}

/* One step; false: the loop has to wait, or has nothing to do. */
static bool
step(struct runners *rs, const struct wish *asker, int64_t now_ms)
{
	switch (rs->loop) {
	case LOOP_FREE:
		if (rs->in_hand == NULL && list_empty(&rs->queue))
			return false;
		if (rs->in_hand == NULL)
			take_next(rs);
		else
			place(rs, asker, now_ms);
		return true;
	case LOOP_LOADING:
		if (rs->in_hand->state == WISH_HELD || now_ms < rs->loop_due_ms)
			return false;
		finish_load(rs, rs->in_hand == asker);
		return true;
	case LOOP_EVICTING: return false;
	case LOOP_UNLOADING:
		if (now_ms < rs->loop_due_ms)
			return false;
		rs->loop = LOOP_FREE;
		return true;
	}
	abort();
}

/* `asker` learns from its state, not from the ready list. */
static void
run_loop(struct runners *rs, const struct wish *asker, int64_t now_ms)
{
	while (step(rs, asker, now_ms))
		;
}

struct wish *
runners_wish(struct runners *rs, struct model *m, const struct runner_options *opts,
             int64_t keep_ms, bool needs_slot, bool holds_load, void *arg, int64_t now_ms)
{
	struct wish *w = NEW(struct wish);
	struct runner *r = find_runner(rs, m);
	bool loop_idle = rs->in_hand == NULL && list_empty(&rs->queue);

	*w = (struct wish){.model = model_keep(m),
	                   .opts = *opts,
	                   .keep_ms = keep_ms,
	                   .needs_slot = needs_slot,
	                   .holds_load = holds_load,
	                   .arg = arg};
	list_init(&w->link);
	if (r != NULL && !needs_reload(r, opts)) {
		use_runner(rs, w, r, true);
	} else if (rs->queued >= rs->max_queue && !loop_idle) {
		w->state = WISH_BUSY;
		rs->refused++;
	} else {
		w->state = WISH_QUEUED;
		list_add_last(&rs->queue, &w->link);
		rs->queued++;
		run_loop(rs, w, now_ms);
	}
	return w;
}

static void
let_go(struct runners *rs, struct runner *r, int64_t now_ms)
{
	if (--r->refs > 0)
		return;
	if (r->keep_ms <= 0) {
		unload(rs, r, now_ms);
		return;
	}
	r->idle_at_ms = r->keep_ms > INT64_MAX - now_ms ? INT64_MAX : now_ms + r->keep_ms;
	r->expires_ms = r->idle_at_ms;
}

static void
pass_slot_on(struct runners *rs, struct runner *r)
{
	struct wish *next = LIST_FIRST(&r->waiting, struct wish, link);

	r->running--;
	if (next == NULL)
		return;
	list_remove(&next->link);
	give_slot(rs, next, false);
}

static void
abort_load(struct runners *rs)
{
	rs->in_hand = NULL;
	rs->loop = LOOP_FREE;
	rs->failed_loads++;
}

void
wish_end(struct runners *rs, struct wish **wp, int64_t now_ms)
{
	struct wish *w = *wp;

	*wp = NULL;
	w->arg = NULL;
	switch (w->state) {
	case WISH_QUEUED:
	case WISH_IN_HAND: w->state = WISH_GONE; return;
	case WISH_LOADING:
	case WISH_HELD: abort_load(rs); break;
	case WISH_READY:
		if (w->needs_slot)
			pass_slot_on(rs, w->runner);
		let_go(rs, w->runner, now_ms);
		break;
	case WISH_WAITING: let_go(rs, w->runner, now_ms); break;
	case WISH_BUSY: break;
	case WISH_GONE: abort();
	}
	wish_destroy(w);
	run_loop(rs, NULL, now_ms);
}

void
wish_release_load(struct runners *rs, struct wish *w, int64_t now_ms)
{
	w->holds_load = false;
	if (w->state != WISH_HELD)
		return;
	start_load(rs, w, now_ms);
	run_loop(rs, NULL, now_ms);
}

struct wish *
runners_take_ready(struct runners *rs)
{
	struct wish *w = LIST_FIRST(&rs->ready, struct wish, link);

	if (w != NULL)
		list_remove(&w->link);
	return w;
}

void
runners_expire(struct runners *rs, const struct model *m, int64_t now_ms)
{
	struct runner *r = find_runner(rs, m);

	if (r == NULL)
		return;
	r->expires_ms = now_ms;
	r->idle_at_ms = 0;
	r->keep_ms = 0;
	if (r->refs == 0)
		unload(rs, r, now_ms);
	run_loop(rs, NULL, now_ms);
}

void
runners_tick(struct runners *rs, int64_t now_ms)
{
	struct runner *r;

	LIST_FOR_EACH (r, &rs->loaded, struct runner, link)
		if (r->idle_at_ms != 0 && now_ms >= r->idle_at_ms)
			unload(rs, r, now_ms);
	run_loop(rs, NULL, now_ms);
}

int64_t
runners_next_ms(const struct runners *rs)
{
	int64_t next = INT64_MAX;
	struct runner *r;

	LIST_FOR_EACH (r, &rs->loaded, struct runner, link)
		if (r->idle_at_ms != 0 && r->idle_at_ms < next)
			next = r->idle_at_ms;
	if (rs->loop == LOOP_UNLOADING || (rs->loop == LOOP_LOADING && rs->in_hand->state != WISH_HELD))
		next = rs->loop_due_ms < next ? rs->loop_due_ms : next;
	return next;
}

int64_t
runner_expires_ms(const struct runner *r, int64_t now_ms)
{
	if (r->expires_ms != 0)
		return r->expires_ms;
	return r->keep_ms > INT64_MAX - now_ms ? KEEP_FOREVER : now_ms + r->keep_ms;
}

int
runners_waiting(const struct runners *rs)
{
	struct runner *r;
	struct wish *w;
	int waiting = rs->in_hand != NULL && rs->in_hand->state != WISH_GONE;

	LIST_FOR_EACH (w, &rs->queue, struct wish, link)
		waiting += w->state != WISH_GONE;
	LIST_FOR_EACH (r, &rs->loaded, struct runner, link)
		waiting += r->refs - r->running;
	return waiting;
}
