/*
 * What a client asks of the scheduler beside its work. Each term is taken by a function
 * of its own, which sets its field of the job, or refuses the request.
 */
#include "app/terms.h"

#include "app/auth.h"
#include "app/gateway.h"
#include "app/manage.h"
#include "app/request.h"
#include "base/unit.h"
#include "proto/model_name.h"

enum { DEADLINE_MOST_MS = 24 * 3600 * 1000 };

static struct str
header(const struct request *r, const char *name)
{
	return http_find_header(front_req_head(r->client), name);
}

/* Only a key has a highest class. */
static bool
take_class_given(struct request *r, struct job *j, enum job_class class)
{
	if (r->caller->key != NULL && class < auth_class(r)) {
		request_refuse(r, 403, "X-Drover-Priority: this key may have %s at most",
		               job_class_name(auth_class(r)));
		return false;
	}
	j->class = class;
	return true;
}

/* X-Drover-Priority. */
static bool
take_class(struct request *r, struct job *j)
{
	struct str given = header(r, "X-Drover-Priority");

	j->class = auth_class(r);
	if (given.ptr == NULL)
		return true;
	for (int c = 0; c < CLASSES; c++)
		if (str_eq_nocase(given, job_class_name((enum job_class)c)))
			return take_class_given(r, j, (enum job_class)c);
	request_refuse(r, 400, "X-Drover-Priority: give high, normal or low");
	return false;
}

/* X-Drover-Timeout: a deadline for the whole request, from its arrival. */
static bool
take_deadline(struct request *r, struct job *j)
{
	struct str given = header(r, "X-Drover-Timeout");
	int64_t ms;

	if (given.ptr == NULL)
		return true;
	if (!unit_parse_duration_ms(given, &ms) || ms == 0 || ms > DEADLINE_MOST_MS) {
		request_refuse(r, 400, "X-Drover-Timeout: give a duration such as 30s, at most 24h");
		return false;
	}
	j->deadline_ms = r->began_ms + ms;
	return true;
}

/* X-Drover-Backend, for those who may manage. */
static bool
take_backend_choice(struct request *r, struct job *j)
{
	struct server *s;

	if (!manage_choose_server(r, &s))
		return false;
	j->only = s == NULL ? NULL : s->backend;
	return true;
}

/* X-Drover-Session: what its client takes for one conversation. Two clients may have one name for
 * theirs. */
static void
take_session(struct request *r, struct job *j)
{
	struct str given = header(r, "X-Drover-Session");

	if (given.len > 0)
		j->conversation = str_hash(given, str_hash(str_of(j->key), 0));
}

bool
terms_take(struct request *r, const char *model, struct job *j)
{
	if (!take_class(r, j) || !take_deadline(r, j) || !take_backend_choice(r, j))
		return false;
	j->key = request_key(r);
	j->weight = r->caller->key == NULL ? 1 : (int)r->caller->key->weight;
	take_session(r, j);
	/* Reads, and remote models, need a node but none of its slots. */
	j->slotless = r->route->kind != ROUTE_RUN || model_name_is_cloud(model);
	return true;
}
