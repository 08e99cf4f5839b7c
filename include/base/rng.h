/*
 * A seeded source of random numbers: the same seed gives the same numbers on every machine
 * that rounds as IEEE 754 says.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

/* `lane` gives independent numbers of one seed, so that one stream does not shift another. */
void rng_init(struct rng *r, uint64_t seed, uint64_t lane);
/* At least 0, less than 1. */
double rng_unit(struct rng *r);
size_t rng_below(struct rng *r, size_t n);
double rng_exponential(struct rng *r, double mean);
/* A number of tokens: lognormal of this mean, at least 8. */
int rng_tokens(struct rng *r, double mean, double sigma);
/* An index, with a chance by its weight. */
size_t rng_weighted(struct rng *r, const double *weights, size_t n);

#endif
