/*
 * Choosing swaps. Time in milliseconds; what was waited is in thirds of requests times
 * milliseconds, as in struct variant. Doubles: products of squares of time would not fit, and
 * nothing here is a balance that must come out even.
 */
#include "swap_choice.h"

#include "eta.h"
#include "node.h"
#include "queue.h"

#include <math.h>

enum {
	UNLOAD_MS = 2000, /* of both */
	ARRIVALS_MS = 300000,
	STARVED_MS = 60000,
	RESIDENT_TIMES = 2, /* the loads of both, before one in use goes */
};

static const double IDLE_SHARE = 0.25; /* of the cost, where nobody uses what goes */
static const double COPY_SHARE = 0.3;  /* where it is loaded elsewhere too */
static const double FREE_COPY_SHARE = 0.25;
static const double COST_RANK = 4.0;

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

/* Weight a millisecond. */
static double
arrival_rate(const struct variant *v, int64_t now_ms)
{
	return v->recent * exp(-(double)(now_ms - v->recent_at_ms) / ARRIVALS_MS) / ARRIVALS_MS;
}

static double
waited(const struct variant *v, int64_t now_ms)
{
	return (double)(v->wait_weight * now_ms - v->wait_since);
}

/* Of its oldest, where those of the low class age a third as fast. */
static int64_t
age_ms(const struct variant *v, int64_t now_ms)
{
	int64_t age = 0;
	struct lane *l;
	struct flow *f;

	LIST_FOR_EACH (l, &v->lanes, struct lane, variant_link)
		for (int c = 0; c < CLASSES; c++)
			LIST_FOR_EACH (f, &l->flows[c], struct flow, lane_link) {
				int64_t at = LIST_FIRST(&f->jobs, struct job, queue_link)->queued_at_ms;
				int64_t its = (now_ms - at) * queue_weight((enum job_class)c) / 3;

				age = its > age ? its : age;
			}
	return age;
}

static double
load_ms(const struct variant *v, const struct backend *b)
{
	return (double)estimate_load_ms(&v->places[b->index].speed);
}

static bool
is_loaded_elsewhere(const struct fleet *f, const struct variant *v, const struct backend *but)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->backends[i] != but && v->places[i].residency == LOADED &&
		    f->backends[i]->swap.out != v)
			return true;
	return false;
}

/* Whether any of those that wait may run there. */
static bool
is_wanted_on(const struct variant *v, const struct backend *b)
{
	struct lane *l;

	LIST_FOR_EACH (l, &v->lanes, struct lane, variant_link)
		if (!l->need.slotless && (l->need.only == NULL || l->need.only == b))
			return true;
	return false;
}

/* Whether the variant may be loaded on the node now. */
static bool
may_load(const struct variant *v, const struct backend *b, int64_t now_ms)
{
	const struct place *p = &v->places[b->index];

	return p->listed && p->residency == ABSENT && b->swap.step == SWAP_NONE &&
	       now_ms >= p->quarantine_end_ms && backend_is_usable(b, now_ms) && is_wanted_on(v, b);
}

/* Whether it may go from there. */
static bool
may_go(const struct variant *v, const struct backend *b, int64_t now_ms)
{
	const struct place *p = &v->places[b->index];

	return p->residency == LOADED && now_ms >= p->quarantine_end_ms;
}

/* One way to serve a variant: on that node, in the place of `out`. */
struct option {
	struct choice choice;
	double rank; /* the least is best */
	double when_ms;
};

static double
later(double a, double b)
{
	return a > b ? a : b;
}

