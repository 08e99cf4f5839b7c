/*
 * The cost of swaps. Time in milliseconds; what was waited is in thirds of requests times
 * milliseconds, as in struct variant. Doubles: products of squares of time would not fit, and
 * nothing here is a balance that must come out even.
 */
#include "swap_cost.h"

#include "queue.h"

#include <math.h>

enum {
	UNLOAD_MS = 2000, /* of both */
	ARRIVALS_MS = 300000,
	STARVED_MS = 60000,
	STARVED_LOADS = 2,  /* and the time of both loads so many times */
	RESIDENT_TIMES = 2, /* the loads of both, before one in use goes */
	URGENT_MS = 10000,
	NORMAL = 3, /* queue_weight */
};

static const double busy_share = 3.0;     /* of the cost, */
static const double idle_share = 1 / 3.0; /* where nobody uses what goes, */
static const double copy_share = 0.3;     /* of arrivals, where it is loaded elsewhere too */
static const double free_copy_share = 0.25;
static const double cost_rank = 4.0;
/* Before all that evicts, and small enough that a weight is not lost in it. */
static const double free_rank = -1e15;

void
swap_saw_arrival(struct variant *v, int weight, int64_t now_ms)
{
	v->recent = v->recent * exp(-(double)(now_ms - v->recent_at_ms) / ARRIVALS_MS) + weight;
	v->recent_at_ms = now_ms;
}

void
swap_move_arrivals(struct variant *from, struct variant *to, int64_t now_ms)
{
	swap_saw_arrival(from, 0, now_ms);
	swap_saw_arrival(to, 0, now_ms);
	to->recent += from->recent;
	from->recent = 0;
}

double
swap_arrival_rate(const struct variant *v, int64_t now_ms)
{
	return v->recent * exp(-(double)(now_ms - v->recent_at_ms) / ARRIVALS_MS) / ARRIVALS_MS;
}

double
swap_urgency(const struct wish *w, int64_t load_ms)
{
	return (double)w->age_ms / (URGENT_MS + (double)load_ms / 2);
}

static double
load_ms(const struct variant *v, const struct backend *b)
{
	return (double)estimate_load_ms(&v->places[b->index].speed);
}

static double
later(double a, double b)
{
	return a > b ? a : b;
}

/* When what was waited comes to the cost. */
static double
pays_at(const struct wish *w, double cost, double now)
{
	return now + later((cost - w->waited) * w->by_weight, 0);
}

struct option
swap_weigh_free(const struct wish *w, struct backend *b, int64_t now_ms)
{
	const struct variant *v = w->variant;
	double rate = (double)estimate_rate_x16(&v->estimate, &v->places[b->index].speed);

	return (struct option){
	    .choice = {.backend = b, .in = w->variant},
	    .when_ms = (double)now_ms,
	    .rank = free_rank - rate * 1e6 - b->weight,
	};
}

struct option
swap_weigh(const struct wish *w, struct backend *b, const struct resident *out, int64_t now_ms)
{
	const struct place *p = &out->variant->places[b->index];
	double now = (double)now_ms, in_ms = load_ms(w->variant, b);
	double both = in_ms + out->load_ms, time = both + UNLOAD_MS;
	double quantum_ends = out->waiting > 0 ? (double)p->loaded_at_ms + RESIDENT_TIMES * both : now;
	double run_out = p->busy > 0 ? later((double)p->ends_at_ms - now, 0) : 0;
	double full =
	    0.5 * out->arrivals * time * time * (out->copied ? copy_share : 1) + out->waiting * time;
	double cost = full * (out->waiting > 0 || p->busy > 0 ? busy_share : idle_share);
	double pays = pays_at(w, cost, now);
	double starves = now + later(STARVED_MS + STARVED_LOADS * time - (double)w->age_ms, 0);
	double when = w->starving ? now : pays < starves ? pays : starves;

	when = later(when, quantum_ends);
	return (struct option){
	    .choice = {.backend = b, .in = w->variant, .out = out->variant},
	    .when_ms = when,
	    .rank =
	        w->starving ? when : cost_rank * cost + w->weight * (run_out + in_ms + (when - now)),
	};
}

bool
swap_reserves(const struct wish *w, const struct option *o)
{
	const struct backend *b = o->choice.backend;
	double time = UNLOAD_MS + load_ms(w->variant, b);

	if (o->choice.out != NULL)
		time += load_ms(o->choice.out, b);
	return w->starving || (double)w->age_ms >= STARVED_MS + STARVED_LOADS * time;
}

struct option
swap_weigh_copy(const struct wish *w, struct backend *b, const struct resident *out, int64_t now_ms)
{
	double load = load_ms(w->variant, b), cost = free_copy_share * load * NORMAL;

	if (out != NULL) {
		double time = load + out->load_ms;

		cost = NORMAL * load + 0.5 * out->arrivals * time * time * (out->copied ? copy_share : 1);
	}
	return (struct option){
	    .choice = {.backend = b, .in = w->variant, .out = out != NULL ? out->variant : NULL},
	    .when_ms = pays_at(w, cost, (double)now_ms),
	    .rank = cost - b->weight,
	};
}
