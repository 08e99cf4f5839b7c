/*
 * A request that runs a model, from its body to its last byte.
 *
 * Its steps: refused, or answered without a model's words; else it waits for a
 * runner and a slot (WAITING), reads the prompt (PREFILL), makes piece after
 * piece (MAKING), perhaps held at gates (GATED) or by a client that does not
 * read (FULL). Nothing is sent before the first piece is there, as with Ollama.
 */
#include "run.h"
#include "handlers.h"
#include "node_impl.h"

#include "multipart.h"
#include "run_faults.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum run_state { RUN_WAITING, RUN_PREFILL, RUN_MAKING, RUN_GATED, RUN_FULL };

/* Pieces that a model without a speed makes before others get their turn. */
enum { PIECES_A_TURN = 64 };

struct run {
	struct visit *visit;
	enum run_state state;
	struct ask ask;
	struct answer answer;
	struct reply reply;
	struct model *model; /* kept */
	struct wish *wish;   /* ended by run_cancel; NULL for a remote model */
	bool has_slot;       /* and is counted as running */
	struct timer timer;
	struct gate_hold hold;
	char *gates; /* owned; names with commas; NULL: none */
	int next;    /* piece to make */
	int passed;  /* pieces whose gates were passed; one more than pieces: the end's too */
	int64_t arrived_us;
	int64_t ready_us;
	int64_t first_us; /* the prompt was read */
};

static const struct form *
form_of(const struct run *r)
{
	return r->visit->route->form;
}

static bool
streams(const struct run *r)
{
	return r->ask.stream && form_of(r)->stream_type != NULL;
}

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

/* Seeded, time is a function of the request: a base, and from there as the counts say. */
static int64_t
base_ns(const struct run *r)
{
	return INT64_C(1700000000000000000) +
	       (int64_t)(hash_mix(r->visit->node->seed + r->answer.hash) % UINT64_C(2592000000000000));
}

static int64_t
token_ns(const struct run *r)
{
	return r->model->tokens_per_s > 0 ? (int64_t)(1e9 / r->model->tokens_per_s) : 1000000;
}

static int64_t
at_least_one(int64_t ns)
{
	return ns > 0 ? ns : 1;
}

static void
set_seeded_metrics(struct run *r)
{
	struct metrics *m = &r->reply.metrics;

	m->load_ns = 1000000 + (int64_t)(r->answer.hash % 1000000);
	m->prompt_ns = r->model->prefill_per_s > 0
	                   ? (int64_t)(m->prompt_tokens * 1e9 / r->model->prefill_per_s)
	                   : m->prompt_tokens * INT64_C(100000);
	m->eval_ns = r->answer.tokens * token_ns(r);
	m->total_ns = m->load_ns + m->prompt_ns + m->eval_ns + 54321;
}

static void
set_metrics(struct run *r)
{
	struct metrics *m = &r->reply.metrics;
	int64_t now_us = clock_now_us();

	m->prompt_tokens = ask_prompt_tokens(&r->ask);
	if (r->visit->node->seeded) {
		set_seeded_metrics(r);
		return;
	}
	m->load_ns = at_least_one((r->ready_us - r->arrived_us) * 1000);
	m->prompt_ns = at_least_one((r->first_us - r->ready_us) * 1000);
	m->eval_ns = at_least_one((now_us - r->first_us) * 1000);
	m->total_ns = at_least_one((now_us - r->arrived_us) * 1000);
}

static void
set_time(struct run *r)
{
	struct reply *p = &r->reply;

	p->now_ns = r->visit->node->seeded ? base_ns(r) + (r->next + 1) * token_ns(r) : node_wall_ns();
	if (p->created_ns == 0)
		p->created_ns = p->now_ns;
}

