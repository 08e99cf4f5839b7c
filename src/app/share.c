/*
 * Requests and the answers they share.
 *
 * Ways of a request that has a key:
 *   hit      played from an entry of the cache; this is the request's work.
 *   joined   follows a flight; this is the request's work. It reads the leader's
 *            recording while it grows, or, where it wants another form or name,
 *            waits for its end.
 *   miss     sent to a node by a proxy. The relay records the answer here, and its
 *            own client is but one of the readers.
 *
 * A leader whose client leaves in mid-answer goes on without it (`headless`) while
 * anybody follows. Followers that are to lead, or must run by themselves, and
 * leaders that nobody follows any more, are settled in the next turn of the loop:
 * they learn of it inside of another request's callback.
 */
#include "app/share_impl.h"

#include "app/gateway.h"
#include "app/limits.h"
#include "app/proxy.h"
#include "app/rules.h"
#include "app/terms.h"
#include "base/mem.h"
#include "proto/cache_hint.h"

#include <stdlib.h>
#include <string.h>

struct share *
share_of(struct flight_member *m)
{
	return LIST_ENTRY(m, struct share, member);
}

struct answers *
share_answers(const struct share *s)
{
	return s->request->gateway->answers;
}

void
share_settle_later(struct share *s)
{
	struct answers *a = share_answers(s);

	if (list_linked(&s->settle_link))
		return;
	list_add_last(&a->settling, &s->settle_link);
	waker_wake(&a->settle);
}

/* Leaves the flight. A leader without a client ends when it was the last to follow. */
void
share_leave_flight(struct share *s)
{
	struct flight_member *leader = flight_leader(&s->member);

	flight_leave(share_answers(s)->flights, &s->member);
	if (leader != NULL && leader != &s->member && share_of(leader)->headless)
		share_settle_later(share_of(leader));
}

/* --- the beginning --- */

static void
on_lead(struct flight_member *m)
{
	share_settle_later(share_of(m));
}

static void
say_joined(struct buf *out, void *arg)
{
	buf_adds(out, "waiting with an equal request");
}

static struct str
header(const struct request *r, const char *name)
{
	return http_find_header(front_req_head(r->client), name);
}

static enum cache_mode
mode_of(const struct request *r, const char *model)
{
	const struct settings *all = &r->config->settings;
	const struct model_settings *rule = rules_find(all, model);

	return rule->cache == CACHE_MODE_INHERIT ? all->cache.mode : rule->cache;
}

/* Names of one model share what is kept; and what was another model then is found no more. */
static void
add_model(const struct request *r, const char *model, struct buf *out)
{
	const struct gateway *g = r->gateway;
	uint64_t digest = 0;

	for (size_t i = 0; i < g->server_count; i++) {
		const struct backend *b = g->servers[i]->backend;
		uint64_t other = backend_model_digest(b, model);

		if (other == 0 && !backend_has_model(b, model))
			continue;
		if (other == 0 ||
		    (digest != 0 && other != digest)) { /* nodes have two models of one name */
			digest = 0;
			break;
		}
		digest = other;
	}
	if (digest == 0) {
		buf_adds(out, model);
		return;
	}
	buf_adds(out, "digest ");
	buf_add(out, &digest, sizeof(digest));
}

static void
add_number(struct buf *out, int64_t value)
{
	buf_add_int(out, value);
	buf_addc(out, ' ');
}

/* What rules put into the request changes its answer too. */
static void
add_scope(const struct request *r, const char *model, struct buf *out)
{
	const struct settings *all = &r->config->settings;
	const struct model_settings *rule = rules_find(all, model);

	add_number(out, rule->num_predict.usual);
	add_number(out, rule->num_predict.most);
	add_number(out, rule->num_ctx.usual);
	add_number(out, rule->num_ctx.most);
	if (all->cache.scope == CACHE_SCOPE_KEY)
		buf_adds(out, request_key(r));
}

/* All that its answer depends on beside its body; until the next is asked for. */
static struct str
about(const struct request *r, enum answer_family family, const char *model)
{
	struct answers *a = r->gateway->answers;

	buf_clear(&a->model);
	buf_clear(&a->scope);
	buf_clear(&a->about);
	add_model(r, model, &a->model);
	add_scope(r, model, &a->scope);
	cache_key_add_about(&a->about, family, (struct str){a->model.data, a->model.len},
	                    (struct str){a->scope.data, a->scope.len});
	return (struct str){a->about.data, a->about.len};
}

/* Whether its answer may be kept and given to others, as far as this is told without its key. */
static bool
may_share(const struct request *r, enum cache_mode mode)
{
	return mode != CACHE_MODE_OFF && !r->facts.load_only &&
	       header(r, "X-Drover-Backend").ptr == NULL &&
	       !str_list_has(header(r, "Cache-Control"), "no-store");
}

/* The key takes as long to make as all else that is done with the request: most are spared it. */
static bool
read_key(const struct request *r, enum answer_family family, const char *model,
         struct cache_key *key)
{
	enum cache_mode mode = mode_of(r, model);
	struct buf decoded = {0};
	struct str body;
	bool ok;

	if (!may_share(r, mode))
		return false;
	body = request_plain_body(r, &decoded);
	ok = (mode == CACHE_MODE_ALL || cache_hint_may_repeat(family, body)) &&
	     answers_read_key(r->gateway->answers, family, body, about(r, family, model), key) &&
	     (mode == CACHE_MODE_ALL || key->deterministic);
	buf_finish(&decoded);
	return ok;
}

