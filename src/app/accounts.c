/* Who used what, of requests that ended. */
#include "app/accounts.h"

#include "app/gateway.h"
#include "app/request.h"
#include "base/clock.h"
#include "core/tally.h"
#include "proto/model_name.h"

static enum tally_refusal
refusal_of(int status)
{
	switch (status) {
	case 401:
	case 403: return TALLY_FORBIDDEN;
	case 429: return TALLY_LIMIT;
	case 503:
	case 504: return TALLY_BUSY;
	}
	return TALLY_INVALID;
}

/* Whatever clients make up, there are only so many names. */
static const char *
model_of(const struct request *r, char canonical[MODEL_NAME_MAX])
{
	const struct gateway *g = r->gateway;
	const char *sent = r->model_sent != NULL ? r->model_sent : request_model(r);

	if (!model_name_canonical(str_of(sent), canonical))
		return "other";
	for (size_t i = 0; i < g->server_count; i++)
		if (backend_has_model(g->servers[i].backend, canonical))
			return canonical;
	return "other";
}

void
accounts_add(const struct request *r)
{
	struct tally_count count = {
	    .requests = 1,
	    .slot_ms = r->slot_ms,
	    .waited_ms = r->waited_ms,
	};
	char model[MODEL_NAME_MAX];

	if (r->route == NULL || r->route->kind != ROUTE_RUN)
		return;
	if (r->usage_known) {
		count.prompt_tokens = r->usage.prompt;
		count.output_tokens = r->usage.output;
	}
	if (r->attempts == 0 && r->status >= 400 && r->status != 499)
		count.refused[refusal_of(r->status)] = 1;
	tally_add(r->gateway->tally, clock_wall_ms(),
	          r->caller == NULL || r->caller->key == NULL ? "-" : r->caller->name,
	          model_of(r, model), &count);
}
