/*
 * How faults are done to a request.
 *
 * Most of them are said to the front end in its own terms. A chunk that breaks
 * off and an RST are not: they are done on the descriptor itself.
 */
#include "run_faults.h"

#include "raw.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct drip {
	struct visit *visit;
	struct timer timer;
	struct buf body;
	size_t at;
	int64_t interval_ms;
};

void
drip_destroy(struct drip **dp)
{
	struct drip *d = *dp;

	*dp = NULL;
	if (d == NULL)
		return;
	timer_finish(&d->timer);
	buf_finish(&d->body);
	free(d);
}

static void
on_drip(void *arg)
{
	struct drip *d = arg;
	struct visit *v = d->visit;

	if (d->at == d->body.len) {
		visit_finish(v, "finished");
		return;
	}
	front_reply_body(v->req, (struct str){d->body.data + d->at++, 1});
	front_reply_flush(v->req);
	timer_start(&d->timer, d->interval_ms);
}

void
drip_begin(struct visit *v, const struct front_head *head, struct str body)
{
	struct drip *d = NEW(struct drip);

	d->visit = v;
	d->interval_ms = v->fault.interval_ms;
	buf_add(&d->body, body.ptr, body.len);
	timer_init(&d->timer, v->node->loop, on_drip, d);
	v->drip = d;
	v->step = VISIT_DRIPPING;
	front_reply_head(v->req, head);
	front_reply_flush(v->req);
	timer_start(&d->timer, d->interval_ms);
}

static void
hang(struct visit *v)
{
	v->step = VISIT_HANGING;
	node_wake(v->node);
}

static void
reset(struct visit *v)
{
	front_reply_flush(v->req);
	raw_reset_on_close(v->req);
	visit_cut(v, "fault");
}

/* An answer whose head is not what it should be. */
static void
reply_odd(struct visit *v, const char *odd_lines, int64_t more)
{
	static const char body[] = "{\"error\":\"odd\"}";
	const struct front_head head = {
	    .status = 200,
	    .headers = visit_headers(v, "application/json", odd_lines),
	    .length = (int64_t)strlen(body) + more,
	};

	visit_note_head(v, 200);
	front_reply_head(v->req, &head);
	front_reply_body(v->req, str_of(body));
	visit_cut(v, "fault");
}

/* Before the head. */
static void
strike_now(struct visit *v, const struct fault *f)
{
	switch (f->kind) {
	case FAULT_STATUS: visit_reply_error(v, f->status, "%s", f->message); return;
	case FAULT_BUSY:
		visit_reply_error(v, 503,
		                  "server busy, please try again.  maximum pending requests exceeded");
		return;
	case FAULT_CLOSE: visit_cut(v, "fault"); return;
	case FAULT_RESET: reset(v); return;
	case FAULT_HANG: hang(v); return;
	case FAULT_GARBAGE: reply_odd(v, "no colon here\r\n\x01\x02: \xff\r\n: no name\r\n", 0); return;
	case FAULT_TWO_LENGTHS: reply_odd(v, "Content-Length: 3\r\n", 0); return;
	case FAULT_WRONG_LENGTH: reply_odd(v, NULL, 1000); return;
	case FAULT_TRUNCATED_CHUNK:
	case FAULT_SLOW:
	case FAULT_ERROR:
	case FAULT_NO_DONE: break;
	}
	abort();
}

static bool
waits_for_the_stream(const struct fault *f)
{
	switch (f->kind) {
	case FAULT_TRUNCATED_CHUNK:
	case FAULT_SLOW:
	case FAULT_ERROR:
	case FAULT_NO_DONE: return true;
	case FAULT_CLOSE:
	case FAULT_RESET:
	case FAULT_HANG: return f->after_tokens >= 0;
	case FAULT_STATUS:
	case FAULT_BUSY:
	case FAULT_GARBAGE:
	case FAULT_TWO_LENGTHS:
	case FAULT_WRONG_LENGTH: return false;
	}
	abort();
}

/* What a fault's route is compared with: the path, but "load" or "unload" where nothing is run. */
static char *
name_of(const struct visit *v, bool *runs_model)
{
	struct str path = front_req_head(v->req)->path, body = {buf_text(&v->body), v->body.len};
	struct refusal_text no = {0};
	const char *name = NULL;
	struct ask ask;

	*runs_model = v->route->form != NULL;
	if (v->route->read == NULL)
		return mem_strndup(path.ptr, path.len);
	ask_init(&ask, v->route->kind);
	if (v->route->read(&ask, body, &no) && ask.empty)
		name = ask.keep_ms == 0 ? "unload" : "load";
	ask_finish(&ask);
	buf_finish(&no.message);
	*runs_model &= name == NULL;
	return name == NULL ? mem_strndup(path.ptr, path.len) : mem_strdup(name);
}

bool
faults_strike(struct visit *v)
{
	bool hit, runs_model;
	struct fault f;
	char *name;

	if (list_empty(&v->node->faults))
		return false;
	name = name_of(v, &runs_model);
	hit = faults_take(&v->node->faults, name, runs_model, &f);
	free(name);
	if (!hit)
		return false;
	v->node->counts.faulted++;
	v->has_fault = waits_for_the_stream(&f);
	v->fault = f;
	if (!v->has_fault)
		strike_now(v, &f);
	return !v->has_fault;
}

static void
end_without_done(struct visit *v, struct reply *r, bool with_error)
{
	struct buf *out = &v->node->out;

	buf_clear(out);
	if (with_error && r != NULL)
		r->form->add_failure(out, r, v->fault.message);
	if (with_error && r == NULL) {
		reply_add_error(out, FAMILY_NATIVE, 500, v->fault.message, 0);
		buf_addc(out, '\n');
	}
	front_reply_body(v->req, (struct str){buf_text(out), out->len});
	visit_finish(v, "fault");
}

bool
faults_strike_stream(struct visit *v, struct reply *r)
{
	switch (v->fault.kind) {
	case FAULT_CLOSE: visit_cut(v, "fault"); return true;
	case FAULT_RESET: reset(v); return true;
	case FAULT_HANG:
		front_reply_flush(v->req);
		hang(v);
		return true;
	case FAULT_TRUNCATED_CHUNK:
		front_reply_flush(v->req);
		raw_send(v->req, str_of("40\r\n{\"model\":"));
		visit_cut(v, "fault");
		return true;
	case FAULT_ERROR: end_without_done(v, r, true); return true;
	case FAULT_NO_DONE: end_without_done(v, r, false); return true;
	case FAULT_SLOW:
	case FAULT_STATUS:
	case FAULT_BUSY:
	case FAULT_GARBAGE:
	case FAULT_TWO_LENGTHS:
	case FAULT_WRONG_LENGTH: return false;
	}
	abort();
}
