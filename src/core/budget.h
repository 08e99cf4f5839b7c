/*
 * The budget of retries: a percentage of the jobs dispatched, saved up to a bound, and
 * beside it a small floor that time alone refills, so that a quiet gateway may retry too.
 * Counted in hundredths of a retry: integers, no rounding.
 */
#ifndef CORE_BUDGET_PRIVATE_H
#define CORE_BUDGET_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

struct budget {
	int percent;
	int64_t credit;       /* hundredths of a retry */
	int64_t topped_up_ms; /* when time last refilled it */
};

void budget_init(struct budget *b, int percent);
/* A job was dispatched for the first time. */
void budget_earn(struct budget *b);
/* False: too many retries lately. */
bool budget_spend(struct budget *b, int64_t now_ms);

#endif
