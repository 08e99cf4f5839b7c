/*
 * Models that are loaded before anybody asks for them.
 *
 * A rule is due from its time until all that it wants is loaded; asking the scheduler again
 * and again costs nothing where nothing is to do, so no state of single models is kept.
 */
#include "app/warmer.h"

#include "app/dispatch.h"
#include "app/gateway.h"
#include "app/rules.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* A rule's wish to have its models loaded. */
struct plan {
	struct warmer *warmer;
	const struct model_settings *rule; /* of the configuration in force */
	char *match;                       /* owned; of the rule, which a reload takes away */
	int64_t every_ms;                  /* likewise */
	bool due;
	bool said;  /* that something stands against it, since it is due */
	bool whole; /* while it is reviewed: all is loaded so far, */
	bool seen;  /* and there is something */
	struct timer timer;
};

struct warmer {
	struct gateway *gateway; /* borrowed */
	struct list asks;        /* of struct warm_ask, by link */
	struct plan *plans;      /* owned */
	size_t plan_count;
	bool changed; /* since the last review */
};

/* --- rules --- */

/* Requests that say nothing get the rule's context: that is what will be asked for. */
static struct warm_wish
wish_for(const struct gateway *g, const char *model, struct backend *only)
{
	int64_t usual = rules_find(g->settings, model)->num_ctx.usual;
	struct warm_wish wish = {.model = model, .only = only};

	if (usual > 0)
		variant_options_set(&wish.options, OPTION_NUM_CTX, (int32_t)usual);
	return wish;
}

static const char *
describe(enum warm_answer answer)
{
	switch (answer) {
	case WARM_NO_ROOM: return "what is loaded is in use";
	case WARM_FAILED: return "it failed to load";
	case WARM_NO_BACKEND: return "no backend that has it can be used";
	case WARM_UNKNOWN_MODEL: return "no backend has it";
	case WARM_LOADED:
	case WARM_LOADING:
	case WARM_LATER: break;
	}
	abort();
}

static void
try_one(struct plan *p, const char *model, struct backend *only)
{
	struct gateway *g = p->warmer->gateway;
	struct warm_wish wish = wish_for(g, model, only);
	struct backend *where;
	enum warm_answer answer = sched_warm(g->sched, &wish, clock_now_ms(), &where);

	p->whole = p->whole && answer == WARM_LOADED;
	if (answer <= WARM_LATER || p->said)
		return;
	p->said = true;
	log_info("warm", "%s%s%s waits: %s", model, where == NULL ? "" : " on ",
	         where == NULL ? "" : backend_name(where), describe(answer));
}

/* What a node lists and the rule is for. */
struct names {
	const struct plan *plan;
	char **items; /* owned, each too */
	size_t count;
};

static void
take_name(const char *model, void *arg)
{
	struct names *n = arg;

	if (rules_find(n->plan->warmer->gateway->settings, model) != n->plan->rule)
		return;
	n->items = mem_realloc(n->items, (n->count + 1) * sizeof(n->items[0]));
	n->items[n->count++] = mem_strdup(model);
}

static void
try_listed(struct plan *p, struct backend *b, struct backend *only)
{
	struct names n = {.plan = p};

	backend_each_listed(b, take_name, &n);
	for (size_t i = 0; i < n.count; i++) {
		try_one(p, n.items[i], only);
		free(n.items[i]);
	}
	p->seen = p->seen || n.count > 0;
	free(n.items);
}

static void
try_named(struct plan *p, const char *name)
{
	struct server *s = gateway_find_server(p->warmer->gateway, str_of(name));

	if (s == NULL || backend_state(s->backend) != BACKEND_UP)
		p->whole = false;
	else
		try_listed(p, s->backend, s->backend);
}

/* One node is enough for each model; which, is chosen once all were asked what they have. */
static void
try_anywhere(struct plan *p)
{
	const struct gateway *g = p->warmer->gateway;

	for (size_t i = 0; i < g->server_count; i++)
		if (backend_state(g->servers[i]->backend) == BACKEND_UNKNOWN) {
			p->whole = false;
			return;
		}
	for (size_t i = 0; i < g->server_count; i++)
		try_listed(p, g->servers[i]->backend, NULL);
}

static void
review_plan(struct plan *p)
{
	const struct text_list *names = &p->rule->warm.backends;

	p->whole = true;
	p->seen = false;
	for (size_t i = 0; i < names->count; i++)
		try_named(p, names->items[i]);
	if (names->count == 0)
		try_anywhere(p);
	p->due = !p->whole || !p->seen;
}

