/*
 * `drover warm`. One model is under way at a time; its exchange either ends with a last line
 * that says what became of it, or with an error.
 */
#include "app/warm_command.h"

#include "app/admin_url.h"
#include "base/buf.h"
#include "base/str.h"
#include "io/admin_client.h"
#include "io/loop.h"
#include "proto/member.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_BYTES_MAX = 64 * 1024 };

struct warm_command {
	struct loop *loop; /* owned */
	struct admin_client client;
	struct exchange *exchange; /* owned; NULL: none runs */
	const char *const *models;
	size_t count;
	size_t at;         /* the model under way */
	struct buf body;   /* of its request */
	int status;        /* of its answer */
	struct buf answer; /* the line that is not whole yet; of an error the body */
	bool waited;       /* it was not loaded at once */
	bool told;         /* what became of it */
	bool failed;       /* any of them */
};

static const char *
model_of(const struct warm_command *w)
{
	return w->models[w->at];
}

static void
fail(struct warm_command *w, const char *why)
{
	fprintf(stderr, "drover warm: %s: %s\n", model_of(w), why);
	w->failed = true;
	w->told = true;
}

/* --- what the gateway says --- */

static void
say_loaded(struct warm_command *w, const cJSON *line)
{
	const char *backend = member_text(line, "backend");
	int64_t ms = member_number(line, "after_ms");

	if (w->waited)
		printf("%s: loaded on %s after %.1f s\n", model_of(w), backend, (double)ms / 1000);
	else
		printf("%s: is loaded on %s\n", model_of(w), backend);
	w->told = true;
}

static void
take_line(struct warm_command *w, const char *text)
{
	cJSON *line = cJSON_Parse(text);
	const char *state = member_text(line, "state"), *backend = member_text(line, "backend");

	if (strcmp(state, "loaded") == 0)
		say_loaded(w, line);
	else if (strcmp(state, "failed") == 0)
		fail(w, member_text(line, "error"));
	else if (strcmp(state, "loading") == 0)
		printf("%s: loading on %s\n", model_of(w), backend);
	else if (strcmp(state, "waiting") == 0)
		printf("%s: waits for %s, which is busy with another model\n", model_of(w), backend);
	else
		fail(w, "the answer makes no sense; is that address drover's admin API?");
	w->waited = true;
	cJSON_Delete(line);
}

static void
take_failure(struct warm_command *w, enum exchange_end end)
{
	struct buf message = {0};

	admin_client_explain(&w->client, end, w->status, (struct str){w->answer.data, w->answer.len},
	                     &message);
	if (exchange_end_is_connect(end))
		buf_adds(&message, admin_client_hint);
	fail(w, buf_text(&message));
	buf_finish(&message);
}

static void
on_head(struct exchange *x, const struct http_head *head, void *arg)
{
	struct warm_command *w = arg;

	w->status = head->status;
}

static void
on_body(struct exchange *x, struct str piece, void *arg)
{
	struct warm_command *w = arg;

	for (size_t i = 0; i < piece.len; i++) {
		if (w->status == 200 && piece.ptr[i] == '\n') {
			take_line(w, buf_text(&w->answer));
			buf_clear(&w->answer);
		} else if (w->answer.len < ANSWER_BYTES_MAX) {
			buf_addc(&w->answer, piece.ptr[i]);
		}
	}
}

static void
on_flush(struct exchange *x, void *arg)
{
	/* Each line was taken as it came. */
}

/* --- one after another --- */

static void begin(struct warm_command *w);

static void
on_end(struct exchange *x, enum exchange_end end, const char *why, void *arg)
{
	struct warm_command *w = arg;

	w->exchange = NULL;
	if (exchange_end_is_connect(end)) {
		take_failure(w, end);
		w->at = w->count - 1; /* the others would fare no better */
	} else if (end == EXCHANGE_DONE && w->status != 200) {
		take_failure(w, end);
	} else if (!w->told) {
		fail(w, "the answer broke off; did drover stop?");
	}
	if (++w->at < w->count)
		begin(w);
	else
		loop_stop(w->loop);
}

static const struct exchange_ops exchange_ops = {
    .on_head = on_head,
    .on_body = on_body,
    .on_flush = on_flush,
    .on_end = on_end,
};

static void
begin(struct warm_command *w)
{
	struct buf *body = &w->body;
	struct exchange_request req =
	    admin_client_request(&w->client, HTTP_POST, str_of("/admin/v1/warm"), 0);

	w->waited = w->told = false;
	buf_clear(&w->answer);
	buf_clear(body);
	buf_adds(body, "{\"model\":");
	buf_add_json(body, model_of(w), strlen(model_of(w)));
	buf_addc(body, '}');
	req.body = (struct str){body->data, body->len};
	w->exchange = exchange_start(w->client.upstream, &req, &exchange_ops, w);
}

int
warm_command_run(const struct settings_call *call)
{
	struct buf url = {0}, why = {0};
	struct warm_command w = {.models = call->words, .count = call->word_count};
	int status = 2;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!admin_url_add("warm", call->admin, &url))
		return status;
	w.loop = loop_create();
	if (admin_client_init(&w.client, w.loop, buf_text(&url), call->admin_key, &why)) {
		buf_adds(&w.client.headers, "Content-Type: application/json\r\n");
		begin(&w);
		loop_run(w.loop);
		status = w.failed ? 1 : 0;
	} else {
		fprintf(stderr, "drover warm: --admin %s\n", buf_text(&why));
	}
	admin_client_finish(&w.client);
	loop_destroy(&w.loop);
	buf_finish(&w.answer);
	buf_finish(&w.body);
	buf_finish(&url);
	buf_finish(&why);
	return status;
}
