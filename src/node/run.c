/*
 * A request that runs a model, from its body to its last byte.
 *
 * Its steps: refused, or answered without a model's words; else it waits for a
 * runner and a slot (WAITING), reads the prompt (PREFILL), makes piece after
 * piece (MAKING), perhaps held at gates (GATED) or by a client that does not
 * read (FULL). Nothing is sent before the first piece is there, as with Ollama.
 */
#include "run_faults.h"
#include "run_impl.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>

/* Pieces that a model without a speed makes before others get their turn. */
enum { PIECES_A_TURN = 64 };

static void
run_free(void *arg)
{
	struct run *r = arg;

	ask_finish(&r->ask);
	answer_finish(&r->answer);
	reply_finish(&r->reply);
	model_release(&r->model);
	free(r->gates);
	free(r);
}

void
run_cancel(struct run **rp)
{
	struct run *r = *rp;
	struct node *n = r->visit->node;

	*rp = NULL;
	timer_finish(&r->timer);
	gate_hold_leave(&n->gates, &r->hold);
	if (r->has_slot)
		control_count(n, r->model->name, true, -1);
	if (r->model != NULL)
		control_count(n, r->model->name, false, -1);
	if (r->wish != NULL)
		wish_end(&n->runners, &r->wish, node_now_ms());
	loop_bury(n->loop, r, run_free);
}

static void
begin_stream(struct run *r)
{
	struct visit *v = r->visit;
	const struct form *form = run_form(r);
	const struct front_head head = {
	    .status = 200,
	    .headers = visit_headers(v, form->stream_type, form->stream_headers),
	    .length = -1,
	};

	if (v->record->status != 0)
		return;
	visit_note_head(v, 200);
	front_reply_head(v->req, &head);
}

/* Those that run at once on one GPU share its time. */
static void
slow_down(struct run *r)
{
	const struct model *m = r->model;
	int others = r->wish == NULL ? 0 : r->wish->runner->running - 1;

	if (m->tokens_per_s > 0 && others > 0)
		r->slowed_us += (int64_t)(m->share * others * 1e6 / m->tokens_per_s);
}

static void
make_piece(struct run *r)
{
	struct visit *v = r->visit;
	struct buf *out = &v->node->out;
	enum piece_kind kind;
	struct str text = answer_piece(&r->answer, r->next, &kind);

	v->node->counts.tokens++;
	v->record->tokens++;
	if (run_streams(r)) {
		buf_clear(out);
		run_set_time(r);
		run_form(r)->add_piece(out, &r->reply, kind, text);
		begin_stream(r);
		front_reply_body(v->req, (struct str){out->data, out->len});
	}
	r->next++;
	slow_down(r);
}

static void
finish_whole(struct run *r)
{
	struct buf *out = &r->visit->node->out;
	const char *type = run_form(r)->whole_type;

	buf_clear(out);
	run_set_time(r);
	run_set_metrics(r);
	run_form(r)->add_whole(out, &r->reply);
	visit_reply(r->visit, 200, type, (struct str){out->data, out->len});
}

static void
finish_stream(struct run *r)
{
	struct visit *v = r->visit;
	struct buf *out = &v->node->out;

	buf_clear(out);
	run_set_time(r);
	run_set_metrics(r);
	run_form(r)->add_end(out, &r->reply);
	begin_stream(r);
	front_reply_body(v->req, (struct str){out->data, out->len});
	visit_finish(v, "finished");
}

static void
finish(struct run *r)
{
	if (run_streams(r))
		finish_stream(r);
	else
		finish_whole(r);
}

static bool
is_held(struct run *r, enum gate_point point)
{
	struct node *n = r->visit->node;

	if (r->gates == NULL || r->passed > r->next)
		return false;
	if (!gates_stop(&n->gates, &r->hold, str_of(r->gates), point, r->next + 1))
		return false;
	r->state = RUN_GATED;
	if (run_streams(r))
		front_reply_flush(r->visit->req);
	node_wake(n);
	return true;
}

static bool
is_struck(struct run *r)
{
	struct visit *v = r->visit;

	if (!v->has_fault || v->fault.kind == FAULT_SLOW || r->next < v->fault.after_tokens)
		return false;
	if (v->fault.kind == FAULT_ERROR && v->record->status == 0) {
		visit_reply_error(v, 500, "%s", v->fault.message);
		return true;
	}
	if (run_streams(r))
		begin_stream(r);
	else if (v->fault.kind == FAULT_NO_DONE || v->fault.kind == FAULT_TRUNCATED_CHUNK)
		return false;
	timer_stop(&r->timer);
	return faults_strike_stream(v, &r->reply);
}

/* When piece `next` is due, in microseconds of the clock. */
static int64_t
due_us(const struct run *r)
{
	return r->first_us + r->slowed_us + (int64_t)((r->next + 1) * 1e6 / r->model->tokens_per_s);
}

