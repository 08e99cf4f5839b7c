/* Slots that widen, and a reservoir (Vitter's algorithm R). */
#include "series.h"

#include <string.h>

enum { FIRST_SLOT_US = 100 * 1000 };

void
series_init(struct series *s)
{
	memset(s, 0, sizeof(*s));
	s->slot_us = FIRST_SLOT_US;
	rng_init(&s->rng, 1, 0);
}

static void
add_slot(struct slot *to, const struct slot *from)
{
	to->started += from->started;
	to->whole += from->whole;
	to->failed += from->failed;
	to->tokens += from->tokens;
	if (from->most_running > to->most_running)
		to->most_running = from->most_running;
}

static void
widen(struct series *s)
{
	for (size_t i = 0; i < SERIES_SLOTS; i++) {
		struct slot it = s->slots[i];

		s->slots[i] = (struct slot){0};
		add_slot(&s->slots[i / 2], &it);
	}
	s->slot_us *= 2;
	s->slot_count = (s->slot_count + 1) / 2;
}

struct slot *
series_at(struct series *s, int64_t at_us)
{
	size_t i;

	at_us = at_us < 0 ? 0 : at_us;
	while (at_us / s->slot_us >= SERIES_SLOTS)
		widen(s);
	i = (size_t)(at_us / s->slot_us);
	while (i >= s->slot_count)
		s->slots[s->slot_count++].most_running = s->running;
	return &s->slots[i];
}

void
series_sample(struct series *s, const struct sample *it)
{
	size_t i = s->sample_count;

	s->seen++;
	if (i < SERIES_SAMPLES)
		s->sample_count++;
	else if ((i = rng_below(&s->rng, (size_t)s->seen)) >= SERIES_SAMPLES)
		return;
	s->samples[i] = *it;
}
