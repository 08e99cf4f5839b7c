/*
 * What one record of an answer says: a line of NDJSON, the data of an event, or a
 * whole JSON answer, of any of the APIs. One table of paths ("choices.delta.content")
 * serves them all, since no path means two things.
 *
 * A record is read as it comes, however it is cut, and without a tree: this is
 * done for every token.
 */
#ifndef LOAD_RECORD_H
#define LOAD_RECORD_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { RECORD_ERROR_MAX = 160 };

/* Counts and durations are -1 until a record says them. */
struct facts {
	bool token; /* the last record has text, thoughts, a call of a tool or a vector */
	bool done;  /* some record was the last one of the answer */
	bool failed;
	char error[RECORD_ERROR_MAX]; /* what the server says of it, cut */
	int64_t prompt_tokens;
	int64_t output_tokens;
	int64_t total_ns;
	int64_t load_ns;
	int64_t prompt_eval_ns;
	int64_t eval_ns;
};

void facts_init(struct facts *f);

struct record_reader;

/* Writes what it reads into `facts`, which it borrows. */
struct record_reader *record_reader_create(struct facts *facts);
void record_reader_destroy(struct record_reader **r);
/* Forgets a record that was begun. */
void record_reader_restart(struct record_reader *r);
/* Bytes of a record; a newline after its end may be among them. False: it is no JSON, as
 * record_end says too. */
bool record_feed(struct record_reader *r, struct str bytes);
/* The record is over. */
bool record_end(struct record_reader *r);

#endif