static void
begin_stream(struct run *r)
{
	struct visit *v = r->visit;
	const struct form *form = form_of(r);
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

static void
make_piece(struct run *r)
{
	struct visit *v = r->visit;
	struct buf *out = &v->node->out;
	enum piece_kind kind;
	struct str text = answer_piece(&r->answer, r->next, &kind);

	v->node->counts.tokens++;
	v->record->tokens++;
	if (streams(r)) {
		buf_clear(out);
		set_time(r);
		form_of(r)->add_piece(out, &r->reply, kind, text);
		begin_stream(r);
		front_reply_body(v->req, (struct str){out->data, out->len});
	}
	r->next++;
}

static void
finish_whole(struct run *r)
{
	struct buf *out = &r->visit->node->out;
	const char *type = form_of(r)->whole_type;

	buf_clear(out);
	set_time(r);
	set_metrics(r);
	form_of(r)->add_whole(out, &r->reply);
	visit_reply(r->visit, 200, type, (struct str){out->data, out->len});
}

static void
finish_stream(struct run *r)
{
	struct visit *v = r->visit;
	struct buf *out = &v->node->out;

	buf_clear(out);
	set_time(r);
	set_metrics(r);
	form_of(r)->add_end(out, &r->reply);
	begin_stream(r);
	front_reply_body(v->req, (struct str){out->data, out->len});
	visit_finish(v, "finished");
}

/* The slot is free as soon as the answer is complete, whatever the client reads. */
static void
finish(struct run *r)
{
	if (streams(r))
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
	if (streams(r))
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
	if (streams(r))
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
	return r->first_us + (int64_t)((r->next + 1) * 1e6 / r->model->tokens_per_s);
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
		if (made == PIECES_A_TURN && streams(r)) {
			timer_start(&r->timer, 0);
			break;
		}
		make_piece(r);
		made++;
	}
	if (r->next < pieces) {
		if (streams(r) && made > 0)
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
	const struct form *form = form_of(r);
	struct buf all = {0};
	const struct front_head head = {
	    .status = 200,
	    .headers = visit_headers(v, form->stream_type, form->stream_headers),
	    .length = -1,
	};

	while (r->next < answer_pieces(&r->answer)) {
		enum piece_kind kind;
		struct str text = answer_piece(&r->answer, r->next, &kind);

		set_time(r);
		form->add_piece(&all, &r->reply, kind, text);
		r->next++;
	}
	set_metrics(r);
	form->add_end(&all, &r->reply);
	visit_note_head(v, 200);
	drip_begin(v, &head, (struct str){all.data, all.len});
	buf_finish(&all);
}

static void
read_prompt_done(struct run *r)
{
	r->first_us = clock_now_us();
	if (r->visit->has_fault && r->visit->fault.kind == FAULT_SLOW && streams(r))
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
static void
answer_empty(struct run *r, const char *reason)
{
	r->reply.done_reason = reason;
	r->answer = (struct answer){.hash = r->answer.hash};
	set_time(r);
	if (streams(r) && r->visit->route->family != FAMILY_NATIVE) {
		buf_clear(&r->visit->node->out);
		form_of(r)->add_end(&r->visit->node->out, &r->reply);
		begin_stream(r);
		front_reply_body(r->visit->req,
		                 (struct str){r->visit->node->out.data, r->visit->node->out.len});
		visit_finish(r->visit, "finished");
		return;
	}
	buf_clear(&r->visit->node->out);
	form_of(r)->add_whole(&r->visit->node->out, &r->reply);
	visit_reply(r->visit, 200, form_of(r)->whole_type,
	            (struct str){r->visit->node->out.data, r->visit->node->out.len});
}

void
run_ready(struct run *r)
{
	struct node *n = r->visit->node;
	int64_t prefill_ms = 0;

	r->ready_us = clock_now_us();
	r->first_us = r->ready_us;
	r->visit->record->started_ms = node_now_ms();
	gate_hold_leave(&n->gates, &r->hold);
	if (r->ask.empty) {
		answer_empty(r, "load");
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

/* The gates that the request names: by header, and by gate:NAME in its prompt. */
static void
find_gates(struct run *r)
{
	struct str header = http_find_header(front_req_head(r->visit->req), "X-Sim-Gate");
	const char *at = r->ask.prompt;
	struct buf names = {0};

	if (list_empty(&r->visit->node->gates.closed))
		return;
	if (header.len > 0)
		buf_add(&names, header.ptr, header.len);
	while (at != NULL && (at = strstr(at, "gate:")) != NULL) {
		at += strlen("gate:");
		buf_adds(&names, ",");
		buf_add(&names, at, strcspn(at, " ,.;\t\r\n\"'"));
	}
	if (names.len > 0)
		r->gates = buf_take(&names);
	buf_finish(&names);
}

static bool
refuse_model(struct run *r)
{
	const struct model *m = r->model;
	const struct ask *a = &r->ask;
	const char *what = a->kind == ASK_GENERATE ? "generate" : "chat";

	if (a->think == THINK_ON && !m->thinks && !a->relaxed_think)
		visit_reply_error(r->visit, 400, "\"%s\" does not support thinking", a->model);
	else if (m->embeds && a->kind != ASK_EMBED)
		visit_reply_error(r->visit, 400, "\"%s\" does not support %s", a->model, what);
	else if (a->bad_option)
		visit_reply_error(r->visit, 500, "%s", buf_text(&a->option_error));
	else
		return false;
	return true;
}

static void
wish_for_runner(struct run *r)
{
	struct node *n = r->visit->node;
	bool holds =
	    r->gates != NULL && gates_stop(&n->gates, &r->hold, str_of(r->gates), GATE_LOAD, 0);

	r->wish = runners_wish(&n->runners, r->model, &r->ask.opts, r->ask.keep_ms, !r->ask.empty,
	                       holds, r, node_now_ms());
	node_wake(n);
	if (r->wish->state == WISH_READY)
		run_ready(r);
	else if (r->wish->state == WISH_BUSY)
		visit_reply_error(r->visit, 503,
		                  "server busy, please try again.  maximum pending requests exceeded");
}

/* The words that each handler has for a name that is missing or unknown. */
static void
reply_no_model(struct run *r, bool is_name)
{
	const char *name = r->ask.model, *path = r->visit->route->path;
	bool old_words = strcmp(path, "/api/embeddings") == 0;

	if (name[0] == '\0' && (r->ask.kind == ASK_CHAT || old_words))
		visit_reply_error(r->visit, 400, "model is required");
	else if (name[0] != '\0' && !is_name)
		visit_reply_error(r->visit, 400, "invalid model name");
	else if (name[0] != '\0' && r->ask.kind == ASK_EMBED)
		visit_reply_error(r->visit, 404, "model \"%s\" not found, try pulling it first", name);
	else
		visit_reply_error(r->visit, 404, "model '%s' not found", name);
}

static bool
find_model(struct run *r)
{
	struct buf name = {0};
	bool is_name = catalog_shorten_name(r->ask.model, &name);
	struct model *m = is_name ? catalog_find(&r->visit->node->catalog, r->ask.model) : NULL;

	buf_finish(&name);
	r->visit->record->model = mem_strdup(r->ask.model);
	if (m == NULL) {
		reply_no_model(r, is_name);
		return false;
	}
	r->model = model_keep(m);
	control_count(r->visit->node, m->name, false, 1);
	return true;
}

static void
prepare_answer(struct run *r)
{
	struct node *n = r->visit->node;
	bool thinks = r->model->thinks && r->ask.think != THINK_OFF && r->ask.kind != ASK_EMBED;

	if (r->ask.kind != ASK_EMBED)
		answer_make(&r->answer, &r->ask, thinks);
	else
		r->answer.hash = hash_mix(ask_hash(&r->ask)) & INT64_MAX;
	r->reply.form = form_of(r);
	r->reply.ask = &r->ask;
	r->reply.answer = &r->answer;
	r->reply.id = n->seeded ? n->seed + r->answer.hash : hash_mix(++n->last_id);
}

static bool
read_form(struct run *r, struct refusal_text *no)
{
	struct visit *v = r->visit;
	struct str body = {buf_text(&v->body), v->body.len};

	if (v->route->read != NULL)
		return v->route->read(&r->ask, body, no);
	return multipart_read_ask(&r->ask, http_find_header(front_req_head(v->req), "Content-Type"),
	                          body, no);
}

static void
go(struct run *r)
{
	struct visit *v = r->visit;

	prepare_answer(r);
	if (r->ask.empty && r->ask.keep_ms == 0 && r->ask.kind != ASK_EMBED) {
		runners_expire(&v->node->runners, r->model, node_now_ms());
		answer_empty(r, "unload");
		return;
	}
	if (refuse_model(r))
		return;
	find_gates(r);
	if (r->model->remote)
		run_ready(r);
	else
		wish_for_runner(r);
}

void
run_begin(struct visit *v)
{
	struct run *r = NEW(struct run);
	struct refusal_text no = {0};

	r->visit = v;
	r->arrived_us = clock_now_us();
	timer_init(&r->timer, v->node->loop, on_timer, r);
	gate_hold_init(&r->hold, on_gate_open, r);
	ask_init(&r->ask, v->route->kind);
	v->run = r;
	v->step = VISIT_RUNNING;
	if (!read_form(r, &no))
		visit_reply_early_error(v, no.status, "%s", buf_text(&no.message));
	else if (find_model(r))
		go(r);
	buf_finish(&no.message);
}
