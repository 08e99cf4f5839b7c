/*
 * How a run begins: its body is read, its model found, and what Ollama refuses is
 * refused, in the order in which Ollama's handlers do it.
 */
#include "handlers.h"
#include "multipart.h"
#include "run_impl.h"

#include "base/clock.h"
#include "base/mem.h"

#include <string.h>

/* The gates that the request names: by header, by gate:NAME in its prompt, by its model. */
static void
find_gates(struct run *r)
{
	struct str header = http_find_header(front_req_head(r->visit->req), "X-Sim-Gate");
	const char *at = r->ask.prompt;
	struct buf names = {0};

	if (list_empty(&r->visit->node->gates.closed))
		return;
	buf_adds(&names, r->model->name);
	if (header.len > 0) {
		buf_addc(&names, ',');
		buf_add(&names, header.ptr, header.len);
	}
	if (at == NULL)
		at = "";
	while ((at = strstr(at, "gate:")) != NULL) {
		at += strlen("gate:");
		buf_adds(&names, ",");
		buf_add(&names, at, strcspn(at, " ,.;\t\r\n\"'"));
	}
	r->gates = buf_take(&names);
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
	if (r->wish->state == WISH_READY || r->wish->state == WISH_WAITING)
		r->loaded_us = clock_now_us();
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
	r->reply.form = run_form(r);
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
		run_answer_empty(r, "unload");
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
	struct run *r = run_create(v);
	struct refusal_text no = {0};

	if (!read_form(r, &no))
		visit_reply_early_error(v, no.status, "%s", buf_text(&no.message));
	else if (find_model(r))
		go(r);
	buf_finish(&no.message);
}
