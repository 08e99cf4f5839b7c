/* Reasons of failures. */
#include "failures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
outcome_end_name(enum outcome_end end)
{
	switch (end) {
	case OUTCOME_WHOLE: return "whole";
	case OUTCOME_REFUSED: return "refused";
	case OUTCOME_BROKEN: return "broken";
	case OUTCOME_NO_ANSWER: return "no answer";
	case OUTCOME_TOO_LATE: return "too late";
	case OUTCOME_UNFINISHED: return "unfinished";
	}
	abort();
}

void
failures_add(struct failures *f, const struct outcome *o)
{
	char text[FAILURE_TEXT_MAX];

	snprintf(text, sizeof(text), "%s", o->why == NULL ? "" : o->why);
	for (size_t i = 0; i < f->count; i++)
		if (f->all[i].end == o->end && f->all[i].status == o->status &&
		    strcmp(f->all[i].text, text) == 0) {
			f->all[i].count++;
			return;
		}
	if (f->count == FAILURES_MAX) {
		f->others++;
		return;
	}
	f->all[f->count] = (struct failure){.end = o->end, .status = o->status, .count = 1};
	memcpy(f->all[f->count++].text, text, sizeof(text));
}

static int
by_count(const void *a, const void *b)
{
	const struct failure *x = a, *y = b;

	return (y->count > x->count) - (y->count < x->count);
}

void
failures_sort(struct failures *f)
{
	qsort(f->all, f->count, sizeof(f->all[0]), by_count);
}