/* For a variant that is loaded nowhere. */
static struct option
weigh_swap(const struct fleet *f, struct backend *b, struct variant *in, struct variant *out,
           double now)
{
	const struct place *p = &out->places[b->index];
	int64_t now_ms = (int64_t)now;
	bool copy = is_loaded_elsewhere(f, out, b);
	bool queued = out->wait_weight > 0 && !copy;
	double both = load_ms(in, b) + load_ms(out, b), time = both + UNLOAD_MS;
	double least = queued ? (double)p->loaded_at_ms + RESIDENT_TIMES * both : now;
	double run_out = p->busy > 0 ? later((double)p->ends_at_ms - now, 0) : 0;
	double full = (0.5 * arrival_rate(out, now_ms) * time * time +
	               (queued ? (double)out->wait_weight * time : 0)) *
	              (copy ? COPY_SHARE : 1);
	double cost = queued || p->busy > 0 ? full : full * IDLE_SHARE;
	double pays = now + later((cost - waited(in, now_ms)) / (double)in->wait_weight, 0);
	double starves = now + later(STARVED_MS + 2 * time - (double)age_ms(in, now_ms), 0);
	double when = later(pays < starves ? pays : starves, least);

	return (struct option){
	    .choice = {.backend = b, .in = in, .out = out},
	    .when_ms = when,
	    .rank =
	        COST_RANK * cost + (double)in->wait_weight * (run_out + load_ms(in, b) + (when - now)),
	};
}

/* One more copy, in the place of an idle variant or of none. `backlog`: how long the copies that
 * there are will take for what waits. */
static struct option
weigh_copy(const struct fleet *f, struct backend *b, struct variant *in, struct variant *out,
           double now)
{
	double load = load_ms(in, b), cost = FREE_COPY_SHARE * load * 3;

	if (out != NULL) {
		double time = load + load_ms(out, b);

		cost = 3 * load + 0.5 * arrival_rate(out, (int64_t)now) * time * time *
		                      (is_loaded_elsewhere(f, out, b) ? COPY_SHARE : 1);
	}
	return (struct option){
	    .choice = {.backend = b, .in = in, .out = out},
	    .when_ms = now + later((cost - waited(in, (int64_t)now)) / (double)in->wait_weight, 0),
	    .rank = cost - b->weight,
	};
}

static void
keep_better(struct option *best, struct option o)
{
	if (best->choice.backend == NULL || o.rank < best->rank)
		*best = o;
}

/* The best node for a variant that is loaded nowhere: one with a free place, the fastest; else
 * where the swap costs least. `only`: no other one will do; NULL: any. */
static struct option
best_swap(struct fleet *f, struct variant *in, const struct backend *only, int64_t now_ms)
{
	struct option best = {0};

	for (size_t i = 0; i < f->count; i++) {
		struct backend *b = f->backends[i];
		struct variant *rival;

		if ((only != NULL && b != only) || !may_load(in, b, now_ms))
			continue;
		rival = variant_find_rival(in, b);
		if (rival == NULL && b->resident < b->max_loaded) {
			keep_better(
			    &best,
			    (struct option){
			        .choice = {.backend = b, .in = in},
			        .when_ms = (double)now_ms,
			        .rank = -1e18 -
			                (double)estimate_rate_x16(&in->estimate, &in->places[i].speed) * 1e6 -
			                b->weight,
			    });
			continue;
		}
		MAP_FOR_EACH (it, &f->variants) {
			struct variant *out = it.value;

			if (may_go(out, b, now_ms) && (rival == NULL || out == rival))
				keep_better(&best, weigh_swap(f, b, in, out, (double)now_ms));
		}
	}
	return best;
}

static struct option
best_copy(struct fleet *f, struct variant *in, int64_t backlog_ms, int64_t now_ms)
{
	struct option best = {0};

	for (size_t i = 0; i < f->count; i++) {
		struct backend *b = f->backends[i];
		struct variant *rival;

		if (!may_load(in, b, now_ms))
			continue;
		rival = variant_find_rival(in, b);
		if (rival == NULL && b->resident < b->max_loaded) {
			keep_better(&best, weigh_copy(f, b, in, NULL, (double)now_ms));
			continue;
		}
		if (2 * backlog_ms < estimate_load_ms(&in->places[i].speed))
			continue;
		MAP_FOR_EACH (it, &f->variants) {
			struct variant *out = it.value;
			const struct place *p = &out->places[i];

			if (may_go(out, b, now_ms) && p->busy == 0 && out->wait_weight == 0 &&
			    (rival == NULL || out == rival))
				keep_better(&best, weigh_copy(f, b, in, out, (double)now_ms));
		}
	}
	return best;
}

/* Where a variant stands: nowhere, on its way, with slots left, or full everywhere. */
enum standing { NOWHERE, COMES, HAS_SLOTS, FULL };

