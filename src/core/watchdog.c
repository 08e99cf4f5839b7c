/* The watchdog of jobs that run. Loads have the limit of their order. */
#include "core/watchdog.h"

#include "node.h"
#include "swap.h"

bool
watchdog_is_stuck(const struct job *j, int64_t now_ms)
{
	const struct backend *b = j->backend;
	const struct place *p;
	int64_t limit_ms;

	if (j->state != JOB_RUNNING || j->slotless || !b->fleet->by_orders)
		return false;
	p = &j->variant->places[b->index];
	limit_ms = swap_load_limit_ms(b->fleet, &p->speed);
	if (limit_ms == 0 || limit_ms > b->fleet->load_ms)
		limit_ms = b->fleet->load_ms;
	return p->missing && now_ms - j->dispatched_at_ms > limit_ms;
}

void
watchdog_saw_stuck(struct job *j, int64_t now_ms)
{
	struct backend *b = j->backend;
	struct place *p = &j->variant->places[b->index];

	/* Of several that are stuck the first tells all. */
	if (p->residency == LEAVING)
		return;
	variant_set_residency(j->variant, b, LEAVING);
	swap_quarantine(b->fleet, p, now_ms);
}
