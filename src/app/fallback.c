/* Another model where the one that is asked for cannot be had. */
#include "app/fallback.h"

#include "app/auth.h"
#include "app/gateway.h"
#include "app/request.h"
#include "app/rules.h"
#include "app/shape.h"
#include "base/log.h"
#include "base/mem.h"
#include "proto/model_name.h"

#include <stdlib.h>

void
fallback_init(struct fallback *f, struct str model)
{
	*f = (struct fallback){.asked = model, .model = model};
}

static void
forget(struct fallback *f)
{
	free(f->canonical);
	f->canonical = NULL;
}

void
fallback_finish(struct fallback *f)
{
	forget(f);
}

/* Whether another model could be served. */
static bool
is_about_model(enum sched_answer answer)
{
	return answer == SCHED_UNKNOWN_MODEL || answer == SCHED_NO_BACKEND ||
	       answer == SCHED_LOAD_FAILED;
}

static bool
take_next(struct fallback *f, const struct request *r)
{
	const struct text_list *names = &rules_find(&r->config->settings, r->model)->fallback;
	char model[MODEL_NAME_MAX];

	while (f->tried < names->count) {
		f->model = str_of(names->items[f->tried++]);
		if (!model_name_canonical(f->model, model))
			abort(); /* it was looked at, with the configuration */
		if (!auth_may_use_model(r, model))
			continue;
		forget(f);
		f->canonical = mem_strdup(model);
		return true;
	}
	return false;
}

/* The same wishes, for another model. */
static void
renew(struct job *j, const struct request *r, const char *model)
{
	const struct job before = *j;

	job_init(j, before.class);
	j->key = before.key;
	j->weight = before.weight;
	j->conversation = before.conversation;
	j->only = before.only;
	j->deadline_ms = before.deadline_ms;
	j->slotless = model_name_is_cloud(model);
	shape_job(r, model, j);
}

bool
fallback_take(struct fallback *f, struct request *r, enum sched_answer answer, struct job *j)
{
	if (r->route->kind != ROUTE_RUN || !is_about_model(answer))
		return false;
	if (f->tried == 0)
		f->answer = answer;
	if (!take_next(f, r))
		return false;
	log_info(r->id, "no backend can serve %.*s, taking %s", STR_ARG(f->asked), f->canonical);
	renew(j, r, f->canonical);
	return true;
}

enum sched_answer
fallback_give_up(struct fallback *f, enum sched_answer answer)
{
	if (f->tried == 0 || !is_about_model(answer))
		return answer;
	f->model = f->asked;
	forget(f);
	return f->answer;
}

const char *
fallback_name(const struct fallback *f)
{
	return f->model.ptr == f->asked.ptr ? NULL : f->model.ptr;
}
