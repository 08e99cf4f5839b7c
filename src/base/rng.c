/* Random numbers: splitmix64 (Steele, Lea, Flood: Fast splittable generators, 2014). */
#include "base/rng.h"

#include <assert.h>
#include <math.h>

enum { FEWEST_TOKENS = 8 };

static uint64_t
next(struct rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

void
rng_init(struct rng *r, uint64_t seed, uint64_t lane)
{
	r->state = seed;
	r->state = next(r) + lane;
	r->state = next(r);
}

double
rng_unit(struct rng *r)
{
	return (double)(next(r) >> 11) * 0x1p-53;
}

size_t
rng_below(struct rng *r, size_t n)
{
	assert(n > 0);
	return (size_t)(rng_unit(r) * (double)n);
}

double
rng_exponential(struct rng *r, double mean)
{
	return -mean * log(1 - rng_unit(r));
}

static double
normal(struct rng *r)
{
	double radius = sqrt(-2 * log(1 - rng_unit(r)));

	return radius * cos(2 * acos(-1) * rng_unit(r));
}

int
rng_tokens(struct rng *r, double mean, double sigma)
{
	int n = (int)exp(log(mean) - sigma * sigma / 2 + sigma * normal(r));

	return n > FEWEST_TOKENS ? n : FEWEST_TOKENS;
}

size_t
rng_weighted(struct rng *r, const double *weights, size_t n)
{
	double sum = 0, at;

	for (size_t i = 0; i < n; i++)
		sum += weights[i];
	at = rng_unit(r) * sum;
	for (size_t i = 0; i + 1 < n; i++) {
		if (at < weights[i])
			return i;
		at -= weights[i];
	}
	return n - 1;
}
