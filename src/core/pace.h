/*
 * How fast the queue drains: a moving average of the time between two slots given back
 * while somebody waits. Integers; the clock is the caller's.
 */
#ifndef CORE_PACE_PRIVATE_H
#define CORE_PACE_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	int64_t interval_us; /* average; 0: nothing measured yet */
	int64_t since_ms;    /* the last slot given back, or when somebody began to wait */
	bool measuring;
};

/* Somebody waits, or nobody does any more: idle time is no sign of slowness. */
void pace_saw_queue(struct pace *p, bool somebody_waits, int64_t now_ms);
/* A slot was given back. */
void pace_saw_end(struct pace *p, int64_t now_ms);
/* How long `jobs` will take to start. */
int64_t pace_estimate_ms(const struct pace *p, int jobs, int64_t now_ms);

#endif
