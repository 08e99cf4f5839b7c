/* The retry budget: a bucket that traffic fills, with a floor that time fills. */
#include "budget.h"

enum {
	ONE_RETRY = 100,        /* hundredths */
	FLOOR = 10 * ONE_RETRY, /* what time refills it to, */
	REFILL_MS = 10,         /* a hundredth in so long: a retry a second */
	MOST = 100 * ONE_RETRY, /* what traffic saves up at most */
};

void
budget_init(struct budget *b, int percent)
{
	*b = (struct budget){.percent = percent, .credit = FLOOR};
}

void
budget_earn(struct budget *b)
{
	b->credit += b->percent;
	if (b->credit > MOST)
		b->credit = MOST;
}

static void
top_up(struct budget *b, int64_t now_ms)
{
	int64_t gained = (now_ms - b->topped_up_ms) / REFILL_MS;

	b->topped_up_ms += gained * REFILL_MS;
	if (b->credit < FLOOR)
		b->credit = gained < FLOOR - b->credit ? b->credit + gained : FLOOR;
}

bool
budget_spend(struct budget *b, int64_t now_ms)
{
	top_up(b, now_ms);
	if (b->credit < ONE_RETRY)
		return false;
	b->credit -= ONE_RETRY;
	return true;
}
