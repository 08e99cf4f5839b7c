/* What came of one request, as the call tells and the tally counts it. */
#ifndef LOAD_OUTCOME_H
#define LOAD_OUTCOME_H

#include "record.h"
#include "workload.h"

#include <stddef.h>
#include <stdint.h>

enum outcome_end {
	OUTCOME_WHOLE,      /* 200 and all of its answer */
	OUTCOME_REFUSED,    /* a status of 400 or more */
	OUTCOME_BROKEN,     /* begun well, but not whole, or an error in mid-stream */
	OUTCOME_NO_ANSWER,  /* no connection, or closed without an answer */
	OUTCOME_TOO_LATE,   /* the time for one request ran out */
	OUTCOME_UNFINISHED, /* it was still running when the run ended */
};

enum cache_word { CACHE_NOT_SAID, CACHE_HIT, CACHE_MISS, CACHE_JOINED, CACHE_STALE, CACHE_BYPASS };

/* Times are of the monotonic clock. Its texts live during the call that it is given to. */
struct outcome {
	enum outcome_end end;
	struct shot shot;
	int64_t due_us;   /* when it was meant to start: what latency counts from */
	int64_t first_us; /* token; 0: none, or not streamed */
	int64_t end_us;
	int status;      /* 0: no head came */
	const char *why; /* of what is not whole */
	const struct facts *facts;
	int64_t tokens; /* records that had one */
	const uint32_t *gaps_us;
	size_t gap_count;
	int64_t queue_ms; /* -1: not said */
	enum cache_word cache;
};

#endif
