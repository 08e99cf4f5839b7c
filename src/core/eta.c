/* The estimated wait of a job. */
#include "eta.h"

#include "node.h"

/* What serves a variant, by what is known now. */
struct capacity {
	int64_t held_x16;  /* cost a second, of all slots where it is held */
	int64_t other_x16; /* of the best node that would have to load it */
	int64_t load_ms;   /* there */
	bool load_measured;
	int64_t fastest_x16; /* of one slot anywhere */
	int busy;            /* slots in use */
};

int64_t
eta_cost(const struct job *j)
{
	if (j->slotless)
		return 0;
	return fair_cost(j->prompt_tokens, estimate_output(&j->variant->estimate, j));
}

static void
add_node(struct capacity *c, const struct backend *b, const struct variant *v)
{
	const struct place *p = &v->places[b->index];
	int64_t rate_x16 = estimate_rate_x16(&v->estimate, &p->speed);
	int64_t all_x16 = rate_x16 * (b->parallel < b->slots ? b->parallel : b->slots);

	c->busy += p->busy;
	if (rate_x16 > c->fastest_x16)
		c->fastest_x16 = rate_x16;
	if (p->residency != ABSENT) {
		c->held_x16 += all_x16;
	} else if (all_x16 > c->other_x16) {
		c->other_x16 = all_x16;
		c->load_ms = estimate_load_ms(&p->speed);
		c->load_measured = p->speed.load_x16 > 0;
	}
}

static struct capacity
capacity_for(const struct fleet *f, const struct job *j)
{
	struct capacity c = {0};

	for (size_t i = 0; i < f->count; i++) {
		const struct backend *b = f->backends[i];

		if (backend_state(b) != BACKEND_UP || !j->variant->places[i].listed)
			continue;
		if (j->only == NULL || j->only == b)
			add_node(&c, b, j->variant);
	}
	return c;
}

/* Whether, as far as classes go, the other waits on the same footing or on a better one. */
static bool
counts(const struct queue *q, const struct job *j, const struct job *other, int64_t now_ms)
{
	return other->class <= j->class || job_is_aged(q, other, now_ms);
}

/* What goes before it in one flow. Its own key's: all that came earlier. Of a higher class: all.
 * Else keys take turns: what is served of the flow until its key comes to the time `until`. */
static int64_t
cost_in_flow(const struct queue *q, const struct flow *f, const struct job *j, int64_t until,
             int64_t now_ms)
{
	bool own = f->account == j->account;
	bool above = f->class < j->class && !job_is_aged(q, j, now_ms);
	int64_t cost = 0, turns;
	struct job *other;

	LIST_FOR_EACH (other, &f->jobs, struct job, queue_link)
		if (counts(q, j, other, now_ms) && (!own || above || other->sequence < j->sequence))
			cost += eta_cost(other);
	if (own || above)
		return cost;
	turns = fair_key_cost(LIST_FIRST(&f->jobs, struct job, queue_link), until - f->account->time);
	turns = turns > 0 ? turns : 0;
	return cost < turns ? cost : turns;
}

/* Of those that wait for the same variant: of its own key, or of the others. */
static int64_t
cost_of_keys(const struct queue *q, const struct job *j, bool own, int64_t until, int64_t now_ms)
{
	int64_t cost = 0;
	struct lane *l;
	struct flow *f;

	LIST_FOR_EACH (l, &j->variant->lanes, struct lane, variant_link)
		for (int c = 0; c < CLASSES; c++)
			LIST_FOR_EACH (f, &l->flows[c], struct flow, lane_link)
				if ((f->account == j->account) == own)
					cost += cost_in_flow(q, f, j, until, now_ms);
	return cost;
}

/* Of those that wait for the same variant and will go before it. */
static int64_t
cost_ahead(const struct queue *q, const struct job *j, int64_t now_ms)
{
	int64_t own = cost_of_keys(q, j, true, 0, now_ms);

	return own + cost_of_keys(q, j, false, j->account->time + fair_key_time(j, own), now_ms);
}

static int64_t
time_ms(int64_t cost, int64_t rate_x16)
{
	return rate_x16 > 0 ? cost * 1000 * ESTIMATE_UNITS / rate_x16 : 0;
}

static int64_t
start_ms(const struct queue *q, const struct capacity *c, const struct job *j, int64_t now_ms)
{
	/* Those that run are like this one, and half done. */
	int64_t cost = cost_ahead(q, j, now_ms) + c->busy * eta_cost(j) / 2;

	if (c->held_x16 > 0)
		return time_ms(cost, c->held_x16);
	return time_ms(cost, c->other_x16) + c->load_ms;
}

int64_t
eta_start_ms(const struct queue *q, const struct fleet *f, const struct job *j, int64_t now_ms)
{
	struct capacity c;

	if (j->slotless)
		return 0;
	c = capacity_for(f, j);
	return start_ms(q, &c, j, now_ms);
}

bool
eta_is_late(const struct queue *q, const struct fleet *f, const struct job *j, int64_t now_ms)
{
	struct capacity c;
	int64_t end_ms;

	if (j->deadline_ms == 0 || j->slotless || !estimate_is_measured(&j->variant->estimate))
		return false;
	c = capacity_for(f, j);
	if (c.fastest_x16 == 0 || (c.held_x16 == 0 && !c.load_measured))
		return false;
	end_ms = now_ms + start_ms(q, &c, j, now_ms) + time_ms(eta_cost(j), c.fastest_x16);
	return end_ms > j->deadline_ms;
}
