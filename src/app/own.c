/* What the gateway answers by itself. */
#include "app/own.h"

#include "app/gateway.h"
#include "app/request.h"
#include "base/clock.h"

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
		if (backend_is_usable(g->servers[i].backend, now))
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

static bool
is_same_caller(const struct request *a, const struct request *b)
{
	char key_a[FRONT_PEER_MAX], key_b[FRONT_PEER_MAX];

	request_key(a, key_a);
	request_key(b, key_b);
	return strcmp(key_a, key_b) == 0;
}

static const struct request *
find_own(const struct request *asker, struct str id)
{
	const struct request *it;

	LIST_FOR_EACH (it, &asker->gateway->requests, struct request, link)
		if (it != asker && str_eq(id, it->id) && is_same_caller(it, asker))
			return it;
	return NULL;
}

void
own_reply_request(struct request *r)
{
	const struct request *found = find_own(r, r->tail);
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

void
own_reply_me(struct request *r)
{
	const struct request *it;
	struct buf json = {0};
	int open = 0;

	LIST_FOR_EACH (it, &r->gateway->requests, struct request, link)
		open += it != r && is_same_caller(it, r);
	buf_addf(&json, "{\"key\":null,\"limits\":null,\"requests_under_way\":%d}", open);
	reply_json(r, 200, &json);
}
