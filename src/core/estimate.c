/* Moving averages. */
#include "estimate.h"

enum {
	PRIOR_OUTPUT = 300,    /* tokens */
	PRIOR_RATE = 100,      /* 25 tokens of an answer a second */
	PRIOR_LOAD_MS = 60000, /* as a 70B model takes: a load too early costs more than one too late */
	SAMPLES = 10,          /* of which an average mostly consists */
};

static void
mix(int64_t *average_x16, int64_t sample)
{
	int64_t sample_x16 = ESTIMATE_UNITS * (sample > 0 ? sample : 1);

	if (*average_x16 == 0)
		*average_x16 = sample_x16;
	else
		*average_x16 += (sample_x16 - *average_x16) / SAMPLES;
}

void
estimate_saw_output(struct estimate *e, enum job_class class, int tokens)
{
	mix(&e->output_x16[class], tokens);
}

/* What a job took longer than its cost explains, where it had to wait for the load, was the
 * load. */
void
estimate_saw_service(struct estimate *e, struct speed *s, int64_t cost, int64_t ms, bool loaded)
{
	if (cost <= 0 || ms <= 0)
		return;
	if (loaded) {
		mix(&e->rate_x16, cost * 1000 / ms);
		mix(&s->rate_x16, cost * 1000 / ms);
		return;
	}
	ms -= estimate_service_ms(e, s, cost);
	if (ms > 0)
		mix(&s->load_x16, ms);
}

int64_t
estimate_output(const struct estimate *e, const struct job *j)
{
	int64_t tokens = e->output_x16[j->class] / ESTIMATE_UNITS;

	if (e->output_x16[j->class] == 0)
		tokens = PRIOR_OUTPUT;
	return j->most_output_tokens > 0 && j->most_output_tokens < tokens ? j->most_output_tokens
	                                                                   : tokens;
}

int64_t
estimate_rate_x16(const struct estimate *e, const struct speed *s)
{
	if (s->rate_x16 > 0)
		return s->rate_x16;
	return e->rate_x16 > 0 ? e->rate_x16 : (int64_t)ESTIMATE_UNITS * PRIOR_RATE;
}

bool
estimate_is_measured(const struct estimate *e)
{
	return e->rate_x16 > 0;
}

int64_t
estimate_service_ms(const struct estimate *e, const struct speed *s, int64_t cost)
{
	return cost * 1000 * ESTIMATE_UNITS / estimate_rate_x16(e, s);
}

void
estimate_saw_load(struct speed *s, int64_t ms)
{
	mix(&s->load_x16, ms);
}

int64_t
estimate_load_ms(const struct speed *s)
{
	return s->load_x16 > 0 ? s->load_x16 / ESTIMATE_UNITS : PRIOR_LOAD_MS;
}
