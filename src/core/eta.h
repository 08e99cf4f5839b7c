/*
 * How long a job will wait, by the estimates: the cost of what goes before it for the same
 * variant, and half of what runs, over what the nodes that hold the variant serve at once; and
 * the load, where none holds it. What goes before it: higher classes, what its own key sent
 * earlier, and of every other key as much as is served until they are even.
 */
#ifndef CORE_ETA_PRIVATE_H
#define CORE_ETA_PRIVATE_H

#include "fleet.h"
#include "queue.h"

#include <stdbool.h>
#include <stdint.h>

/* What the job will cost by estimate, if it has not started. A remote model costs nothing. */
int64_t eta_cost(const struct job *j);
/* Until it starts. It waits, or is a newcomer whose account is known. O(waiting). */
int64_t eta_start_ms(const struct queue *q, const struct fleet *f, const struct job *j,
                     int64_t now_ms);
/* Whether it will miss its deadline, service included. Nobody is refused by a guess: true only
 * when what counts was measured. */
bool eta_is_late(const struct queue *q, const struct fleet *f, const struct job *j, int64_t now_ms);

#endif
