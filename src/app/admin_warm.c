/*
 * POST /admin/v1/warm: {"model": ..., "backend": ...}, the latter where it shall be there.
 *
 * The answer is a line of JSON for each step, and the last one says what became of it:
 * waiting -> loading -> loaded or failed. What cannot be is refused with a status.
 */
#include "app/admin_impl.h"
#include "app/gateway.h"
#include "app/load_notes.h"
#include "app/loader.h"
#include "app/warmer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "proto/member.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

struct admin_warm {
	struct warm_ask ask; /* first */
	struct admin_call *call;
	int64_t began_ms;
	bool streams; /* a line was sent */
};

void
admin_forget_warm(struct admin_warm **wp)
{
	struct admin_warm *w = *wp;

	*wp = NULL;
	if (w == NULL)
		return;
	warmer_forget(&w->ask);
	free(w);
}

/* --- the answer --- */

static void
send_line(struct admin_warm *w, const char *state, const struct backend *where, const char *error)
{
	struct buf json = {0};

	if (!w->streams)
		admin_begin_lines(w->call);
	w->streams = true;
	buf_adds(&json, "{\"model\":");
	buf_add_json(&json, w->ask.model, strlen(w->ask.model));
	buf_addf(&json, ",\"state\":\"%s\",\"backend\":", state);
	if (where == NULL)
		buf_adds(&json, "null");
	else
		buf_add_json(&json, backend_name(where), strlen(backend_name(where)));
	buf_addf(&json, ",\"after_ms\":%lld", (long long)(clock_now_ms() - w->began_ms));
	if (error != NULL) {
		buf_adds(&json, ",\"error\":");
		buf_add_json(&json, error, strlen(error));
	}
	buf_addc(&json, '}');
	admin_add_line(w->call, &json);
}

static void
fail(struct admin_warm *w, int status, const struct backend *where, const char *error)
{
	struct admin_call *c = w->call;

	if (w->streams) {
		send_line(w, "failed", where, error);
		admin_end_lines(c);
	} else {
		admin_fail(c, status, "%s", error);
	}
}

static void
add_failure(const struct admin_warm *w, struct buf *out)
{
	const struct load_failure *f = loader_find_failure(w->call->gateway->loader, w->ask.model);

	buf_addf(out, "model '%s' could not be loaded: %s", w->ask.model,
	         f == NULL ? "a node failed" : f->message);
}

static void
refuse(struct admin_warm *w, enum warm_answer answer, const struct backend *where)
{
	const char *name = where == NULL ? "" : backend_name(where), *model = w->ask.model;
	bool chosen = w->ask.wish.only != NULL;
	struct buf why = {0};
	int status = 503;

	if (w->call->gateway->draining) {
		fail(w, status, where, "the gateway is shutting down");
		return;
	}
	switch (answer) {
	case WARM_NO_ROOM:
		status = 409;
		buf_addf(&why,
		         "no room for model '%s' on %s%s: what is loaded was in use in the last 5 minutes; "
		         "wait, unload something (keep_alive: 0), or raise max_loaded",
		         model, chosen ? "backend " : "any backend", chosen ? name : "");
		break;
	case WARM_FAILED:
		status = 502;
		add_failure(w, &why);
		break;
	case WARM_NO_BACKEND:
		buf_addf(&why,
		         "%s '%s' can%s be used now: down, draining, or paused after errors; see "
		         "GET /admin/v1/status",
		         chosen ? "backend" : "no backend that has model", chosen ? name : model,
		         chosen ? "not" : "");
		break;
	case WARM_UNKNOWN_MODEL:
		status = 404;
		buf_addf(&why,
		         "model '%s' not found%s%s: pull it first, or see /api/tags for what is there",
		         model, chosen ? " on backend " : "", chosen ? name : "");
		break;
	case WARM_LOADED:
	case WARM_LOADING:
	case WARM_LATER: abort();
	}
	fail(w, status, where, buf_text(&why));
	buf_finish(&why);
}

static void
tell(struct warm_ask *ask, enum warm_answer answer, struct backend *where)
{
	struct admin_warm *w = (struct admin_warm *)ask;
	struct admin_call *c = w->call;

	switch (answer) {
	case WARM_LATER: send_line(w, "waiting", where, NULL); return;
	case WARM_LOADING: send_line(w, "loading", where, NULL); return;
	case WARM_LOADED:
		send_line(w, "loaded", where, NULL);
		admin_end_lines(c);
		return;
	case WARM_NO_ROOM:
	case WARM_FAILED:
	case WARM_NO_BACKEND:
	case WARM_UNKNOWN_MODEL: refuse(w, answer, where); return;
	}
	abort();
}

/* --- the question --- */

/* False: the call was refused. */
static bool
choose_backend(struct admin_call *c, const char *name, struct backend **out)
{
	struct server *s = name == NULL ? NULL : gateway_find_server(c->gateway, str_of(name));

	*out = s == NULL ? NULL : s->backend;
	if (name == NULL || s != NULL)
		return true;
	admin_refuse_backend(c, name);
	return false;
}

static void
begin(struct admin_call *c, const char *model, const char *backend)
{
	char canonical[MODEL_NAME_MAX];
	struct backend *only;

	if (!model_name_canonical(str_of(model), canonical)) {
		admin_fail(c, 400,
		           "give {\"model\": \"NAME\"}, and \"backend\": \"NAME\" where it matters");
	} else if (model_name_is_cloud(canonical)) {
		admin_fail(c, 400, "model '%s' runs elsewhere: there is nothing to load", canonical);
	} else if (c->gateway->draining) {
		admin_fail(c, 503, "the gateway is shutting down");
	} else if (choose_backend(c, backend, &only)) {
		c->warm = NEW(struct admin_warm);
		c->warm->call = c;
		c->warm->began_ms = clock_now_ms();
		c->warm->ask.tell = tell;
		log_info("warm", "%s, asked for by %s", canonical, front_req_peer(c->client));
		warmer_ask(c->gateway->warmer, &c->warm->ask, canonical, only);
	}
}

void
admin_warm_model(struct admin_call *c)
{
	cJSON *root = cJSON_ParseWithLength(c->body.data == NULL ? "" : c->body.data, c->body.len);
	const cJSON *backend = cJSON_GetObjectItemCaseSensitive(root, "backend");

	if (backend != NULL && !cJSON_IsString(backend) && !cJSON_IsNull(backend))
		admin_fail(c, 400, "\"backend\" is the name of a backend, as text");
	else
		begin(c, member_text(root, "model"), cJSON_GetStringValue(backend));
	cJSON_Delete(root);
}
