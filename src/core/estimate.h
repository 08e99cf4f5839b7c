/*
 * What is expected of a job before it ran: moving averages over those that ran before, with a
 * prior where there were none. Zero in a field means that nothing was seen yet.
 */
#ifndef CORE_ESTIMATE_PRIVATE_H
#define CORE_ESTIMATE_PRIVATE_H

#include "core/job.h"

#include <stdbool.h>
#include <stdint.h>

/* Averages are kept in sixteenths, so that small differences are not lost. */
enum { ESTIMATE_UNITS = 16 };

/* Of one variant, everywhere. */
struct estimate {
	int64_t output_x16[CLASSES]; /* tokens of an answer */
	int64_t rate_x16;            /* cost (fair.h) that one slot serves in a second */
};

/* Of one variant on one node. */
struct speed {
	int64_t rate_x16;
	int64_t load_x16; /* milliseconds until it is loaded */
};

void estimate_saw_output(struct estimate *e, enum job_class class, int tokens);
/* A job of that cost took so long on a node; `loaded`: the node held the variant when it came. */
void estimate_saw_service(struct estimate *e, struct speed *s, int64_t cost, int64_t ms,
                          bool loaded);
/* Tokens of its answer, no more than it asked for. */
int64_t estimate_output(const struct estimate *e, const struct job *j);
int64_t estimate_rate_x16(const struct estimate *e, const struct speed *s);
/* Whether any job of the variant told how fast it is served. */
bool estimate_is_measured(const struct estimate *e);
int64_t estimate_service_ms(const struct estimate *e, const struct speed *s, int64_t cost);
void estimate_saw_load(struct speed *s, int64_t ms);
int64_t estimate_load_ms(const struct speed *s);

#endif
