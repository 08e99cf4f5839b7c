/* Weighted choices. */
#include "mix.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void
mix_finish(struct mix *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->texts[i]);
	free(m->texts);
	free(m->weights);
	*m = (struct mix){0};
}

static void
add(struct mix *m, const char *text, size_t len, double weight)
{
	m->texts = mem_realloc(m->texts, (m->count + 1) * sizeof(m->texts[0]));
	m->weights = mem_realloc(m->weights, (m->count + 1) * sizeof(m->weights[0]));
	m->texts[m->count] = mem_strndup(text, len);
	m->weights[m->count++] = weight;
}

bool
mix_add(struct mix *m, const char *text)
{
	const char *equals = strrchr(text, '=');
	size_t len = strlen(text);
	double weight = 1;
	char *end;

	if (equals != NULL && equals[1] >= '0' && equals[1] <= '9') {
		double said = strtod(equals + 1, &end);

		if (*end == '\0' && isfinite(said) && said > 0) {
			weight = said;
			len = (size_t)(equals - text);
		}
	}
	if (len == 0)
		return false;
	add(m, text, len, weight);
	return true;
}

size_t
mix_choose(const struct mix *m, struct rng *rng)
{
	return m->count < 2 ? 0 : rng_weighted(rng, m->weights, m->count);
}

int
mix_find(const struct mix *m, const char *text, size_t len)
{
	for (size_t i = 0; i < m->count; i++)
		if (strlen(m->texts[i]) == len && memcmp(m->texts[i], text, len) == 0)
			return (int)i;
	return -1;
}
