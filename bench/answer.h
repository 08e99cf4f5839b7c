/*
 * One answer, read as HTTP while it comes: status, length or chunks, lines of the body.
 * Strict where a gateway could win by breaking it, and cheap: no byte of a body is copied.
 */
#ifndef BENCH_ANSWER_H
#define BENCH_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANSWER_MOST_LINE = 1024 };

/* What the next byte belongs to. All but DATA are lines. */
enum part { PART_STATUS, PART_FIELD, PART_DATA, PART_CHUNK_SIZE, PART_CHUNK_END, PART_TRAILER };

enum verdict { VERDICT_MORE, VERDICT_WHOLE, VERDICT_BROKEN };

/* All zero: nothing has come yet. */
struct answer {
	enum part part;
	int status;
	bool chunked;
	bool hit;       /* its gateway says that it is from a cache */
	uint64_t left;  /* bytes of the body, or of the chunk */
	uint64_t lines; /* of the body */
	size_t line_len;
	char line[ANSWER_MOST_LINE];
};

/* For the next answer of a connection. */
void answer_begin(struct answer *a);
/* One answer at a time: bytes behind the end of one are BROKEN. */
enum verdict answer_feed(struct answer *a, const char *p, size_t len);

#endif
