/* Why requests failed: each reason once, with how often; the first few kinds of them. */
#ifndef LOAD_FAILURES_H
#define LOAD_FAILURES_H

#include "outcome.h"

#include <stddef.h>
#include <stdint.h>

enum { FAILURES_MAX = 24, FAILURE_TEXT_MAX = 200 };

struct failure {
	enum outcome_end end;
	int status;
	int64_t count;
	char text[FAILURE_TEXT_MAX];
};

/* A zeroed one is empty. */
struct failures {
	struct failure all[FAILURES_MAX];
	size_t count;
	int64_t others; /* of more kinds than fit */
};

void failures_add(struct failures *f, const struct outcome *o);
/* The most frequent first. */
void failures_sort(struct failures *f);
/* "refused", "no answer", ... */
const char *outcome_end_name(enum outcome_end end);

#endif
