/*
 * One answer on its way in: cut into records, its tokens timed.
 *
 * A record that bears a token counts once, when its last byte is here. Several in
 * one read came at the same time, which is what their reader saw.
 */
#ifndef LOAD_ANSWER_H
#define LOAD_ANSWER_H

#include "record.h"

#include "base/buf.h"
#include "proto/refusal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Microseconds between tokens, in their order. */
struct gaps {
	uint32_t *us; /* owned */
	size_t count;
	size_t room;
};

struct answer {
	struct facts facts;
	struct record_reader *reader; /* owned */
	enum stream_form form;
	bool in_record;   /* bytes of one were read since the last end */
	bool bad;         /* `facts.error` says what is wrong with it */
	struct buf line;  /* owned; of events: a line that a read has cut */
	int64_t first_us; /* of the first token; 0: none yet */
	int64_t last_us;
	int64_t tokens; /* records that bear one */
	struct gaps gaps;
};

void answer_init(struct answer *a);
void answer_finish(struct answer *a);
/* Ready for the next one; the memory is kept. */
void answer_restart(struct answer *a);
/* Before its first byte. */
void answer_begin(struct answer *a, struct str content_type);
void answer_feed(struct answer *a, struct str bytes, int64_t now_us);
/* No more bytes. False: it is not a whole good answer, and `facts.error` says why. `streamed`:
 * it was asked for as a stream, so that its end must be said. */
bool answer_end(struct answer *a, bool streamed, int64_t now_us);

#endif