static void
on_due(void *arg)
{
	struct plan *p = arg;

	p->due = true;
	p->said = false;
	timer_start(&p->timer, p->rule->warm.every);
	warmer_wake(p->warmer);
}

/* --- asks --- */

static void
review_ask(struct warmer *w, struct warm_ask *ask)
{
	struct backend *where;
	enum warm_answer answer = sched_warm(w->gateway->sched, &ask->wish, clock_now_ms(), &where);

	if (ask->was_told && ask->told == answer)
		return;
	ask->told = answer;
	ask->was_told = true;
	if (answer != WARM_LOADING && answer != WARM_LATER)
		list_remove(&ask->link);
	ask->tell(ask, answer, where);
}

void
warmer_ask(struct warmer *w, struct warm_ask *ask, const char *model, struct backend *only)
{
	memcpy(ask->model, model, strlen(model) + 1);
	ask->wish = wish_for(w->gateway, ask->model, only);
	ask->was_told = false;
	list_add_last(&w->asks, &ask->link);
	warmer_wake(w);
}

void
warmer_forget(struct warm_ask *ask)
{
	list_remove(&ask->link);
}

/* --- its life --- */

void
warmer_wake(struct warmer *w)
{
	w->changed = true;
	dispatch_wake(w->gateway);
}

void
warmer_review(struct warmer *w)
{
	struct warm_ask *ask;

	if (!w->changed || w->gateway->draining)
		return;
	w->changed = false;
	LIST_FOR_EACH (ask, &w->asks, struct warm_ask, link)
		review_ask(w, ask);
	for (size_t i = 0; i < w->plan_count && !w->gateway->retired; i++)
		if (w->plans[i].due)
			review_plan(&w->plans[i]);
}

void
warmer_give_up(struct warmer *w)
{
	struct warm_ask *ask;

	LIST_FOR_EACH (ask, &w->asks, struct warm_ask, link) {
		list_remove(&ask->link);
		ask->tell(ask, WARM_NO_BACKEND, NULL);
	}
}

void
warmer_forget_backend(struct warmer *w, struct backend *b)
{
	struct warm_ask *ask;

	LIST_FOR_EACH (ask, &w->asks, struct warm_ask, link)
		if (ask->wish.only == b) {
			list_remove(&ask->link);
			ask->tell(ask, WARM_NO_BACKEND, b);
		}
}

static bool
wants_warmth(const struct model_settings *rule)
{
	return rule->warm.at_start || rule->warm.every > 0;
}

/* The plan that another one of its models and period goes on with; NULL: none. */
static const struct plan *
find_same(const struct plan *plans, size_t count, const struct model_settings *rule)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(plans[i].match, rule->match) == 0 && plans[i].every_ms == rule->warm.every)
			return &plans[i];
	return NULL;
}

static void
open_plan(struct plan *p, struct warmer *w, const struct model_settings *rule,
          const struct plan *same)
{
	int64_t wait_ms = rule->warm.every;

	*p = (struct plan){
	    .warmer = w,
	    .rule = rule,
	    .match = mem_strdup(rule->match),
	    .every_ms = rule->warm.every,
	    .due = same != NULL ? same->due : rule->warm.at_start,
	};
	timer_init(&p->timer, w->gateway->loop, on_due, p);
	if (same != NULL && same->timer.due_ms != 0)
		wait_ms = same->timer.due_ms - clock_now_ms();
	if (rule->warm.every > 0)
		timer_start(&p->timer, wait_ms > 0 ? wait_ms : 0);
}

static void
drop_plans(struct plan *plans, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		timer_finish(&plans[i].timer);
		free(plans[i].match);
	}
	free(plans);
}

void
warmer_apply(struct warmer *w)
{
	const struct settings *s = w->gateway->settings;
	struct plan *before = w->plans;
	size_t count = w->plan_count;

	w->plans = mem_zalloc(s->model_count, sizeof(w->plans[0]));
	w->plan_count = 0;
	for (size_t i = 0; i < s->model_count; i++) {
		const struct model_settings *rule = &s->models[i];

		if (wants_warmth(rule))
			open_plan(&w->plans[w->plan_count++], w, rule, find_same(before, count, rule));
	}
	drop_plans(before, count);
	warmer_wake(w);
}

struct warmer *
warmer_create(struct gateway *g)
{
	struct warmer *w = NEW(struct warmer);

	w->gateway = g;
	list_init(&w->asks);
	warmer_apply(w);
	return w;
}

void
warmer_destroy(struct warmer **wp)
{
	struct warmer *w = *wp;

	*wp = NULL;
	if (w == NULL)
		return;
	drop_plans(w->plans, w->plan_count);
	free(w);
}
