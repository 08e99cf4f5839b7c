/* The moves of jobs between the queue and the nodes, for sched.c and admit.c. */
#ifndef CORE_MOVES_PRIVATE_H
#define CORE_MOVES_PRIVATE_H

#include "sched_impl.h"

#include <stdbool.h>
#include <stdint.h>

void moves_enter_queue(struct sched *s, struct job *j, int64_t now_ms);
void moves_leave_queue(struct sched *s, struct job *j, int64_t now_ms);
/* By a survey that was taken now; NULL: it cannot start. */
struct backend *moves_find_place(const struct sched *s, const struct job *j);
/* Out of the queue, into `started`; its slot is taken. */
void moves_start(struct sched *s, struct job *j, struct backend *b, int64_t now_ms);
/* The first in the order of the queue that can start now starts. False: nobody can. */
bool moves_start_next(struct sched *s, int64_t now_ms);

#endif
