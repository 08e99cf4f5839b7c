/*
 * Swaps under way. A node makes one at a time: it drains of what goes, that is unloaded, the
 * other one loaded. Whether and where is swap_choice.h's.
 *
 * Invariants: in and out are retained while the swap names them; a node that makes a swap is
 * sent nothing for `in` before it is loaded, and for `out` only what ends before it is drained.
 */
#ifndef CORE_SWAP_PRIVATE_H
#define CORE_SWAP_PRIVATE_H

#include "core/sched.h"
#include "fleet.h"
#include "place.h"
#include "queue.h"

#include <stdbool.h>
#include <stdint.h>

struct choice;

/* A node that makes no swap begins one; the next order is for it. `warm`: nobody waits for what
 * comes. */
void swap_begin(struct backend *b, const struct choice *c, bool warm, int64_t now_ms);
/* The next order that is due; begins swaps when it is time. `survey` is scratch. */
bool swap_take_order(struct fleet *f, const struct queue *q, struct survey *survey, int64_t now_ms,
                     struct order *out);
/* How long a load there may take, by what is measured; 0: nothing is. */
int64_t swap_load_limit_ms(const struct fleet *f, const struct speed *s);
/* The node is left: a swap that is not begun ends; one with an order under way must not be. */
void swap_call_off(struct fleet *f, struct backend *b, int64_t now_ms);
/* Not loaded there for a while. */
void swap_quarantine(struct fleet *f, struct place *p, int64_t now_ms);
void swap_saw_order(struct fleet *f, const struct order *o, enum order_end end, int64_t now_ms);

#endif
