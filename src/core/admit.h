/*
 * Who is let into the queue. It is bounded, as a whole and for each key while it is half full; who
 * can start at once needs no room in it; of those that wait one may have to give way.
 */
#ifndef CORE_ADMIT_PRIVATE_H
#define CORE_ADMIT_PRIVATE_H

#include "moves.h"

/* It has its variant, its account and its number; on a refusal it stays JOB_NEW. */
enum sched_answer admit_job(struct sched *s, struct job *j, int64_t now_ms);
/* Whether nobody can serve such a job, as things stand. */
bool admit_is_hopeless(const struct sched *s, const struct need *need);

#endif
