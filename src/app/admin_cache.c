/* POST /admin/v1/cache/purge: {"model": ...} forgets its answers, no body those of all. */
#include "app/admin_impl.h"
#include "app/answers.h"
#include "app/gateway.h"
#include "base/log.h"
#include "proto/model_name.h"

#include <cjson/cJSON.h>

/* False: refused. */
static bool
read_model(struct admin_call *c, char model[MODEL_NAME_MAX])
{
	cJSON *body = cJSON_ParseWithLength(c->body.data, c->body.len);
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(body, "model");
	bool ok = cJSON_GetArraySize(body) == 1 && cJSON_IsString(name) &&
	          model_name_canonical(str_of(name->valuestring), model);

	cJSON_Delete(body);
	if (!ok)
		admin_fail(c, 400, "give {\"model\": NAME}, or no body to forget all answers");
	return ok;
}

void
admin_purge_cache(struct admin_call *c)
{
	struct answers *a = c->gateway->answers;
	char model[MODEL_NAME_MAX];
	struct buf json = {0};
	size_t count;

	if (c->body.len > 0 && !read_model(c, model))
		return;
	count = c->body.len > 0 ? answers_forget(a, model) : answers_purge(a);
	log_info("cache", "%zu answers are purged, by %s", count, front_req_peer(c->client));
	buf_addf(&json, "{\"purged\":%zu}", count);
	admin_reply(c, 200, &json);
}
