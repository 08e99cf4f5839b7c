/* The world: arrivals, deadlines, the cache, ends. */
#include "world.h"

#include "base/mem.h"
#include "policy.h"

#include <assert.h>
#include <stdlib.h>

static void
settle(struct world *w, struct request *r, enum request_state end)
{
	assert(r->state < REQUEST_DONE && end >= REQUEST_DONE);
	r->state = end;
	r->end_us = w->events.now_us;
	w->unsettled--;
}

/* Who joined it has what became of it. */
static void
settle_followers(struct world *w, struct request *r)
{
	struct request *f;

	LIST_FOR_EACH (f, &r->followers, struct request, link) {
		list_remove(&f->link);
		f->start_us = r->start_us > f->at_us ? r->start_us : f->at_us;
		f->first_us = r->first_us > f->at_us ? r->first_us : f->at_us;
		settle(w, f, r->state);
	}
}

static void
end(struct world *w, struct request *r, enum request_state how)
{
	settle(w, r, how);
	if (!w->conf.cached || r->content == 0)
		return;
	assert(w->cache[r->content].leader == r);
	w->cache[r->content].leader = NULL;
	w->cache[r->content].known = how == REQUEST_DONE;
	settle_followers(w, r);
}

void
world_refuse(struct world *w, struct request *r)
{
	end(w, r, REQUEST_REFUSED);
}

void
world_give_up(struct world *w, struct request *r)
{
	end(w, r, REQUEST_LATE);
}

void
world_done(struct world *w, struct request *r)
{
	end(w, r, REQUEST_DONE);
	w->conf.policy->freed(w->policy, r);
}

static bool
answer_from_cache(struct world *w, struct request *r)
{
	struct cached *c;

	if (!w->conf.cached || r->content == 0)
		return false;
	c = &w->cache[r->content];
	if (c->known) {
		r->start_us = r->first_us = w->events.now_us;
		settle(w, r, REQUEST_DONE);
	} else if (c->leader != NULL) {
		r->state = REQUEST_FOLLOWING;
		list_add_last(&c->leader->followers, &r->link);
	} else {
		c->leader = r;
		return false;
	}
	w->cache_hits++;
	return true;
}

static void
give_up_following(struct world *w, struct request *r)
{
	list_remove(&r->link);
	settle(w, r, REQUEST_LATE);
}

/* Clients wait no longer than they said, wherever their request is. */
static void
on_deadline(void *arg, uint64_t i)
{
	struct world *w = arg;
	struct request *r = &w->requests->all[i];

	switch (r->state) {
	case REQUEST_AT_GATEWAY: w->conf.policy->overdue(w->policy, r); return;
	case REQUEST_FOLLOWING: give_up_following(w, r); return;
	case REQUEST_AT_NODE:
	case REQUEST_RUNNING:
		node_abort(r->node, r);
		world_give_up(w, r);
		w->conf.policy->freed(w->policy, r);
		return;
	case REQUEST_DONE:
	case REQUEST_REFUSED:
	case REQUEST_LATE: return;
	case REQUEST_NEW: break;
	}
	abort();
}

static void
on_arrival(void *arg, uint64_t i)
{
	struct world *w = arg;
	struct request *r = &w->requests->all[i];

	if (i + 1 < w->requests->count)
		events_plan(&w->events, w->requests->all[i + 1].at_us, on_arrival, w, i + 1);
	if (answer_from_cache(w, r))
		return;
	r->state = REQUEST_AT_GATEWAY;
	/* On a whole millisecond: the policy may keep time in those. */
	if (r->deadline_ms > 0)
		events_plan(&w->events, (r->at_us / 1000 + r->deadline_ms + 1) * 1000, on_deadline, w, i);
	w->conf.policy->arrive(w->policy, r);
}

static void
check(const struct world *w)
{
	size_t at_nodes = 0, inside = 0;

	for (size_t i = 0; i < w->node_count; i++) {
		node_check(&w->nodes[i]);
		inside += (size_t)w->nodes[i].inflight;
	}
	for (size_t i = 0; i < w->requests->count; i++)
		at_nodes += w->requests->all[i].state == REQUEST_AT_NODE ||
		            w->requests->all[i].state == REQUEST_RUNNING;
	if (inside != at_nodes)
		abort();
}

void
world_run(struct world *w, const struct world_conf *conf, struct requests *requests, bool checked)
{
	*w = (struct world){.conf = *conf, .requests = requests, .unsettled = requests->count};
	w->node_count = conf->workload->node_count;
	w->cache = mem_zalloc(requests->contents + 1u, sizeof(*w->cache));
	for (size_t i = 0; i < w->node_count; i++)
		node_init(&w->nodes[i], w, (int)i, conf->all_resident);
	w->policy = conf->policy->create(w);
	if (requests->count > 0)
		events_plan(&w->events, requests->all[0].at_us, on_arrival, w, 0);
	while (w->unsettled > 0 && events_run_next(&w->events))
		if (checked)
			check(w);
	/* Nothing happens any more, and somebody waits: the policy has lost a request. */
	if (w->unsettled > 0)
		abort();
	conf->policy->destroy(w->policy);
	w->policy = NULL;
}

void
world_finish(struct world *w)
{
	events_finish(&w->events);
	free(w->cache);
	w->cache = NULL;
}

int64_t
world_now_ms(const struct world *w)
{
	return w->events.now_us / 1000;
}
