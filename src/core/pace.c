/* The measured drain rate. */
#include "pace.h"

enum {
	PRIOR_US = 1000000, /* before anything was measured: one a second */
	SAMPLES = 8,        /* of which the average mostly consists */
};

/* One sample counts for at most so much, so that a night asleep is forgotten soon. */
static const int64_t longest_sample_ms = INT64_C(3600) * 1000;

void
pace_saw_queue(struct pace *p, bool somebody_waits, int64_t now_ms)
{
	if (somebody_waits && !p->measuring)
		p->since_ms = now_ms;
	p->measuring = somebody_waits;
}

static int64_t
since_last_us(const struct pace *p, int64_t now_ms)
{
	int64_t ms = now_ms - p->since_ms;

	return 1000 * (ms < longest_sample_ms ? ms : longest_sample_ms);
}

void
pace_saw_end(struct pace *p, int64_t now_ms)
{
	if (!p->measuring)
		return;
	if (p->interval_us == 0)
		p->interval_us = since_last_us(p, now_ms);
	else
		p->interval_us += (since_last_us(p, now_ms) - p->interval_us) / SAMPLES;
	p->since_ms = now_ms;
}

int64_t
pace_estimate_ms(const struct pace *p, int jobs, int64_t now_ms)
{
	int64_t interval_us = p->interval_us != 0 ? p->interval_us : PRIOR_US;

	/* A gap longer than the average is news before it ends. */
	if (p->measuring && since_last_us(p, now_ms) > interval_us)
		interval_us = since_last_us(p, now_ms);
	return interval_us * jobs / 1000;
}