/* Whether it must wait for the time of the next piece; then the timer runs. */
static bool
is_early(struct run *r)
{
	int64_t left_us;

	if (r->model->tokens_per_s <= 0)
		return false;
	left_us = due_us(r) - clock_now_us();
	if (left_us <= 0)
		return false;
	timer_start(&r->timer, (left_us + 999) / 1000);
	return true;
}

static void
make(struct run *r)
{
	int pieces = answer_pieces(&r->answer), made = 0;

	r->state = RUN_MAKING;
	while (r->next < pieces) {
		if (is_struck(r) || is_held(r, GATE_TOKEN))
			return;
		if (is_early(r))
			break;
		if (made == PIECES_A_TURN && run_streams(r)) {
			timer_start(&r->timer, 0);
			break;
		}
		make_piece(r);
		made++;
	}
	if (r->next < pieces) {
		if (run_streams(r) && made > 0)
			front_reply_flush(r->visit->req);
		if (front_reply_is_full(r->visit->req)) {
			timer_stop(&r->timer);
			r->state = RUN_FULL;
		}
		return;
	}
	if (!is_struck(r) && !is_held(r, GATE_END))
		finish(r);
}

/* A slow answer is made whole and then sent byte by byte. */
static void
make_slowly(struct run *r)
{
	struct visit *v = r->visit;
	const struct form *form = run_form(r);
	struct buf all = {0};
	const struct front_head head = {
	    .status = 200,
	    .headers = visit_headers(v, form->stream_type, form->stream_headers),
	    .length = -1,
	};

	while (r->next < answer_pieces(&r->answer)) {
		enum piece_kind kind;
		struct str text = answer_piece(&r->answer, r->next, &kind);

		run_set_time(r);
		form->add_piece(&all, &r->reply, kind, text);
		r->next++;
	}
	run_set_metrics(r);
	form->add_end(&all, &r->reply);
	visit_note_head(v, 200);
	drip_begin(v, &head, (struct str){all.data, all.len});
	buf_finish(&all);
}

static void
read_prompt_done(struct run *r)
{
	r->first_us = clock_now_us();
	if (r->visit->has_fault && r->visit->fault.kind == FAULT_SLOW && run_streams(r))
		make_slowly(r);
	else
		make(r);
}

static void
on_timer(void *arg)
{
	struct run *r = arg;

	if (r->state == RUN_PREFILL)
		read_prompt_done(r);
	else
		make(r);
}

void
run_drained(struct run *r)
{
	if (r->state == RUN_FULL)
		make(r);
}

static void
on_gate_open(void *arg)
{
	struct run *r = arg;

	if (r->state == RUN_WAITING) {
		wish_release_load(&r->visit->node->runners, r->wish, node_now_ms());
		node_wake(r->visit->node);
		return;
	}
	r->passed = r->next + 1;
	make(r);
}

/* Loaded and nothing asked: Ollama answers natively in one piece, streamed or not. */
void
run_answer_empty(struct run *r, const char *reason)
{
	struct visit *v = r->visit;
	struct buf *out = &v->node->out;
	uint64_t hash = r->answer.hash;

	answer_finish(&r->answer);
	r->answer.hash = hash;
	r->reply.done_reason = reason;
	run_set_time(r);
	buf_clear(out);
	if (run_streams(r) && v->route->family != FAMILY_NATIVE) {
		run_form(r)->add_end(out, &r->reply);
		begin_stream(r);
		front_reply_body(v->req, (struct str){out->data, out->len});
		visit_finish(v, "finished");
	} else {
		run_form(r)->add_whole(out, &r->reply);
		visit_reply(v, 200, run_form(r)->whole_type, (struct str){out->data, out->len});
	}
}

void
run_ready(struct run *r)
{
	struct node *n = r->visit->node;
	int64_t prefill_ms = 0;

	r->ready_us = clock_now_us();
	r->first_us = r->ready_us;
	r->visit->record->started_ms = node_now_ms();
	journal_begin(&n->journal, r->visit->record);
	gate_hold_leave(&n->gates, &r->hold);
	if (r->ask.empty) {
		run_answer_empty(r, "load");
		return;
	}
	n->counts.started++;
	r->has_slot = true;
	control_count(n, r->model->name, true, 1);
	node_wake(n);
	if (r->model->prefill_per_s > 0)
		prefill_ms = (int64_t)(ask_prompt_tokens(&r->ask) * 1000 / r->model->prefill_per_s);
	r->state = RUN_PREFILL;
	if (prefill_ms > 0)
		timer_start(&r->timer, prefill_ms);
	else
		read_prompt_done(r);
}

struct run *
run_create(struct visit *v)
{
	struct run *r = NEW(struct run);

	r->visit = v;
	r->arrived_us = clock_now_us();
	timer_init(&r->timer, v->node->loop, on_timer, r);
	gate_hold_init(&r->hold, on_gate_open, r);
	ask_init(&r->ask, v->route->kind);
	v->run = r;
	v->step = VISIT_RUNNING;
	return r;
}
