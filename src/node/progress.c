/* The lines of a pull, a push or a create. */
#include "progress.h"

#include "run_faults.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct progress {
	struct visit *visit;
	struct buf lines; /* each ends with \n */
	size_t at;        /* of the line to send next */
	size_t last;      /* where the last line begins */
	int count;
	int sent;
	bool stream;
	int failed; /* the status of the error in the last line; 0: none */
	struct timer timer;
};

void
progress_destroy(struct progress **pp)
{
	struct progress *p = *pp;

	*pp = NULL;
	if (p == NULL)
		return;
	timer_finish(&p->timer);
	buf_finish(&p->lines);
	free(p);
}

static struct str
line_at(const struct progress *p, size_t at)
{
	const char *line = p->lines.data + at;

	return (struct str){line, strcspn(line, "\n") + 1};
}

static void
send_next(void *arg)
{
	struct progress *p = arg;
	struct visit *v = p->visit;
	struct str line;

	if (v->has_fault && p->sent >= v->fault.after_tokens && faults_strike_stream(v, NULL))
		return;
	if (p->at == p->lines.len) {
		visit_finish(v, "finished");
		return;
	}
	line = line_at(p, p->at);
	p->at += line.len;
	p->sent++;
	front_reply_body(v->req, line);
	front_reply_flush(v->req);
	if (!front_reply_is_full(v->req))
		timer_start(&p->timer, 0);
}

void
progress_drained(struct visit *v)
{
	timer_start(&v->progress->timer, 0);
}

struct progress *
progress_create(struct visit *v, bool stream)
{
	struct progress *p = NEW(struct progress);

	p->visit = v;
	p->stream = stream;
	timer_init(&p->timer, v->node->loop, send_next, p);
	v->progress = p;
	v->step = VISIT_PROGRESS;
	return p;
}

static void
begin_line(struct progress *p, const char *key)
{
	p->last = p->lines.len;
	p->count++;
	buf_addf(&p->lines, "{\"%s\":", key);
}

static void __attribute__((format(printf, 2, 0)))
add_text(struct progress *p, const char *fmt, va_list args)
{
	struct buf text = {0};

	buf_addv(&text, fmt, args);
	gojson_add_string(&p->lines, (struct str){text.data, text.len});
	buf_finish(&text);
}

void
progress_add(struct progress *p, const char *status)
{
	progress_addf(p, "%s", status);
}

void
progress_addf(struct progress *p, const char *fmt, ...)
{
	va_list args;

	begin_line(p, "status");
	va_start(args, fmt);
	add_text(p, fmt, args);
	va_end(args);
	buf_adds(&p->lines, "}\n");
}

void
progress_add_layer(struct progress *p, const char *verb, const char *digest, int64_t total,
                   int64_t completed)
{
	begin_line(p, "status");
	buf_addf(&p->lines,
	         "\"%s %.12s\",\"digest\":\"sha256:%s\",\"total\":%lld,\"completed\":%lld}\n", verb,
	         digest, digest, (long long)total, (long long)completed);
}

void
progress_fail(struct progress *p, int status, const char *fmt, ...)
{
	va_list args;

	begin_line(p, "error");
	va_start(args, fmt);
	add_text(p, fmt, args);
	va_end(args);
	buf_adds(&p->lines, "}\n");
	p->failed = status;
}

void
progress_start(struct progress *p)
{
	struct visit *v = p->visit;
	struct str last = line_at(p, p->last);
	struct front_head head = {.status = 200, .length = -1};

	last.len--;
	if (p->failed != 0 && (p->count == 1 || !p->stream)) {
		visit_reply(v, p->failed, "application/json", last);
	} else if (!p->stream) {
		visit_reply(v, 200, "application/json", last);
	} else {
		head.headers = visit_headers(v, "application/x-ndjson", NULL);
		visit_note_head(v, 200);
		front_reply_head(v->req, &head);
		send_next(p);
	}
}
