/* What the gateway answers by itself. */
#include "app/own.h"

#include "app/accounts.h"
#include "app/auth.h"
#include "app/gateway.h"
#include "app/limits.h"
#include "app/request.h"
#include "base/clock.h"
#include "core/tally.h"

#include <string.h>

static void
reply_json(struct request *r, int status, struct buf *json)
{
	request_reply(r, status, "application/json; charset=utf-8", (struct str){json->data, json->len},
	              status < 400 ? JOB_DONE : JOB_REFUSED);
	buf_finish(json);
}

void
own_reply_root(struct request *r)
{
	request_reply(r, 200, "text/plain; charset=utf-8", str_of("Ollama is running"), JOB_DONE);
}

void
own_reply_health(struct request *r)
{
	request_reply(r, 200, "text/plain; charset=utf-8", str_of("ok\n"), JOB_DONE);
}

static bool
is_ready(const struct gateway *g)
{
	int64_t now = clock_now_ms();

	for (size_t i = 0; i < g->server_count; i++)
		if (backend_is_usable(g->servers[i]->backend, now))
			return !g->draining;
	return false;
}

void
own_reply_ready(struct request *r)
{
	bool ready = is_ready(r->gateway);

	request_reply(r, ready ? 200 : 503, "text/plain; charset=utf-8",
	              str_of(ready                  ? "ready\n"
	                     : r->gateway->draining ? "draining\n"
	                                            : "no backend is up\n"),
	              ready ? JOB_DONE : JOB_REFUSED);
}

static const struct request *
find_own(const struct request *asker)
{
	const struct request *it;
	char id[REQUEST_ID_MAX + 1];

	if (!route_decode_name(asker->tail, id, sizeof(id)))
		return NULL;
	LIST_FOR_EACH (it, &asker->gateway->requests, struct request, link)
		if (it != asker && strcmp(id, it->id) == 0 && it->caller == asker->caller)
			return it;
	return NULL;
}

void
own_reply_request(struct request *r)
{
	const struct request *found = find_own(r);
	struct buf json = {0};

	if (found == NULL) {
		request_refuse(r, 404, "no request of yours with this id is under way");
		return;
	}
	buf_addf(&json, "{\"id\":\"%s\",\"route\":\"%s\",\"model\":", found->id,
	         found->route == NULL ? "" : found->route->path);
	buf_add_json(&json, found->facts.model, strlen(found->facts.model));
	buf_addf(&json, ",\"age_ms\":%lld,", (long long)(clock_now_ms() - found->began_ms));
	request_describe(found, &json);
	buf_addc(&json, '}');
	reply_json(r, 200, &json);
}

static void
add_rights(const struct request *r, struct buf *json)
{
	const struct key_settings *k = r->caller->key;

	buf_addf(json, ",\"priority\":\"%s\",\"weight\":%lld,\"admin\":%s,\"models\":[",
	         job_class_name(auth_class(r)), k == NULL ? 1LL : (long long)k->weight,
	         auth_is_admin(r) ? "true" : "false");
	for (size_t i = 0; k != NULL && i < k->models.count; i++) {
		buf_adds(json, i == 0 ? "" : ",");
		buf_add_json(json, k->models.items[i], strlen(k->models.items[i]));
	}
	if (k == NULL || k->models.count == 0)
		buf_adds(json, "\"*\"");
	buf_addc(json, ']');
}

struct own_use {
	const char *key;
	struct tally_count count;
};

static void
take_own_row(const struct tally_row *row, void *arg)
{
	struct own_use *use = arg;

	if (strcmp(row->key, use->key) == 0)
		use->count = row->count;
}

/* Of a day. Addresses have no account of their own. */
static void
add_use(const struct request *r, struct buf *json)
{
	struct own_use use = {.key = r->caller->name};
	const struct tally_count *n = &use.count;

	if (r->caller->key == NULL) {
		buf_adds(json, ",\"last_24h\":null");
		return;
	}
	tally_sum(accounts_tally(r->gateway->accounts), clock_wall_ms() - 24 * TALLY_HOUR_MS,
	          TALLY_BY_KEY, take_own_row, &use);
	buf_addf(json,
	         ",\"last_24h\":{\"requests\":%lld,\"prompt_tokens\":%lld,\"output_tokens\":%lld,"
	         "\"slot_ms\":%lld}",
	         (long long)n->requests, (long long)n->prompt_tokens, (long long)n->output_tokens,
	         (long long)n->slot_ms);
}

void
own_reply_me(struct request *r)
{
	struct buf json = {0};

	buf_adds(&json, r->caller->key == NULL ? "{\"key\":null,\"address\":" : "{\"key\":");
	buf_add_json(&json, r->caller->name, strlen(r->caller->name));
	add_rights(r, &json);
	limits_add_json(r->caller->limit, &json);
	add_use(r, &json);
	buf_addf(&json, ",\"requests_under_way\":%d}", r->caller->requests - 1);
	reply_json(r, 200, &json);
}
