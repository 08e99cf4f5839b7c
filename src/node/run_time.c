/*
 * What a run says of time: stamps and durations. They are real, or, in a node
 * with a seed, computed from the request, so that equal nodes say the same.
 */
#include "run_impl.h"

#include "base/clock.h"

/* Seeded, time is a function of the request: a base, and from there as the counts say. */
static int64_t
base_ns(const struct run *r)
{
	return INT64_C(1700000000000000000) +
	       (int64_t)(hash_mix(r->visit->node->seed + r->answer.hash) % UINT64_C(2592000000000000));
}

static int64_t
token_ns(const struct run *r)
{
	return r->model->tokens_per_s > 0 ? (int64_t)(1e9 / r->model->tokens_per_s) : 1000000;
}

static int64_t
at_least_one(int64_t ns)
{
	return ns > 0 ? ns : 1;
}

static void
set_seeded_metrics(struct run *r)
{
	struct metrics *m = &r->reply.metrics;

	m->load_ns = 1000000 + (int64_t)(r->answer.hash % 1000000);
	m->prompt_ns = r->model->prefill_per_s > 0
	                   ? (int64_t)(m->prompt_tokens * 1e9 / r->model->prefill_per_s)
	                   : m->prompt_tokens * INT64_C(100000);
	m->eval_ns = r->answer.tokens * token_ns(r);
	m->total_ns = m->load_ns + m->prompt_ns + m->eval_ns + 54321;
}

void
run_set_metrics(struct run *r)
{
	struct metrics *m = &r->reply.metrics;
	int64_t now_us = clock_now_us();
	/* Waiting for a slot is no part of load_duration, only of the total. */
	int64_t loaded_us = r->loaded_us > 0 ? r->loaded_us : r->ready_us;

	m->prompt_tokens = ask_prompt_tokens(&r->ask);
	if (r->visit->node->seeded) {
		set_seeded_metrics(r);
		return;
	}
	m->load_ns = at_least_one((loaded_us - r->arrived_us) * 1000);
	m->prompt_ns = at_least_one((r->first_us - r->ready_us) * 1000);
	m->eval_ns = at_least_one((now_us - r->first_us) * 1000);
	m->total_ns = at_least_one((now_us - r->arrived_us) * 1000);
}

void
run_set_time(struct run *r)
{
	struct reply *p = &r->reply;

	p->now_ns = r->visit->node->seeded ? base_ns(r) + (r->next + 1) * token_ns(r) : node_wall_ns();
	if (p->created_ns == 0)
		p->created_ns = p->now_ns;
}