static struct share *
share_create(struct request *r, enum answer_family family, const char *model,
             const struct cache_key *key)
{
	struct share *s = NEW(struct share);

	s->work.ops = &share_work_ops;
	s->request = r;
	s->family = family;
	s->key = *key;
	memcpy(s->model, model, strlen(model) + 1);
	s->want = (struct transcript_want){
	    .form = r->facts.stream ? TRANSCRIPT_STREAM : TRANSCRIPT_WHOLE,
	    .model = str_of(r->facts.model),
	    .include_usage = key->include_usage,
	};
	s->member = (struct flight_member){.on_lead = on_lead, .on_begin = share_on_begin};
	heartbeat_init(&s->heartbeat, r, say_joined, s);
	list_init(&s->settle_link);
	list_init(&s->playback.reader.link);
	return s;
}

/* It costs a request of its caller's, and no tokens. False: refused. */
static bool
enter_limits(struct request *r)
{
	struct job j;

	job_init(&j, CLASS_NORMAL);
	j.most_output_tokens = 1;
	return limits_enter(r, &j);
}

enum way { WAY_TAKEN, WAY_NONE };

/* A class has flights of its own, so that nobody waits behind a request of a lower one. One with a
 * deadline would take others with it. */
static enum way
join(struct share *s)
{
	struct request *r = s->request;
	struct flights *flights = share_answers(s)->flights;
	struct sha256 key = s->key.digest;
	struct job j;

	job_init(&j, CLASS_NORMAL);
	if (!terms_take(r, s->model, &j))
		return WAY_TAKEN;
	if (!r->config->settings.cache.join || j.deadline_ms != 0)
		return WAY_NONE;
	key.bytes[0] ^= (unsigned char)(j.class + 1);
	if (flight_is_open(flights, &key) && !enter_limits(r))
		return WAY_TAKEN;
	r->work = &s->work;
	r->cache = "joined";
	if (flight_enter(flights, &key, &s->member) == FLIGHT_FOLLOWS) {
		heartbeat_start(&s->heartbeat);
		return WAY_TAKEN;
	}
	r->work = NULL;
	return WAY_NONE;
}

static enum way
reply_fresh(struct share *s)
{
	struct answers *a = share_answers(s);
	struct answer_kept k;
	enum cache_found found = answers_find(a, &s->key.digest, &s->entry, &k);

	if (found == CACHE_FRESH && !enter_limits(s->request))
		return WAY_TAKEN;
	if (found == CACHE_FRESH && share_play_entry(s, &k, "hit"))
		return WAY_TAKEN;
	cache_release(a->cache, &s->entry);
	return WAY_NONE;
}

bool
share_begin(struct request *r)
{
	enum answer_family family;
	struct cache_key key;
	struct str control;
	struct share *s;

	if (!answers_are_kept(&r->config->settings) || !answer_family_of(r->route, &family))
		return false;
	if (r->model == NULL || !read_key(r, family, r->model, &key)) {
		r->cache = "bypass";
		return false;
	}
	r->share = s = share_create(r, family, r->model, &key);
	control = header(r, "Cache-Control");
	if (!str_list_has(control, "no-cache") && reply_fresh(s) == WAY_TAKEN)
		return true;
	if (str_list_has(control, "only-if-cached")) {
		request_fail(r, JOB_REFUSED, 504, 0, "the answer is not in the cache");
		return true;
	}
	if (!str_list_has(control, "no-cache") && join(s) == WAY_TAKEN)
		return true;
	s->records = true;
	r->cache = "miss";
	return false;
}

/* The order matters: the flight first, so that followers find another leader or none. */
void
share_drop(struct request *r)
{
	struct share *s = r->share;

	if (s == NULL)
		return;
	list_remove(&s->settle_link);
	heartbeat_finish(&s->heartbeat);
	share_leave_flight(s);
	playback_stop(&s->playback);
	recording_release(&s->recording);
	cache_release(share_answers(s)->cache, &s->entry);
	buf_finish(&s->converted);
	buf_finish(&s->rewritten);
	r->share = NULL;
	free(s);
}

bool
share_reply_stale(struct request *r)
{
	struct share *s = r->share;
	struct answers *a = r->gateway->answers;
	struct answer_kept k;

	if (s == NULL || r->in_stream)
		return false;
	if (answers_find(a, &s->key.digest, &s->entry, &k) != CACHE_ABSENT) {
		share_leave_flight(s);
		if (share_play_entry(s, &k, "stale"))
			return true;
	}
	cache_release(a->cache, &s->entry);
	return false;
}

bool
share_outlives_client(struct request *r)
{
	struct share *s = r->share;

	if (s == NULL || s->recording == NULL || flight_followers(&s->member) == 0)
		return false;
	playback_stop(&s->playback);
	s->headless = true;
	r->client = NULL;
	r->status = 499;
	return true;
}

bool
share_cancel_client(struct request *r, const char *why)
{
	struct share *s = r->share;

	if (s == NULL || s->recording == NULL || r->client == NULL || flight_followers(&s->member) == 0)
		return false;
	share_cut_client(s, why);
	return share_outlives_client(r);
}

/* --- what was put off --- */

static void
begin_late(struct share *s)
{
	struct request *r = s->request;

	heartbeat_stop(&s->heartbeat);
	r->work = NULL;
	if (r->gateway->draining) {
		request_refuse(r, 503, "the gateway is shutting down");
		return;
	}
	s->records = true;
	r->cache = "miss";
	proxy_begin(r);
}

void
share_settle(void *arg)
{
	struct answers *a = arg;
	struct share *s;

	while ((s = LIST_FIRST(&a->settling, struct share, settle_link)) != NULL) {
		list_remove(&s->settle_link);
		if (!s->headless)
			begin_late(s);
		else if (flight_followers(&s->member) == 0)
			request_abandon(s->request);
	}
}
