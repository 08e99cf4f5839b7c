/* Runs, the search for the best pinning, the search for capacity. */
#include "study.h"

#include "policy.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define LOWEST_RATE 0.005

static const struct contender contenders[CONTENDERS] = {
    [WRR] = {.name = "wrr", .about = "weighted round robin, no queue", .policy = &policy_wrr},
    [LEASTCONN] = {.name = "leastconn",
                   .about = "least connections, no queue; of one node: straight to Ollama",
                   .policy = &policy_leastconn},
    [LEASTCONN_CACHED] = {.name = "leastconn+cache",
                          .about = "the same behind a cache of POST requests",
                          .policy = &policy_leastconn,
                          .cached = true},
    [FIFO] = {.name = "fifo",
              .about = "one queue in order of arrival that knows where models are",
              .policy = &policy_fifo},
    [HAPROXY] = {.name = "haproxy",
                 .about = "maxconn = slots, one queue, least connections",
                 .policy = &policy_haproxy},
    [PINNED] = {.name = "pinned",
                .about = "the best fixed pinning of models to nodes",
                .policy = &policy_pinned,
                .searched = true},
    [BOUND] = {.name = "bound",
               .about = "drover, all models resident everywhere",
               .policy = &policy_drover,
               .all_resident = true,
               .cached = true},
    [DROVER] = {.name = "drover",
                .about = "the scheduler of src/core",
                .policy = &policy_drover,
                .cached = true},
};

const struct contender *
contender_of(enum contender_id id)
{
	return &contenders[id];
}

enum contender_id
contender_find(const char *name)
{
	for (int i = 0; i < CONTENDERS; i++)
		if (strcmp(contenders[i].name, name) == 0)
			return (enum contender_id)i;
	return CONTENDERS;
}

bool
contender_applies(enum contender_id id, const struct workload *w)
{
	bool repeats = false;

	for (size_t i = 0; i < w->stream_count; i++)
		repeats |= w->streams[i].repeats > 0;
	if (id == LEASTCONN_CACHED)
		return repeats;
	return id != PINNED || w->node_count > 1;
}

/* --- runs --- */

static bool
run(const struct study *s, const struct world_conf *conf, double rate, struct metrics *out)
{
	struct metrics runs[MOST_SEEDS];

	assert(s->seeds.count > 0);
	for (size_t i = 0; i < s->seeds.count; i++) {
		struct requests requests;
		struct world w;
		bool made = requests_make(&requests, conf->workload, rate, s->seeds.of[i]);

		if (made) {
			world_run(&w, conf, &requests, s->checked);
			metrics_measure(&runs[i], &w);
			world_finish(&w);
		}
		requests_finish(&requests);
		if (!made)
			return false;
	}
	metrics_average(out, runs, s->seeds.count);
	return true;
}

/* The next pinning that leaves no model without a node: counts up in base 2^nodes - 1. */
static bool
next_pins(unsigned *pins, const struct workload *w)
{
	for (size_t m = 0; m < w->model_count; m++) {
		if (++pins[m] < 1u << w->node_count)
			return true;
		pins[m] = 1;
	}
	return false;
}

static bool
run_pinnings(const struct study *s, struct world_conf *conf, double rate, enum metric by,
             struct metrics *out)
{
	struct metrics it;

	for (size_t m = 0; m < conf->workload->model_count; m++)
		conf->pins[m] = 1;
	out->of[by] = NAN;
	do {
		if (!run(s, conf, rate, &it))
			return false;
		if (isnan(out->of[by]) || it.of[by] < out->of[by])
			*out = it;
	} while (next_pins(conf->pins, conf->workload));
	return true;
}

static bool
run_by(const struct study *s, const struct workload *w, double rate, enum contender_id who,
       enum metric by, struct metrics *out)
{
	const struct contender *c = &contenders[who];
	struct world_conf conf = {
	    .workload = w, .policy = c->policy, .all_resident = c->all_resident, .cached = c->cached};

	if (c->searched)
		return run_pinnings(s, &conf, rate, by, out);
	return run(s, &conf, rate, out);
}

bool
study_run(const struct study *s, const struct workload *w, double rate, enum contender_id who,
          struct metrics *out)
{
	return run_by(s, w, rate, who, METRIC_MEAN, out);
}

bool
study_add(struct study *s, const struct workload *w, double rate, enum contender_id who)
{
	struct result *r = &s->results[s->count];

	assert(s->count < MOST_RESULTS);
	*r = (struct result){.workload = w, .rate = rate, .who = who};
	if (!study_run(s, w, rate, who, &r->mean))
		return false;
	s->count++;
	return true;
}

const struct metrics *
study_find(const struct study *s, const char *workload, double rate, enum contender_id who)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct result *r = &s->results[i];

		if (r->who == who && fabs(r->rate - rate) < 1e-9 &&
		    strcmp(r->workload->name, workload) == 0)
			return &r->mean;
	}
	return NULL;
}

static bool
bears(const struct study *s, const struct workload *w, double rate, enum contender_id who)
{
	struct metrics m;

	return run_by(s, w, rate, who, METRIC_HIGH_P95_OF_ALL, &m) &&
	       m.of[METRIC_HIGH_P95_OF_ALL] <= w->capacity_bound_s;
}

double
study_capacity(const struct study *s, const struct workload *w, enum contender_id who)
{
	double good = LOWEST_RATE, bad;

	if (!bears(s, w, good, who))
		return 0;
	bad = 2 * good;
	while (bears(s, w, bad, who)) {
		good = bad;
		bad *= 2;
	}
	/* Waits grow with the rate, but for noise. */
	while (bad / good > 1.01) {
		double rate = sqrt(good * bad);

		if (bears(s, w, rate, who))
			good = rate;
		else
			bad = rate;
	}
	return good;
}