static enum standing
standing_of(const struct fleet *f, const struct variant *v, int64_t now_ms)
{
	enum standing s = NOWHERE;

	for (size_t i = 0; i < f->count; i++) {
		const struct backend *b = f->backends[i];
		const struct place *p = &v->places[i];

		if (b->swap.in == v)
			return COMES;
		if (p->residency != LOADED || b->swap.out == v || !backend_is_usable(b, now_ms))
			continue;
		if (p->busy < b->parallel && b->busy < b->slots)
			s = HAS_SLOTS;
		else if (s == NOWHERE)
			s = FULL;
	}
	return s;
}

/* A node that some of those that wait insist on, and that neither has the variant nor gets it.
 * NULL: there is none. */
static const struct backend *
find_insisted(const struct variant *v)
{
	struct lane *l;

	LIST_FOR_EACH (l, &v->lanes, struct lane, variant_link) {
		const struct backend *b = l->need.only;

		if (b != NULL && !l->need.slotless && v->places[b->index].residency == ABSENT &&
		    b->swap.in != v)
			return b;
	}
	return NULL;
}

/* How long the copies that there are take for what waits. */
static int64_t
backlog_ms(const struct fleet *f, const struct variant *v)
{
	int64_t cost = 0, rate_x16 = 0;
	struct lane *l;
	struct job *j;

	LIST_FOR_EACH (l, &v->lanes, struct lane, variant_link)
		LIST_FOR_EACH (j, &l->by_age, struct job, lane_link)
			cost += eta_cost(j);
	for (size_t i = 0; i < f->count; i++)
		if (v->places[i].residency == LOADED)
			rate_x16 +=
			    estimate_rate_x16(&v->estimate, &v->places[i].speed) * f->backends[i]->parallel;
	return rate_x16 > 0 ? cost * 1000 * ESTIMATE_UNITS / rate_x16 : 0;
}

/* How urgent a variant is: its age for the time that its load takes. */
static double
urgency(const struct fleet *f, const struct variant *v, int64_t now_ms)
{
	double load = 0;

	for (size_t i = 0; i < f->count; i++)
		if (v->places[i].listed)
			load = later(load, load_ms(v, f->backends[i]));
	return (double)age_ms(v, now_ms) / (10000 + load / 2);
}

/* When a node that failed to load the variant may try again. */
static int64_t
quarantine_ends_ms(const struct fleet *f, const struct variant *v, int64_t now_ms)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < f->count; i++) {
		const struct place *p = &v->places[i];

		if (p->listed && p->quarantine_end_ms > now_ms && p->quarantine_end_ms < next)
			next = p->quarantine_end_ms;
	}
	return next;
}

bool
swap_choose(struct fleet *f, int64_t now_ms, struct choice *out, int64_t *next_ms)
{
	double most = -1;
	bool wanted = false;

	*next_ms = INT64_MAX;
	MAP_FOR_EACH (it, &f->variants) {
		struct variant *v = it.value;
		const struct backend *only = find_insisted(v);
		enum standing s = v->wait_weight == 0 ? COMES
		                  : only != NULL      ? NOWHERE
		                                      : standing_of(f, v, now_ms);
		struct option o;
		int64_t at_ms;

		if (s == COMES || s == HAS_SLOTS || (s == FULL && wanted))
			continue;
		o = s == NOWHERE ? best_swap(f, v, only, now_ms)
		                 : best_copy(f, v, backlog_ms(f, v), now_ms);
		/* Copies only where nobody is without any. */
		if (s == NOWHERE && !wanted) {
			wanted = true;
			most = -1;
			*next_ms = INT64_MAX;
		}
		at_ms = quarantine_ends_ms(f, v, now_ms);
		if (o.choice.backend != NULL && o.when_ms > (double)now_ms && o.when_ms < (double)at_ms)
			at_ms = (int64_t)ceil(o.when_ms);
		*next_ms = at_ms < *next_ms ? at_ms : *next_ms;
		if (o.choice.backend == NULL || o.when_ms > (double)now_ms)
			continue;
		if (urgency(f, v, now_ms) > most) {
			most = urgency(f, v, now_ms);
			*out = o.choice;
		}
	}
	return most >= 0;
}
