/* The progress line. */
#include "progress.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EVERY_MS = 1000 };

static const char wipe[] = "\r\033[K";

static int64_t
tokens_so_far(const struct tally *t)
{
	int64_t sum = 0;

	for (size_t i = 0; i < t->series.slot_count; i++)
		sum += t->series.slots[i].tokens;
	return sum;
}

static void
add_left(const struct progress *p, int64_t passed_us, struct buf *out)
{
	const struct tally *t = p->tally;
	int64_t duration_us = t->plan->duration_ms * 1000;

	if (duration_us > passed_us) {
		buf_addf(out, ", %lld s left", (long long)((duration_us - passed_us) / 1000000));
	} else if (p->count > 0 && t->all.ended > 0 && t->plan->duration_ms == 0) {
		double each_us = (double)passed_us / (double)t->all.ended;

		buf_addf(out, ", about %.0f s left", each_us * (double)(p->count - t->all.ended) / 1e6);
	}
}

void
progress_add_line(struct progress *p, int64_t now_us, struct buf *out)
{
	const struct tally *t = p->tally;
	int64_t tokens = tokens_so_far(t), failed = t->all.ended - t->all.whole;
	double seconds = (double)(now_us - p->at_us) / 1e6;

	seconds = seconds > 0 ? seconds : 1;
	buf_addf(out, "%lld", (long long)t->all.ended);
	if (p->count > 0)
		buf_addf(out, " of %lld", (long long)p->count);
	buf_addf(out, " answered, %lld running, %.1f requests/s", (long long)t->series.running,
	         (double)(t->all.ended - p->ended_before) / seconds);
	if (tokens > 0)
		buf_addf(out, ", %.0f tokens/s", (double)(tokens - p->tokens_before) / seconds);
	if (failed > 0)
		buf_addf(out, ", %lld failed", (long long)failed);
	add_left(p, now_us - t->start_us, out);
	p->ended_before = t->all.ended;
	p->tokens_before = tokens;
	p->at_us = now_us;
}

static void
on_timer(void *arg)
{
	struct progress *p = arg;
	struct buf line = {0};

	if (p->tally == NULL)
		buf_adds(&line, "warming up");
	else
		progress_add_line(p, clock_now_us(), &line);
	fprintf(stderr, "%s%s", wipe, buf_text(&line));
	buf_finish(&line);
	timer_start(&p->timer, EVERY_MS);
}

void
progress_init(struct progress *p, struct loop *l)
{
	memset(p, 0, sizeof(*p));
	timer_init(&p->timer, l, on_timer, p);
	p->shown = isatty(STDERR_FILENO) == 1;
	if (p->shown)
		timer_start(&p->timer, EVERY_MS);
}

void
progress_start(struct progress *p, const struct tally *tally, int64_t count)
{
	p->tally = tally;
	p->count = count;
	p->at_us = tally->start_us;
}

void
progress_finish(struct progress *p)
{
	timer_finish(&p->timer);
	if (p->shown)
		fputs(wipe, stderr);
}
