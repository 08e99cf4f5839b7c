/*
 * Recorded requests, line by line. Formats:
 *
 * plain     CSV: seconds,model,class,key,prompt tokens,output tokens
 * mooncake  JSONL of the Mooncake traces: timestamp (ms), input_length, output_length,
 *           hash_ids (of blocks of 512 tokens, each with all before it); names no model
 * burstgpt  CSV of the BurstGPT traces: Timestamp (s), Model, Request tokens, Response
 *           tokens, Total tokens, Log Type; requests without a response had failed
 */
#ifndef PROTO_TRACE_H
#define PROTO_TRACE_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trace_format { TRACE_PLAIN, TRACE_MOONCAKE, TRACE_BURSTGPT };

enum { TRACE_BLOCK_TOKENS = 512 };

/* A zeroed one is ready to be read into, again and again. Texts point into the line. */
struct trace_row {
	double at_s;
	struct str model; /* these three are empty where the format has none */
	struct str class;
	struct str key;
	int prompt_tokens;
	int output_tokens;
	uint64_t *blocks; /* owned; Mooncake's hash_ids */
	size_t block_count;
	size_t block_room;
};

enum trace_read { TRACE_ROW, TRACE_NOTHING, TRACE_BAD };

/* TRACE_NOTHING: an empty line, the names of the columns, or a request that had failed. The line
 * has no line end. */
enum trace_read trace_read_line(enum trace_format format, const char *line, struct trace_row *row);
/* The format that the first line of a file has; false: none of them. */
bool trace_guess(const char *line, enum trace_format *format);
void trace_row_finish(struct trace_row *row);

#endif
