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

/* Of those that wait for the same variant and go before it. */
static int64_t
cost_ahead(const struct queue *q, const struct job *j, int64_t now_ms)
{
	struct turn own = turn_of(q, j, now_ms);
	int64_t cost = 0;
	struct lane *l;
	struct job *other;

	LIST_FOR_EACH (l, &j->variant->lanes, struct lane, variant_link)
		LIST_FOR_EACH (other, &l->by_age, struct job, lane_link)
			if (turn_is_before(turn_of(q, other, now_ms), own))
				cost += eta_cost(other);
	return cost;
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
