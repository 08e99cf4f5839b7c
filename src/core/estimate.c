/* Moving averages. */
#include "estimate.h"

enum {
	PRIOR_OUTPUT = 300, /* tokens */
	SAMPLES = 10,       /* of which an average mostly consists */
	UNITS = 16,         /* fractions of a token, so that small differences are not lost */
};

void
estimate_saw_output(struct estimate *e, enum job_class class, int tokens)
{
	int64_t *average = &e->output_x16[class];
	int64_t sample = (int64_t)UNITS * (tokens > 0 ? tokens : 1);

	*average = *average == 0 ? sample : *average + (sample - *average) / SAMPLES;
}

int64_t
estimate_output(const struct estimate *e, const struct job *j)
{
	int64_t tokens = e->output_x16[j->class] / UNITS;

	if (e->output_x16[j->class] == 0)
		tokens = PRIOR_OUTPUT;
	return j->most_output_tokens > 0 && j->most_output_tokens < tokens ? j->most_output_tokens
	                                                                   : tokens;
}
