/*
 * A recorded body: one writer, any number of readers, each at its own pace. The
 * writer and each reader hold it; the last one frees it.
 *
 * While it is short enough to be kept, all of it is there, and readers may come at
 * any time. Beyond that it is a window: what all readers have passed is forgotten,
 * and a reader that falls so far behind that the window would outgrow the bound is
 * lost, so that it delays nobody.
 */
#ifndef CORE_RECORDING_H
#define CORE_RECORDING_H

#include "base/buf.h"
#include "base/list.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct recording;

enum recording_state {
	RECORDING_OPEN,
	RECORDING_WHOLE, /* ended as it should */
	RECORDING_CUT,   /* broke off */
};

/* Embedded by who reads. */
struct recording_reader {
	struct recording *recording; /* held; NULL: reads none */
	struct list link;            /* in recording.readers */
	struct recording_chunk *chunk;
	size_t used; /* of the chunk */
	uint64_t at; /* in the whole */
	bool lost;
	/* There is something to read, or it ended, or the reader was lost. Called by the writer's
	 * calls; it may read and detach, but not write. */
	void (*on_more)(struct recording_reader *r);
};

/* Held by the writer. `window_bytes`, and what one call appends, bound what it holds, and so what
 * can be kept. */
struct recording *recording_create(size_t window_bytes);
void recording_append(struct recording *r, struct str bytes);
void recording_end(struct recording *r, bool whole);
/* The writer lets go. One that has not ended is cut. */
void recording_release(struct recording **r);

enum recording_state recording_state(const struct recording *r);
/* What it takes of memory now. */
size_t recording_held_bytes(const struct recording *r);
/* Whether all of it is there. */
bool recording_is_kept(const struct recording *r);
/* Adds all of it, which must be kept. */
void recording_copy(const struct recording *r, struct buf *out);
/* How far the writer is ahead of the reader that is furthest; all of it where none reads. */
uint64_t recording_ahead_bytes(const struct recording *r);
bool recording_has_readers(const struct recording *r);

/* Reads from the beginning. The recording must be kept. */
void recording_attach(struct recording *r, struct recording_reader *reader,
                      void (*on_more)(struct recording_reader *r));
/* May be called at any time, also when it reads none. */
void recording_detach(struct recording_reader *reader);
/* What comes next, at most one chunk of it; empty where there is nothing yet. Valid until the
 * reader skips it. */
struct str recording_peek(const struct recording_reader *reader);
void recording_skip(struct recording_reader *reader, size_t bytes);
/* Nothing is left, and nothing will come. */
bool recording_is_over(const struct recording_reader *reader);

#endif
