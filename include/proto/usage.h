/*
 * How many tokens an answer cost, read from its bytes as they pass. Every dialect says it
 * near the end (OLLAMA.md): the last native line, `usage` of the others. So the end is kept,
 * bounded, and looked at once the answer is over; no tree is built, nothing is done per token
 * but a copy of it.
 *
 * A stream that was cut, or that has no usage in it, is counted by its records: one a token.
 */
#ifndef PROTO_USAGE_H
#define PROTO_USAGE_H

#include "base/str.h"
#include "proto/refusal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { USAGE_TAIL_BYTES = 2048 };

struct usage_reader {
	char
	    bytes[2 * USAGE_TAIL_BYTES]; /* the last of them, at least USAGE_TAIL_BYTES if there were */
	size_t len;
	uint64_t newlines;
};

struct usage {
	int prompt; /* tokens; 0: not said */
	int output;
	bool is_estimate; /* counted by records: the prompt is not known */
};

void usage_init(struct usage_reader *u);
void usage_add(struct usage_reader *u, struct str piece);
/* False: the answer says nothing of it, and is no stream. */
bool usage_read(const struct usage_reader *u, enum dialect d, enum stream_form form,
                struct usage *out);

#endif
